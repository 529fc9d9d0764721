//! Where barriers meet.
//!
//! A barrier in a channel says that what is before it belongs to a checkpoint, and what is
//! behind it does not. A task with several channels takes its snapshot when it has read
//! everything before the barrier in all of them, and nothing behind it in any.

/// What a task does when it has read a barrier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Met {
    /// It reads no more from this channel until the barrier has come in the others.
    Wait,
    /// The barrier has come in all channels: it takes its snapshot, and reads from all again.
    Complete,
    /// The checkpoint is complete, or was given up. It reads on.
    Stale,
}

/// The barriers that a task has met in its channels.
#[derive(Debug, Clone)]
pub struct Alignment {
    /// The newest checkpoint of which a barrier has come; 0 before the first one.
    id: u64,
    /// By channel: its barrier of this checkpoint has come, and that of another channel has
    /// not. When the checkpoint is complete, all are `false`.
    blocked: Vec<bool>,
}

impl Alignment {
    /// No barrier has come. Checkpoints are counted from 1.
    #[must_use]
    pub fn new(channels: usize) -> Alignment {
        Alignment {
            id: 0,
            blocked: vec![false; channels],
        }
    }

    /// Whether the task must not read from this channel now.
    #[must_use]
    pub fn is_blocked(&self, channel: usize) -> bool {
        self.blocked[channel]
    }

    /// The barrier of checkpoint `id` came in `channel`, and returns what the task does.
    ///
    /// - The first barrier of a checkpoint that is newer than all before begins its alignment.
    ///   If an older checkpoint still waited for barriers, that one is given up: its channels
    ///   are read again, up to their barriers of the newer one.
    /// - The barrier that was missing completes the checkpoint, and no channel is blocked.
    /// - A barrier of a checkpoint that is complete or was given up changes nothing.
    pub fn barrier(&mut self, channel: usize, id: u64) -> Met {
        // task p1.3: a barrier has come in one of several channels
        todo!("p1.3: a barrier has come in one of several channels")
        // end
    }
}
