//! What people, and programs that start us, get to see.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::job::Aside;
use crate::meters::Meters;
use crate::page::PageFile;
use crate::row::Row;
use crate::settings::Cut;
use crate::tops::Tops;

/// How many rows are shown of those that come at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowsShown {
    /// All.
    All,
    /// The first so many, and how many more there are.
    AtMost(usize),
}

/// Writes one line per event. The first word of a line says what it is about:
/// see the crate's README. Or keeps what a [`View`](crate::View) shows.
pub struct Report {
    screen: Screen,
    side: Option<Mutex<Box<dyn Write + Send>>>,
    pub(crate) meters: Meters,
    pub(crate) page: Option<PageFile>,
}

enum Screen {
    Lines(Mutex<Box<dyn Write + Send>>, RowsShown),
    /// Windows are cut so. Of lines, the last one with each first word is kept.
    View(Cut, Mutex<BTreeMap<String, String>>),
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
            screen: Screen::Lines(Mutex::new(screen), rows_shown),
            side: side.map(Mutex::new),
            meters: Meters::default(),
            page: None,
        }
    }

    /// Writes the side output to `side`, or counts it, and leaves the rest to a view.
    #[must_use]
    pub fn for_view(side: Option<Box<dyn Write + Send>>, cut: Cut) -> Report {
        Report {
            screen: Screen::View(cut, Mutex::default()),
            side: side.map(Mutex::new),
            meters: Meters::default(),
            page: None,
        }
    }

    /// Also writes a web page about the job when it has ended, with a verdict.
    ///
    /// # Errors
    /// When there cannot be such a file.
    pub fn with_page(self, path: PathBuf) -> io::Result<Report> {
        let page = Some(PageFile::begin(path)?);
        Ok(Report { page, ..self })
    }

    /// A line on the screen.
    pub(crate) fn line(&self, line: fmt::Arguments<'_>) -> io::Result<()> {
        match &self.screen {
            Screen::Lines(screen, _) => write_line(screen, line),
            Screen::View(_, kept) => {
                let line = line.to_string();
                let word = line.split([' ', ':']).next().unwrap_or_default().to_owned();
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.insert(word, line);
                Ok(())
            }
        }
    }

    /// The last line that was kept with this first word.
    pub(crate) fn kept(&self, word: &str) -> Option<String> {
        match &self.screen {
            Screen::Lines(..) => None,
            Screen::View(_, kept) => {
                let kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.get(word).cloned()
            }
        }
    }

    /// A line of the input goes to the side output.
    pub(crate) fn side(&self, aside: &Aside) -> io::Result<()> {
        match self.side_output() {
            Some(to) => write_line(to, format_args!("{aside}")),
            None => Ok(()),
        }
    }

    /// Keeps a row until it is committed, or its number if it is not to be shown.
    pub(crate) fn keep(&self, row: Row, rows: &mut RowsToShow) {
        match &self.screen {
            Screen::Lines(_, RowsShown::AtMost(limit)) if rows.first.len() >= *limit => {
                rows.more += 1;
            }
            Screen::Lines(..) => rows.first.push(row),
            Screen::View(cut, _) => {
                rows.more += 1;
                // A later revision has the count of the earlier ones in it.
                if row.revision == 0 && cut.is_counted(row.window.start) {
                    rows.tops.add(row.ip, row.count);
                }
            }
        }
    }

    /// Rows that are committed.
    pub(crate) fn rows(&self, rows: RowsToShow) -> io::Result<()> {
        if let Screen::View(..) = self.screen {
            self.meters.committed(rows.more, rows.tops);
            return Ok(());
        }
        for row in rows.first {
            self.line(format_args!("row {row}"))?;
        }
        if rows.more > 0 {
            self.line(format_args!("rows {} more", rows.more))?;
        }
        Ok(())
    }

    fn side_output(&self) -> Option<&Mutex<Box<dyn Write + Send>>> {
        match &self.screen {
            Screen::Lines(screen, _) => self.side.as_ref().or(Some(screen)),
            Screen::View(..) => self.side.as_ref(),
        }
    }
}

/// The rows of a transaction that are to be shown when it is committed.
#[derive(Debug, Default)]
pub(crate) struct RowsToShow {
    first: Vec<Row>,
    more: u64,
    /// Their requests, for a view.
    tops: Tops,
}

/// Writes what is a line of the side output already.
#[derive(Debug)]
pub(crate) struct SideOutput(pub(crate) Arc<Report>);

impl Write for SideOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(to) = self.0.side_output() else {
            return Ok(bytes.len());
        };
        let mut to = to.lock().unwrap_or_else(PoisonError::into_inner);
        to.write_all(bytes)?;
        to.flush()?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Report")
            .field("meters", &self.meters)
            .finish_non_exhaustive()
    }
}

fn write_line(to: &Mutex<Box<dyn Write + Send>>, line: fmt::Arguments<'_>) -> io::Result<()> {
    let mut to = to.lock().unwrap_or_else(PoisonError::into_inner);
    writeln!(to, "{line}")?;
    to.flush()
}
