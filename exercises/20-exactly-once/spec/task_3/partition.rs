//! A partition with one producer, as far as transactions look at it.

use std::fmt;

use super::part::{Instance, Outcome};

/// One transaction of one program, as that program counts them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tag {
    pub(super) program: u8,
    pub(super) number: u32,
}

/// What is in its log.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Entry {
    Record(Instance, Tag),
    Marker(Instance, Outcome),
}

/// Its log, and what it knows of the producer.
#[derive(Clone, Default)]
pub(super) struct Partition {
    log: Vec<Entry>,
    /// The newest instance that it has heard of.
    newest: Option<Instance>,
    is_open: bool,
}

impl Partition {
    /// The coordinator says that the partition is in a transaction of `producer`.
    pub(super) fn begin(&mut self, producer: Instance) {
        self.newest = self.newest.max(Some(producer));
        self.is_open = true;
    }

    /// Returns whether a record of `producer` is taken.
    pub(super) fn write(&mut self, producer: Instance, tag: Tag) -> bool {
        let is_taken = self.is_open && Some(producer) >= self.newest;
        if is_taken {
            self.push(Entry::Record(producer, tag));
        }
        is_taken
    }

    /// Returns whether a marker is taken: not if something newer is here.
    pub(super) fn mark(&mut self, producer: Instance, outcome: Outcome) -> bool {
        let is_taken = Some(producer) >= self.newest;
        if is_taken {
            self.push(Entry::Marker(producer, outcome));
        }
        is_taken
    }

    fn push(&mut self, entry: Entry) {
        let (producer, is_open) = match entry {
            Entry::Record(producer, _) => (producer, true),
            Entry::Marker(producer, _) => (producer, false),
        };
        self.newest = Some(producer);
        self.is_open = is_open;
        self.log.push(entry);
    }

    /// What is in memory is what the log says.
    pub(super) fn restart(&mut self) {
        let log = std::mem::take(&mut self.log);
        *self = Partition::default();
        for entry in log {
            self.push(entry);
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.is_open
    }

    /// Returns each transaction, and how it ends.
    pub(super) fn ends(&self) -> Result<Vec<(Tag, Outcome)>, String> {
        let mut open = Vec::new();
        let mut ended = Vec::new();
        for entry in &self.log {
            match entry {
                Entry::Record(_, tag) => open.push(*tag),
                Entry::Marker(_, outcome) => {
                    ended.extend(open.drain(..).map(|tag| (tag, *outcome)));
                }
            }
        }
        match open.first() {
            Some(tag) => Err(format!("{tag} never ends")),
            None => Ok(ended),
        }
    }

    /// Returns how the transaction `tag` ends here, if it has written here: the inner option
    /// says whether it has ended.
    pub(super) fn outcome(&self, tag: Tag) -> Option<Option<Outcome>> {
        let is_of = |entry: &Entry| matches!(entry, Entry::Record(_, other) if *other == tag);
        let last = self.log.iter().rposition(is_of)?;
        let behind = self.log[last..].iter();
        let mut markers = behind.filter_map(|entry| match entry {
            Entry::Marker(_, outcome) => Some(*outcome),
            Entry::Record(..) => None,
        });
        Some(markers.next())
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let program = ["A", "B"][usize::from(self.program)];
        write!(f, "transaction {} of {program}", self.number)
    }
}
