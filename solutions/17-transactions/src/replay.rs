//! What is open after a crash.

use std::collections::BTreeMap;

use message_model::{Offset, Timestamp};

use crate::words::{End, Op, Open};

/// Collects what the two topics say, and finds the half messages that are open.
///
/// Each topic is read in its order, but nothing is known of the order between the two: an
/// op record may be read before its half message.
///
/// # Invariants
/// - What comes of the records does not depend on how the two topics are interleaved.
/// - An op record may be there twice, and an older one may be repeated behind a newer one.
#[derive(Debug, Clone, Default)]
pub struct Replay {
    known: BTreeMap<Offset, Known>,
    /// Behind the last half message that was read.
    next: Offset,
}

/// What was read about one half message.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    /// The timestamp of its record; `None` while it was not read.
    sent: Option<Timestamp>,
    /// The highest number of a check, and when it was noted for the first time.
    checked: Option<(u32, Timestamp)>,
    /// The first end that was read.
    end: Option<End>,
}

impl Replay {
    /// Returns a replay of nothing.
    #[must_use]
    pub fn new() -> Replay {
        Replay::default()
    }

    /// Takes the next record of the topic of half messages.
    pub fn half(&mut self, half: Offset, sent: Timestamp) {
        // task 17.3: a half message, which may have op records already
        self.known.entry(half).or_default().sent = Some(sent);
        self.next = half.plus(1);
        // end
    }

    /// Takes the next op record; it was written at this time.
    pub fn op(&mut self, half: Offset, written: Timestamp, op: Op) {
        // task 17.3: an op record, whose half message may not have been read
        let known = self.known.entry(half).or_default();
        match op {
            Op::Checked(number) => {
                if known.checked.is_none_or(|(highest, _)| number > highest) {
                    known.checked = Some((number, written));
                }
            }
            Op::Done(end) => {
                known.end.get_or_insert(end);
            }
        }
        // end
    }

    /// Returns the half messages without an end, in order. What was only named by op
    /// records is not among them: its record is not there any more.
    #[must_use]
    pub fn open(&self) -> Vec<(Offset, Open)> {
        // task 17.3: what is open, since when, and how often it was asked about
        let open = |(half, known): (&Offset, &Known)| {
            let sent = known.sent.filter(|_| known.end.is_none())?;
            let (checks, since) = known.checked.unwrap_or((0, sent));
            Some((*half, Open { since, checks }))
        };
        self.known.iter().filter_map(open).collect()
        // end
    }

    /// Returns the half messages that have ended, in order, and how.
    #[must_use]
    pub fn ended(&self) -> Vec<(Offset, End)> {
        let known = self.known.iter();
        let ended = known.filter_map(|(half, known)| Some((*half, known.end?)));
        ended.collect()
    }

    /// Returns the offset behind the last half message that was read.
    #[must_use]
    pub fn next(&self) -> Offset {
        self.next
    }
}
