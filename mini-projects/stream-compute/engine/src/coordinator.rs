//! What holds the subtasks of a running job together: it begins checkpoints, and ends the job.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_model::Clock;
use message_model::Moment;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinError;

use crate::checkpoint_dir::{CheckpointDir, aside};
use crate::deploy::Running;
use crate::element::Barrier;
use crate::error::Error;
use crate::operator_id::OperatorId;
use crate::run::Completed;
use crate::sink::Restored;
use crate::snapshot::{Checkpoint, OperatorState};
use crate::task::{Control, Report};

/// What a [`Handle`](crate::Handle) asks for.
#[derive(Debug)]
pub(crate) enum Command {
    Checkpoint(oneshot::Sender<Arc<Checkpoint>>),
    Stop,
}

/// The checkpoints of a job, over all its runs.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    pub(crate) store: Option<CheckpointDir>,
    pub(crate) interval: Option<Duration>,
    pub(crate) key_groups: u16,
    /// The number of the last one that was begun.
    pub(crate) last_id: u64,
    /// The last complete one.
    pub(crate) complete: Option<Arc<Checkpoint>>,
    /// The one that was the last when `complete` began. All that is prepared in it is committed:
    /// else no sink would have prepared anything for the next. `None`: it is not known, or there
    /// must be no going back to it.
    pub(crate) before: Option<Arc<Checkpoint>>,
    /// How many were completed, less those that the job has gone back from.
    pub(crate) count: u64,
    /// Those that want to know of each complete one.
    pub(crate) completed: Option<mpsc::UnboundedSender<Completed>>,
}

impl Checkpoints {
    fn add(&mut self, checkpoint: &Arc<Checkpoint>) {
        let start = || Arc::new(Checkpoint::start(self.key_groups));
        let before = self.complete.replace(Arc::clone(checkpoint));
        self.before = Some(before.unwrap_or_else(start));
        self.count += 1;
    }

    /// The job begins again from the checkpoint before the last one, which must never be taken
    /// again: so its content is stored once more, as the newest. What the sinks had prepared in it
    /// is not, because it is committed, and they may write under the same names by now. Returns
    /// false if there is no such checkpoint.
    pub(crate) async fn go_back(&mut self, sinks: &[OperatorId]) -> Result<bool, Error> {
        let Some(before) = self.before.take() else {
            return Ok(false);
        };
        self.last_id += 1;
        let mut again = Checkpoint {
            id: self.last_id,
            ..Arc::unwrap_or_clone(before)
        };
        again.operators.retain(|name, _| !sinks.contains(name));
        let again = Arc::new(again);
        self.store(&again).await?;
        self.complete = Some(again);
        self.count = self.count.saturating_sub(1);
        Ok(true)
    }

    async fn store(&self, checkpoint: &Arc<Checkpoint>) -> Result<(), Error> {
        let Some(store) = self.store.clone() else {
            return Ok(());
        };
        let stored = Arc::clone(checkpoint);
        aside(move || store.store(&stored)).await
    }
}

/// A checkpoint of which not all subtasks have sent their state.
#[derive(Debug)]
struct Pending {
    barrier: Barrier,
    began: Moment,
    missing: usize,
    operators: BTreeMap<OperatorId, OperatorState>,
    /// Those that asked for it before it began.
    asked: Vec<oneshot::Sender<Arc<Checkpoint>>>,
}

/// How near its end a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Not,
    Wanted,
    Begun,
}

/// One run of a job, from its start to its end or its failure.
pub(crate) struct Coordinator<'a> {
    clock: Clock,
    running: Running,
    checkpoints: &'a mut Checkpoints,
    pending: Option<Pending>,
    /// When the next checkpoint begins.
    next: Option<Moment>,
    /// How many subtasks have not said that they are ready.
    unready: usize,
    /// What has become of what the sinks had prepared.
    restored: Vec<(OperatorId, Restored)>,
    /// How many sources have no more records.
    exhausted: usize,
    ending: Ending,
    /// Those that wait for the next checkpoint that begins.
    waiting: Vec<oneshot::Sender<Arc<Checkpoint>>>,
}

impl<'a> Coordinator<'a> {
    pub(crate) fn new(
        clock: Clock,
        running: Running,
        checkpoints: &'a mut Checkpoints,
    ) -> Coordinator<'a> {
        Coordinator {
            next: checkpoints.interval.map(|wait| clock.now().plus(wait)),
            clock,
            unready: running.controls.len(),
            restored: Vec::new(),
            running,
            checkpoints,
            pending: None,
            exhausted: 0,
            ending: Ending::Not,
            waiting: Vec::new(),
        }
    }

    /// Returns when all subtasks have ended: behind the last barrier, or because one failed.
    pub(crate) async fn run(
        mut self,
        reports: mpsc::UnboundedReceiver<Result<Report, Error>>,
        commands: &mut mpsc::UnboundedReceiver<Command>,
    ) -> Result<(), Error> {
        let ended = self.work(reports, commands).await;
        // The next run must not meet a subtask of this one.
        self.running.tasks.shutdown().await;
        ended
    }

    async fn work(
        &mut self,
        mut reports: mpsc::UnboundedReceiver<Result<Report, Error>>,
        commands: &mut mpsc::UnboundedReceiver<Command>,
    ) -> Result<(), Error> {
        loop {
            self.begin_if_due();
            let due = self
                .next
                .filter(|_| self.may_begin() && self.ending == Ending::Not);
            tokio::select! {
                ended = self.running.tasks.join_next_with_id() => match ended {
                    None => return Ok(()),
                    // Its neighbour has ended before, and says why.
                    Some(Ok((_, Ok(()) | Err(Error::Neighbour)))) => {}
                    Some(Ok((_, Err(error)))) => return Err(error),
                    Some(Err(error)) => return Err(self.panicked(&error)),
                },
                Some(report) = reports.recv() => self.report(report?).await?,
                Some(command) = commands.recv() => match command {
                    Command::Checkpoint(waiting) => self.waiting.push(waiting),
                    Command::Stop => self.want_end(),
                },
                () = self.clock.sleep_until(due.unwrap_or_default()), if due.is_some() => {
                    self.begin(false);
                }
            }
        }
    }

    fn panicked(&self, error: &JoinError) -> Error {
        let mut names = self.running.names.iter();
        let name = names.find(|(id, _)| *id == error.id());
        Error::Panicked(name.map_or_else(|| "a task".into(), |(_, name)| name.clone()))
    }

    /// One checkpoint at a time, and the first one when all subtasks have begun.
    fn may_begin(&self) -> bool {
        self.unready == 0 && self.pending.is_none()
    }

    fn tell_all(&self, control: Control) {
        for line in &self.running.controls {
            // A subtask that has ended says so itself.
            let _ = line.send(control);
        }
    }

    fn want_end(&mut self) {
        if self.ending == Ending::Not {
            self.ending = Ending::Wanted;
        }
    }

    /// Begins a checkpoint that someone or the end of the job waits for.
    fn begin_if_due(&mut self) {
        if !self.may_begin() || self.ending == Ending::Begun {
            return;
        }
        if self.ending == Ending::Wanted {
            self.ending = Ending::Begun;
            self.begin(true);
        } else if !self.waiting.is_empty() {
            self.begin(false);
        }
    }

    fn begin(&mut self, last: bool) {
        self.checkpoints.last_id += 1;
        let barrier = Barrier {
            id: self.checkpoints.last_id,
            last,
        };
        self.pending = Some(Pending {
            barrier,
            began: self.clock.now(),
            missing: self.running.controls.len(),
            operators: BTreeMap::new(),
            asked: std::mem::take(&mut self.waiting),
        });
        for source in &self.running.sources {
            // A subtask that has ended says so itself.
            let _ = self.running.controls[*source].send(Control::Begin(barrier));
        }
    }

    async fn report(&mut self, report: Report) -> Result<(), Error> {
        match report {
            Report::Ready(restored) => {
                self.restored.extend(restored);
                self.unready -= 1;
                if self.unready == 0 {
                    self.check_restored()?;
                    self.tell_all(Control::Start);
                }
            }
            Report::Exhausted => {
                self.exhausted += 1;
                if self.exhausted == self.running.sources.len() {
                    self.want_end();
                }
            }
            Report::State(id, operators) => {
                let Some(pending) = self.pending.as_mut() else {
                    return Ok(());
                };
                assert_eq!(pending.barrier.id, id, "one checkpoint at a time");
                pending.missing -= 1;
                for (operator, state) in operators {
                    pending.operators.entry(operator).or_default().add(state);
                }
                if pending.missing == 0 {
                    self.complete().await?;
                }
            }
        }
        Ok(())
    }

    /// # Errors
    /// When a sink has lost what it had prepared.
    fn check_restored(&mut self) -> Result<(), Error> {
        let mut all = self.restored.iter();
        let Some((lost, _)) = all.find(|(_, restored)| *restored == Restored::Aborted) else {
            return Ok(());
        };
        let mut all = self.restored.iter();
        if all.any(|(_, restored)| *restored == Restored::Committed) {
            // Behind the checkpoint before, it would be written again.
            self.checkpoints.before = None;
        }
        Err(Error::Aborted(lost.clone()))
    }

    // ANCHOR: complete
    /// Stores the checkpoint, and then tells everyone.
    async fn complete(&mut self) -> Result<(), Error> {
        let Some(pending) = self.pending.take() else {
            return Ok(());
        };
        let checkpoint = Arc::new(Checkpoint {
            id: pending.barrier.id,
            key_groups: self.checkpoints.key_groups,
            operators: pending.operators,
        });
        self.checkpoints.store(&checkpoint).await?;
        self.checkpoints.add(&checkpoint);
        if let Some(completed) = &self.checkpoints.completed {
            // The receiver may be gone.
            let _ = completed.send(Completed {
                id: checkpoint.id,
                began: pending.began,
                took: self.clock.now().since(pending.began),
            });
        }
        self.tell_all(Control::Complete(checkpoint.id));
        for asked in pending.asked {
            let _ = asked.send(Arc::clone(&checkpoint));
        }
        let interval = self.checkpoints.interval;
        self.next = interval.map(|wait| self.clock.now().plus(wait));
        Ok(())
    }
    // ANCHOR_END: complete
}
