//! What a job does, and how.

use std::fmt;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use message_model::{Timestamp, TopicName};
use stream_engine::{Window, Windows};

use crate::input::Source;

/// The times in a log are whole seconds.
const SECOND: Duration = Duration::from_secs(1);
/// The longest time that a job may be told: a year. A window ends at most so long behind a line in
/// it, and begins at most so long before, so that a row's times have four digits for the year.
pub const SPAN_MAX: Duration = Duration::from_hours(365 * 24);

/// What the command line says.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the queue is: `host:port`, or several with commas between them.
    pub bootstrap: String,
    /// The log whose lines are counted.
    pub source: Source,
    /// The topic that takes the lines; created, or empty, or that of a job to resume.
    pub topic: TopicName,
    /// How many partitions the topic of lines gets if it is created.
    pub partitions: i32,
    /// The topic that takes the rows, like the other one.
    pub out: TopicName,
    /// How the time in the lines is cut into windows.
    pub windows: Cut,
    /// How long behind its end a window still takes lines. Each of them makes a new revision of a row.
    pub lateness: Duration,
    /// Only so many rows for each window: those with the highest counts.
    pub top: Option<usize>,
    /// How far a line may be behind the latest one before it.
    pub out_of_order: Duration,
    /// A partition from which no line comes for so long is not waited for.
    pub idle_after: Option<Duration>,
    /// At most so many lines a second.
    pub rate: Option<NonZeroU32>,
    /// A followed file ends when it has not grown for so long.
    pub idle_end: Option<Duration>,
    /// How long the queue may be away.
    pub patience: Duration,
    /// How many subtasks each task has; the source has no more than there are partitions.
    pub parallelism: usize,
    /// Where checkpoints are stored. Without it a job that was killed cannot be resumed.
    pub checkpoint_dir: Option<PathBuf>,
    /// A job that has not begun there is an error, and does not begin.
    pub must_resume: bool,
    /// How long it is from one checkpoint to the next. Rows are committed with checkpoints.
    pub checkpoint_every: Duration,
    /// How long a transaction may be open before the queue aborts it.
    pub transaction_timeout: Duration,
}

impl Settings {
    /// At multiples of this, and nowhere else, windows end or close.
    pub(crate) fn step(&self) -> Duration {
        let step = self.windows.step();
        match is_multiple(self.lateness, step) {
            true => step,
            false => SECOND,
        }
    }
}

/// How event time is cut into windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Windows of this size, side by side, the first one beginning with 1970.
    Tumbling(Duration),
    /// Windows of this size, of which one begins every so often.
    Sliding(Duration, Duration),
    /// For each address, windows that end when nothing has come from it for so long.
    Sessions(Duration),
}

impl Cut {
    /// Returns the same windows as the engine has them.
    #[must_use]
    pub fn windows(self) -> Windows {
        match self {
            Cut::Tumbling(size) => Windows::tumbling(size),
            Cut::Sliding(size, step) => Windows::sliding(size, step),
            Cut::Sessions(gap) => Windows::session(gap),
        }
    }

    /// At multiples of this, and nowhere else, windows begin and end.
    pub(crate) fn step(self) -> Duration {
        match self {
            Cut::Tumbling(size) => size,
            Cut::Sliding(size, step) if is_multiple(size, step) => step,
            Cut::Sliding(..) | Cut::Sessions(_) => SECOND,
        }
    }

    /// Whether requests of the window with this start are counted when each is to be counted once. Of windows that
    /// overlap that is one of those that hold a request, if their size is a multiple of their step.
    pub(crate) fn is_counted(self, start: Timestamp) -> bool {
        match self {
            Cut::Sliding(size, step) if is_multiple(size, step) => {
                start.0.rem_euclid(millis(size)) == 0
            }
            Cut::Tumbling(_) | Cut::Sliding(..) | Cut::Sessions(_) => true,
        }
    }

    /// Whether a request is in several windows that [are counted](Cut::is_counted).
    pub(crate) fn overlaps(self) -> bool {
        matches!(self, Cut::Sliding(size, step) if !is_multiple(size, step))
    }

    /// How far apart the starts of windows that are counted are, at least.
    pub(crate) fn apart(self) -> Duration {
        match self {
            Cut::Sliding(size, step) if is_multiple(size, step) => size,
            Cut::Tumbling(step) | Cut::Sliding(_, step) => step,
            Cut::Sessions(_) => SECOND,
        }
    }

    // ANCHOR: window_of
    /// The windows that hold `time`, computed without the engine, to check it. Of
    /// sessions it is that of a line that is alone.
    #[must_use]
    pub fn windows_of(self, time: Timestamp) -> Vec<Window> {
        let (size, step) = match self {
            Cut::Tumbling(size) => (millis(size), millis(size)),
            Cut::Sliding(size, step) => (millis(size), millis(step)),
            Cut::Sessions(gap) => (millis(gap), 1),
        };
        let last = time.0 - time.0.rem_euclid(step);
        let starts = (0..).map(|before| last - before * step);
        let starts = starts.take_while(|start| start + size > time.0);
        let window = |start| Window {
            start: Timestamp(start),
            end: Timestamp(start + size),
        };
        match self {
            Cut::Sessions(_) => vec![window(time.0)],
            Cut::Tumbling(_) | Cut::Sliding(..) => starts.map(window).collect(),
        }
    }
    // ANCHOR_END: window_of
}

fn is_multiple(time: Duration, step: Duration) -> bool {
    time.as_millis().is_multiple_of(step.as_millis())
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cut::Tumbling(size) => write!(f, "windows of {size:?}"),
            Cut::Sliding(size, step) => write!(f, "windows of {size:?} every {step:?}"),
            Cut::Sessions(gap) => write!(f, "sessions with gaps of {gap:?}"),
        }
    }
}
