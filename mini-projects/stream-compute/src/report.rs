//! What people, and programs that start us, get to see.

use std::fmt::{self, Display};
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use crate::row::Row;

/// How many rows are shown of those that come at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowsShown {
    /// All.
    All,
    /// The first so many; how many more there are is said.
    AtMost(usize),
}

/// Writes one line per event. The first word of a line says what it is about:
/// see the crate's README.
pub struct Report {
    screen: Mutex<Box<dyn Write + Send>>,
    side: Option<Mutex<Box<dyn Write + Send>>>,
    rows_shown: RowsShown,
}

impl Report {
    /// Writes to `screen`; the side output to `side`, or to the screen as well.
    #[must_use]
    pub fn new(
        screen: Box<dyn Write + Send>,
        side: Option<Box<dyn Write + Send>>,
        rows_shown: RowsShown,
    ) -> Report {
        Report {
            screen: Mutex::new(screen),
            side: side.map(Mutex::new),
            rows_shown,
        }
    }

    /// A line on the screen.
    pub(crate) fn line(&self, line: fmt::Arguments<'_>) -> io::Result<()> {
        write_line(&self.screen, line)
    }

    /// A line of the input goes to the side output.
    pub(crate) fn side(&self, line_number: u64, reason: &dyn Display) -> io::Result<()> {
        let to = self.side.as_ref().unwrap_or(&self.screen);
        write_line(to, format_args!("side line {line_number}: {reason}"))
    }

    /// Rows that are committed.
    pub(crate) fn rows(&self, rows: &[Row]) -> io::Result<()> {
        let shown = match self.rows_shown {
            RowsShown::All => rows.len(),
            RowsShown::AtMost(limit) => limit.min(rows.len()),
        };
        for row in &rows[..shown] {
            self.line(format_args!("row {row}"))?;
        }
        if shown < rows.len() {
            self.line(format_args!("rows {} more", rows.len() - shown))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Report")
            .field("rows_shown", &self.rows_shown)
            .finish_non_exhaustive()
    }
}

fn write_line(to: &Mutex<Box<dyn Write + Send>>, line: fmt::Arguments<'_>) -> io::Result<()> {
    let mut to = to.lock().unwrap_or_else(PoisonError::into_inner);
    writeln!(to, "{line}")?;
    to.flush()
}
