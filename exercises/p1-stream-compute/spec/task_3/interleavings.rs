//! Every order in which a task may read a few channels.

use spec_harness::{case, fail};

use super::part::{Alignment, Met};

/// What is in a channel: the ids of its barriers, with one record before each.
#[derive(Clone, Copy)]
struct Channel<'a>(&'a [u64]);

impl Channel<'_> {
    fn len(self) -> usize {
        self.0.len() * 2
    }

    /// The barrier at a place; `None`: a record.
    fn barrier(self, at: usize) -> Option<u64> {
        (at % 2 == 1).then(|| self.0[at / 2])
    }

    /// How many records are before a barrier.
    fn before(self, id: u64) -> usize {
        self.0.iter().take_while(|other| **other < id).count() + 1
    }
}

/// A task that reads its channels in some order.
#[derive(Clone)]
struct Task<'a> {
    channels: &'a [Channel<'a>],
    alignment: Alignment,
    /// How much was read of each channel.
    read: Vec<usize>,
    complete: Vec<u64>,
    /// What was read: the channel, and the barrier.
    story: Vec<(usize, Option<u64>)>,
}

impl Task<'_> {
    fn story(&self) -> String {
        let mut lines = String::new();
        for (number, channel) in self.channels.iter().enumerate() {
            lines += &format!(
                "\n               channel {number} has the barriers {:?}",
                channel.0
            );
        }
        let mut steps = Vec::new();
        for (channel, barrier) in &self.story {
            steps.push(match barrier {
                None => format!("a record of {channel}"),
                Some(id) => format!("barrier {id} of {channel}"),
            });
        }
        format!("{lines}\n               it reads {}", steps.join(", "))
    }

    /// The barriers that were read of a channel.
    fn barriers(&self, channel: usize) -> &[u64] {
        &self.channels[channel].0[..self.read[channel] / 2]
    }

    /// Reads one element.
    fn step(&mut self, channel: usize) {
        let barrier = self.channels[channel].barrier(self.read[channel]);
        let seen = (0..self.channels.len()).flat_map(|channel| self.barriers(channel));
        let newest = seen.max().copied().unwrap_or(0);
        self.read[channel] += 1;
        self.story.push((channel, barrier));
        if let Some(id) = barrier {
            let all = 0..self.channels.len();
            let is_last = all
                .clone()
                .all(|channel| self.barriers(channel).contains(&id));
            let expected = match (id < newest, is_last) {
                (true, _) => Met::Stale,
                (false, false) => Met::Wait,
                (false, true) => Met::Complete,
            };
            let got = self.alignment.barrier(channel, id);
            if got != expected {
                let what = format!("the last barrier:{}", self.story());
                fail(&what, &format!("{expected:?}"), &format!("{got:?}"));
            }
            if got == Met::Complete {
                self.snapshot(id);
            }
        }
        self.blocked();
    }

    /// What was read belongs to the snapshot.
    fn snapshot(&mut self, id: u64) {
        let records = self.read.iter().map(|read| read.div_ceil(2));
        let before = self.channels.iter().map(|channel| channel.before(id));
        let (records, before): (Vec<_>, Vec<_>) = (records.collect(), before.collect());
        if records != before {
            let what = format!(
                "the records of each channel in snapshot {id}:{}",
                self.story()
            );
            fail(&what, &format!("{before:?}"), &format!("{records:?}"));
        }
        self.complete.push(id);
    }

    /// Checks which channels are blocked now.
    fn blocked(&self) {
        let all = 0..self.channels.len();
        let newest = all
            .clone()
            .filter_map(|channel| self.barriers(channel).last())
            .max();
        let has = |channel: &usize| newest.is_some() && self.barriers(*channel).last() == newest;
        let waits = !all.clone().all(|channel| has(&channel));
        let expected: Vec<_> = all
            .clone()
            .filter(|channel| waits && has(channel))
            .collect();
        let got: Vec<_> = all
            .filter(|channel| self.alignment.is_blocked(*channel))
            .collect();
        if got != expected {
            let what = format!("the channels that are blocked:{}", self.story());
            fail(&what, &format!("{expected:?}"), &format!("{got:?}"));
        }
    }

    /// Reads on in every order.
    fn every_order(&self) {
        let channels = 0..self.channels.len();
        let open = channels.filter(|channel| {
            let has_more = self.read[*channel] < self.channels[*channel].len();
            has_more && !self.alignment.is_blocked(*channel)
        });
        let mut is_at_the_end = true;
        for channel in open {
            is_at_the_end = false;
            let mut next = self.clone();
            next.step(channel);
            next.every_order();
        }
        if is_at_the_end {
            self.end();
        }
    }

    /// Nothing can be read any more: the checkpoints whose barriers are in all channels are
    /// complete, and no others.
    fn end(&self) {
        let first = self.channels[0].0.iter().copied();
        let expected: Vec<_> = first
            .filter(|id| self.channels.iter().all(|channel| channel.0.contains(id)))
            .collect();
        if self.complete != expected {
            let what = format!("the snapshots that were taken:{}", self.story());
            fail(
                &what,
                &format!("{expected:?}"),
                &format!("{:?}", self.complete),
            );
        }
    }
}

fn try_every_order(channels: &[Channel<'_>]) {
    let task = Task {
        channels,
        alignment: Alignment::new(channels.len()),
        read: vec![0; channels.len()],
        complete: Vec::new(),
        story: Vec::new(),
    };
    task.every_order();
}

#[test]
fn two_channels_in_every_order() {
    case!(
        "Two channels, whatever is left out in them: a snapshot has what is before its barriers.",
        || {
            let some: [&[u64]; 8] = [&[], &[1], &[2], &[3], &[1, 2], &[1, 3], &[2, 3], &[1, 2, 3]];
            for one in some {
                for other in some {
                    try_every_order(&[Channel(one), Channel(other)]);
                }
            }
        }
    );
}

#[test]
fn three_channels_in_every_order() {
    case!(
        "Three channels, whatever is left out in them: a snapshot has what is before its barriers.",
        || {
            let some: [&[u64]; 4] = [&[1], &[2], &[1, 2], &[]];
            for one in some {
                for two in some {
                    for three in some {
                        try_every_order(&[Channel(one), Channel(two), Channel(three)]);
                    }
                }
            }
        }
    );
}
