//! The directory of a job: its checkpoints, and what it counts how.

use std::io;
use std::path::{Path, PathBuf};

use stream_engine::{Checkpoint, CheckpointDir};

use crate::error::Error;
use crate::settings::Settings;

/// The file that says of which job the checkpoints are: a line about the job, and a line with
/// the most subtasks that a run of it has had.
const FILE: &str = "job";

/// What is known of earlier runs of a job. No other process runs the job while this is there.
#[derive(Debug)]
pub(crate) struct JobDir {
    pub(crate) checkpoints: Option<CheckpointDir>,
    /// Where the job goes on. `None`: at the start.
    pub(crate) resume: Option<Checkpoint>,
    /// Where it goes on if the queue has aborted what `resume` says is prepared.
    pub(crate) before: Option<Checkpoint>,
    /// The most subtasks that a run has had, this one too.
    pub(crate) subtasks: usize,
    /// Whether the job has begun before: then its topics need not be empty.
    pub(crate) has_begun: bool,
    about: String,
}

impl JobDir {
    /// Opens the directory, if the job has one.
    ///
    /// # Errors
    /// When the directory is that of another job, or that of one that runs.
    pub(crate) async fn open(settings: &Settings) -> Result<JobDir, Error> {
        let settings = settings.clone();
        aside(move || JobDir::look(&settings)).await
    }

    fn look(settings: &Settings) -> Result<JobDir, Error> {
        let mut job = JobDir {
            checkpoints: None,
            resume: None,
            before: None,
            subtasks: settings.parallelism,
            has_begun: false,
            about: about(settings),
        };
        let Some(path) = &settings.checkpoint_dir else {
            return Ok(job);
        };
        let checkpoints = CheckpointDir::open(path)?;
        job.resume = checkpoints.newest().map_err(not_whole)?;
        // It is hardly ever needed, so a job begins without one that cannot be read.
        let before = |resume| checkpoints.before(resume).ok().flatten();
        job.before = job.resume.as_ref().and_then(before);
        let unknown = || ("another program".to_owned(), 1);
        let noted = checkpoints.noted(FILE)?.map(|text| read(&text));
        let noted = noted.or_else(|| job.resume.as_ref().map(|_| unknown()));
        job.checkpoints = Some(checkpoints);
        if let Some((found, subtasks)) = noted {
            if found != job.about {
                let (path, wanted) = (PathBuf::from(path).join(FILE), job.about);
                return Err(Error::OtherJob {
                    path,
                    found,
                    wanted,
                });
            }
            job.has_begun = true;
            job.subtasks = job.subtasks.max(subtasks);
        }
        if settings.must_resume && !job.has_begun {
            let begin = "no job has begun there: leave --resume out to begin one";
            return Err(Error::Input {
                path: path.clone(),
                source: io::Error::new(io::ErrorKind::NotFound, begin),
            });
        }
        Ok(job)
    }

    /// Notes that the job begins: its topics are no longer empty, and are its own.
    pub(crate) async fn begin(&self) -> Result<(), Error> {
        let Some(checkpoints) = self.checkpoints.clone() else {
            return Ok(());
        };
        let text = format!("{}\nsubtasks {}\n", self.about, self.subtasks);
        aside(move || Ok(checkpoints.note(FILE, text.as_bytes())?)).await
    }
}

fn not_whole(error: stream_engine::Error) -> Error {
    match error {
        stream_engine::Error::Damaged(file) => Error::Damaged(file),
        error => Error::Job(error),
    }
}

/// Returns whether there is anything of a job in this directory. Creates nothing. What an object
/// store has is seen when the job begins, so it is taken for a job's.
#[must_use]
pub fn has_job(dir: &Path) -> bool {
    let is_store = dir.to_str().is_some_and(|text| text.contains("://"));
    let mut names = std::fs::read_dir(dir).into_iter().flatten().flatten();
    is_store
        || names.any(|entry| {
            let name = entry.file_name();
            name == FILE || name.to_string_lossy().starts_with("checkpoint-")
        })
}

/// Returns what `work` returns, which waits for a disk or an object store: on another thread.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

/// What must be the same for a checkpoint to fit.
fn about(settings: &Settings) -> String {
    let Settings {
        topic,
        out,
        windows,
        ..
    } = settings;
    let mut about = format!(
        "lines in {topic}, rows in {out}, {windows}, out of order by {:?}",
        settings.out_of_order
    );
    if !settings.lateness.is_zero() {
        about += &format!(", lateness {:?}", settings.lateness);
    }
    if let Some(top) = settings.top {
        about += &format!(", top {top}");
    }
    about
}

/// What the job is about, and its number of subtasks.
fn read(text: &[u8]) -> (String, usize) {
    let text = String::from_utf8_lossy(text);
    let (about, rest) = text.split_once('\n').unwrap_or((&text, ""));
    let subtasks = rest.trim().strip_prefix("subtasks ");
    let subtasks = subtasks.and_then(|number| number.parse().ok()).unwrap_or(1);
    (about.to_owned(), subtasks)
}
