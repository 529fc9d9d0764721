//! What people, and programs that start us, get to see.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use stream_engine::Completed;

use crate::job::Aside;
use crate::meters::Meters;
use crate::page::PageFile;
use crate::row::Row;
use crate::run::Summary;
use crate::settings::{Cut, Settings};
use crate::tops::Tops;

/// How many rows are shown of those that come at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowsShown {
    /// All of them, one line each.
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
    View(Viewed),
}

/// What a view shows of a job, beside its numbers.
#[derive(Debug)]
struct Viewed {
    windows: Cut,
    patience: Duration,
    /// The last line with each first word.
    lines: Mutex<BTreeMap<String, String>>,
}

impl Viewed {
    fn lines(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
    pub fn for_view(side: Option<Box<dyn Write + Send>>, settings: &Settings) -> Report {
        Report {
            screen: Screen::View(Viewed {
                windows: settings.windows,
                patience: settings.patience,
                lines: Mutex::default(),
            }),
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

    /// Writes a line; for a view, keeps it in place of the one with the same first word.
    pub(crate) fn line(&self, line: fmt::Arguments<'_>) -> io::Result<()> {
        match &self.screen {
            Screen::Lines(screen, _) => write_line(screen, line),
            Screen::View(viewed) => {
                let line = line.to_string();
                let word = line.split([' ', ':']).next().unwrap_or_default().to_owned();
                viewed.lines().insert(word, line);
                Ok(())
            }
        }
    }

    /// A line about a call that waits for the queue. A view has a line for all such calls, which
    /// goes when the last of them has its answer.
    pub(crate) fn line_of_silence(&self, line: fmt::Arguments<'_>) -> io::Result<()> {
        match &self.screen {
            Screen::Lines(..) => self.line(line),
            Screen::View(_) => Ok(()),
        }
    }

    /// Says whether the rows are right, which is the last line of a job.
    pub(crate) fn verdict(&self, summary: &Summary) -> io::Result<()> {
        match &self.screen {
            Screen::Lines(..) => self.line(format_args!("{summary}")),
            Screen::View(_) => self.line(format_args!("{summary:#}")),
        }
    }

    /// Notes a checkpoint that is stored.
    pub(crate) fn completed(&self, checkpoint: Completed) {
        self.meters.completed(checkpoint);
        if let Screen::View(viewed) = &self.screen {
            // It was about a transaction that failed, and the job has come farther since.
            viewed.lines().remove("queue");
        }
    }

    /// Says that the job has been told to end, which may take long if the queue is away.
    ///
    /// # Errors
    /// When the screen cannot be written.
    pub fn stopping(&self) -> io::Result<()> {
        self.line(format_args!(
            "stopping: the input ends here; Ctrl-C again ends the job at once"
        ))
    }

    /// The last line that was kept with this first word.
    pub(crate) fn kept(&self, word: &str) -> Option<String> {
        match &self.screen {
            Screen::Lines(..) => None,
            Screen::View(viewed) => viewed.lines().get(word).cloned(),
        }
    }

    /// How long a view says that the job waits for the queue; `None` if there is no view.
    pub(crate) fn patience(&self) -> Option<Duration> {
        match &self.screen {
            Screen::Lines(..) => None,
            Screen::View(viewed) => Some(viewed.patience),
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
            Screen::View(Viewed { windows, .. }) => {
                rows.more += 1;
                // A later revision has the count of the earlier ones in it.
                if row.revision == 0 && windows.is_counted(row.window.start) {
                    rows.tops.add(row.ip, row.count);
                }
            }
        }
    }

    /// Shows rows, now that they are committed.
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
    /// The requests in all of them, for a view.
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

#[cfg(test)]
mod tests {
    use message_model::Moment;

    use super::*;

    #[test]
    fn a_view_forgets_a_failed_transaction_with_the_next_checkpoint() {
        let viewed = Viewed {
            windows: Cut::Tumbling(Duration::from_secs(5)),
            patience: Duration::from_secs(60),
            lines: Mutex::default(),
        };
        let report = Report {
            screen: Screen::View(viewed),
            side: None,
            meters: Meters::default(),
            page: None,
        };
        let (topics, failed) = ("topics a for lines", "queue sink: it was aborted");
        report.line(format_args!("{topics}")).unwrap();
        report.line(format_args!("{failed}")).unwrap();
        assert_eq!(report.kept("queue").as_deref(), Some(failed));
        report.completed(Completed {
            id: 1,
            began: Moment::START,
            took: Duration::ZERO,
        });
        assert_eq!(report.kept("queue"), None);
        assert_eq!(report.kept("topics").as_deref(), Some(topics));
        assert!(report.meters.noted().checkpoints.last().is_some());
    }
}
