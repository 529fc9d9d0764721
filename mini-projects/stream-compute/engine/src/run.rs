//! Running a job: subtasks, their coordinator, and another try when one fails.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_model::Clock;
use message_model::Moment;
use tokio::sync::{mpsc, oneshot};

use crate::checkpoint_dir::{CheckpointDir, aside};
use crate::coordinator::{Checkpoints, Command, Coordinator};
use crate::deploy::{Deployment, Running};
use crate::error::Error;
use crate::job::Job;
use crate::operator_id::OperatorId;
use crate::plan::{KEY_GROUPS, Plan};
use crate::snapshot::Checkpoint;

/// How a job runs.
#[derive(Debug)]
pub struct Settings {
    /// How many subtasks each task has, if its source allows.
    pub parallelism: usize,
    /// Where checkpoints are stored. `None`: in memory, so that only the job itself can go back.
    pub store: Option<CheckpointDir>,
    /// How long it is from the end of a checkpoint to the next one. `None`: only when asked.
    pub interval: Option<Duration>,
    /// Where it begins. `None`: at the beginning.
    pub resume: Option<Checkpoint>,
    /// Where it begins if a sink has [lost](crate::Restored::Aborted) what is prepared in `resume`:
    /// the checkpoint that `resume` has come from, which [`CheckpointDir::before`] returns. `None`:
    /// then it ends.
    pub before: Option<Checkpoint>,
    /// Operators whose state in `resume` is not wanted any more.
    pub drop_state: BTreeSet<OperatorId>,
    /// What happens when a subtask fails.
    pub restart: Restart,
    /// Gets each checkpoint that is complete. The receiver must keep up: nothing is dropped.
    pub completed: Option<mpsc::UnboundedSender<Completed>>,
    /// The clock.
    pub clock: Clock,
}

impl Settings {
    /// One subtask each, no checkpoints but in memory, no restart.
    #[must_use]
    pub fn new(clock: Clock) -> Settings {
        Settings {
            parallelism: 1,
            store: None,
            interval: None,
            resume: None,
            before: None,
            drop_state: BTreeSet::new(),
            restart: Restart::NEVER,
            completed: None,
            clock,
        }
    }
}

/// A checkpoint that is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Completed {
    /// Counted from 1.
    pub id: u64,
    /// When it began: the sources were asked for it.
    pub began: Moment,
    /// From then until it was stored.
    pub took: Duration,
}

/// How often a job that has failed begins again from its last checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restart {
    /// How often without a complete checkpoint between, not counting those that it goes back from
    /// because a sink has lost their records.
    pub attempts: u32,
    /// How long it waits before the first time. The wait doubles each time.
    pub backoff: Duration,
    /// The longest wait.
    pub backoff_max: Duration,
}

impl Restart {
    /// A failure ends the job.
    pub const NEVER: Restart = Restart {
        attempts: 0,
        backoff: Duration::ZERO,
        backoff_max: Duration::ZERO,
    };
}

/// What became of a job that has ended as it should.
#[derive(Debug, Clone)]
pub struct Summary {
    /// Its last checkpoint.
    pub checkpoint: Option<Arc<Checkpoint>>,
    /// How often it has begun again.
    pub restarts: u32,
}

/// Asks a running job for something.
#[derive(Debug, Clone)]
pub struct Handle {
    commands: mpsc::UnboundedSender<Command>,
}

/// What a job is asked for.
#[derive(Debug)]
pub struct Requests {
    commands: mpsc::UnboundedReceiver<Command>,
}

impl Handle {
    /// A handle, and what the job gets of it.
    #[must_use]
    pub fn new() -> (Handle, Requests) {
        let (sender, commands) = mpsc::unbounded_channel();
        let handle = Handle { commands: sender };
        (handle, Requests { commands })
    }

    /// Takes a checkpoint that begins after this call; returns it when it is complete, and
    /// `None` if the job ends or fails before. Written to a file it is a savepoint.
    pub async fn checkpoint(&self) -> Option<Arc<Checkpoint>> {
        let (waiting, complete) = oneshot::channel();
        self.commands.send(Command::Checkpoint(waiting)).ok()?;
        complete.await.ok()
    }

    /// Ends the job with a checkpoint. Windows that are open stay in it.
    pub fn stop(&self) {
        // A job that has ended is stopped.
        let _ = self.commands.send(Command::Stop);
    }
}

impl Job {
    /// Runs the job: until its sources have no more records and everything is written, or until
    /// the handle stops it. A dropped future is a killed job.
    ///
    /// # Errors
    /// Why it cannot begin; why it failed once more than it may begin again; or
    /// [`Error::Aborted`].
    pub async fn run(&self, settings: Settings, mut requests: Requests) -> Result<Summary, Error> {
        let plan = self.plan(settings.parallelism)?;
        let mut checkpoints = begin(&plan, &settings).await?;
        let mut restarts = 0;
        let (mut failures, mut failed_behind) = (0, 0);
        loop {
            let ended = self.run_once(&plan, settings.clock, (&mut checkpoints, &mut requests));
            let Err(error) = ended.await else {
                return Ok(Summary {
                    checkpoint: checkpoints.complete,
                    restarts,
                });
            };
            if let Error::Aborted(_) = error {
                if !checkpoints.go_back(&plan.sinks).await? {
                    return Err(error);
                }
                restarts += 1;
                continue;
            }
            if checkpoints.count > failed_behind {
                (failures, failed_behind) = (0, checkpoints.count);
            }
            let Restart {
                attempts,
                backoff,
                backoff_max,
            } = settings.restart;
            if failures >= attempts {
                return Err(error);
            }
            let wait = backoff
                .saturating_mul(1 << failures.min(31))
                .min(backoff_max);
            let clock = settings.clock;
            clock.sleep_until(clock.now().plus(wait)).await;
            failures += 1;
            restarts += 1;
        }
    }

    /// Runs the job from its last checkpoint until it ends or fails.
    async fn run_once(
        &self,
        plan: &Plan,
        clock: Clock,
        (checkpoints, requests): (&mut Checkpoints, &mut Requests),
    ) -> Result<(), Error> {
        let (reports, reported) = mpsc::unbounded_channel();
        let resume = checkpoints.complete.clone();
        let mut deployment = Deployment {
            parallelism: &plan.parallelism(),
            senders: &plan.senders,
            key_groups: checkpoints.key_groups,
            checkpoint: resume.as_deref(),
            clock,
            reports,
            running: Running::default(),
        };
        {
            let definition = self.definition();
            for task in &plan.receivers_first {
                let node = &definition.tasks[*task];
                node.parts.start(&mut deployment, *task)?;
            }
        }
        let running = deployment.running;
        let coordinator = Coordinator::new(clock, running, checkpoints);
        coordinator.run(reported, &mut requests.commands).await
    }
}

/// The checkpoints of a job that begins.
async fn begin(plan: &Plan, settings: &Settings) -> Result<Checkpoints, Error> {
    let fitting = |checkpoint: Checkpoint| fitting(checkpoint, plan, settings).map(Arc::new);
    let resume = settings.resume.clone().map(fitting).transpose()?;
    // It is needed if a sink has lost something. A job that can go on may do without.
    let before = settings.before.clone().and_then(|one| fitting(one).ok());
    let stored = match settings.store.clone() {
        Some(store) => aside(move || store.ids()).await?,
        None => Vec::new(),
    };
    let resumed = resume.as_ref().map(|resume| resume.id);
    Ok(Checkpoints {
        store: settings.store.clone(),
        interval: settings.interval,
        key_groups: resume
            .as_ref()
            .map_or(KEY_GROUPS, |resume| resume.key_groups),
        last_id: stored.into_iter().chain(resumed).max().unwrap_or(0),
        count: u64::from(resume.is_some()),
        complete: resume,
        before,
        completed: settings.completed.clone(),
    })
}

/// The checkpoint without the state that is not wanted any more.
fn fitting(
    mut checkpoint: Checkpoint,
    plan: &Plan,
    settings: &Settings,
) -> Result<Checkpoint, Error> {
    let dropped = &settings.drop_state;
    checkpoint
        .operators
        .retain(|name, _| !dropped.contains(name));
    let known: BTreeSet<&OperatorId> = plan.operators().collect();
    let mut names = checkpoint.operators.keys();
    match names.find(|name| !known.contains(name)) {
        Some(name) => Err(Error::StateOfNobody(name.clone())),
        None => Ok(checkpoint),
    }
}
