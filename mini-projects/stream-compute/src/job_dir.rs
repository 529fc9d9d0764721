//! The directory of a job: its checkpoints, and what it counts how.

use std::fs::{self, File};
use std::io::{self, Write};
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
    /// The most subtasks that a run has had, this one too.
    pub(crate) subtasks: usize,
    /// Whether the job has begun before.
    pub(crate) has_begun: bool,
    path: Option<PathBuf>,
    about: String,
}

impl JobDir {
    /// Opens the directory, if the job has one.
    ///
    /// # Errors
    /// When the directory is that of another job, or that of one that runs.
    pub(crate) fn open(settings: &Settings) -> Result<JobDir, Error> {
        let mut job = JobDir {
            checkpoints: None,
            resume: None,
            subtasks: settings.parallelism,
            has_begun: false,
            path: None,
            about: about(settings),
        };
        let Some(path) = &settings.checkpoint_dir else {
            return Ok(job);
        };
        let checkpoints = CheckpointDir::open(path)?;
        job.resume = checkpoints.newest()?;
        job.checkpoints = Some(checkpoints);
        let path = path.join(FILE);
        let unknown = || ("another program".to_owned(), 1);
        let noted = read(&path)?.or_else(|| job.resume.as_ref().map(|_| unknown()));
        if let Some((found, subtasks)) = noted {
            if found != job.about {
                let wanted = job.about;
                return Err(Error::OtherJob {
                    path,
                    found,
                    wanted,
                });
            }
            job.has_begun = true;
            job.subtasks = job.subtasks.max(subtasks);
        }
        job.path = Some(path);
        Ok(job)
    }

    /// Notes that the job begins: its topics are no longer empty, and are its own.
    pub(crate) fn begin(&self) -> Result<(), Error> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        let text = format!("{}\nsubtasks {}\n", self.about, self.subtasks);
        replace(path, &text).map_err(|error| input(path, error))
    }
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

fn read(path: &Path) -> Result<Option<(String, usize)>, Error> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        text => text.map_err(|error| input(path, error))?,
    };
    let (about, rest) = text.split_once('\n').unwrap_or((&text, ""));
    let subtasks = rest.trim().strip_prefix("subtasks ");
    let subtasks = subtasks.and_then(|number| number.parse().ok()).unwrap_or(1);
    Ok(Some((about.to_owned(), subtasks)))
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    let aside = path.with_extension("tmp");
    let mut written = File::create(&aside)?;
    written.write_all(text.as_bytes())?;
    written.sync_all()?;
    fs::rename(&aside, path)
}

fn input(path: &Path, source: io::Error) -> Error {
    Error::Input {
        path: path.to_owned(),
        source,
    }
}
