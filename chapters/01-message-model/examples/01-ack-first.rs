//! A consumer is killed in the middle. What is lost, and what is done twice,
//! depends on when it acks and on what it commits. 1,000 messages, no real time.

use std::collections::{BTreeMap, VecDeque};

use message_model::{AckWindow, Offset};

const END: i64 = 1000;
/// The consumer dies after so many messages are done.
const KILLED_AFTER: usize = 400;
/// Workers, where several share the partition.
const WORKERS: usize = 8;

fn main() {
    println!(
        "{END} messages; the consumer is killed after {KILLED_AFTER} are done, and starts again.\n"
    );
    println!("{:<44}{:>6}{:>13}", "", "lost", "done twice");
    show("ack, put into memory, work", run(AckFirst::default()));
    show("work, then ack", run(OneByOne::default()));
    show(
        "8 workers, commit the highest that is done",
        run(Workers::new(Commit::Highest)),
    );
    show(
        "8 workers, commit how many are done",
        run(Workers::new(Commit::Count)),
    );
    show(
        "8 workers, commit the frontier",
        run(Workers::new(Commit::Frontier)),
    );
}

/// A consumer, from a start to its death or to the end of the partition.
trait Consumer {
    /// Works on one message, and says which one is done. `committed` outlives the consumer.
    fn step(&mut self, committed: &mut Offset) -> Option<Offset>;
    /// A new process: what was in memory is gone.
    fn restart(&mut self, committed: Offset);
}

/// How often each message was done.
fn run(mut consumer: impl Consumer) -> BTreeMap<Offset, u32> {
    let mut done: BTreeMap<Offset, u32> = (0..END).map(|offset| (Offset(offset), 0)).collect();
    let mut committed = Offset::ZERO;
    for life in [KILLED_AFTER, usize::MAX] {
        consumer.restart(committed);
        for _ in 0..life {
            let Some(offset) = consumer.step(&mut committed) else {
                break;
            };
            *done.entry(offset).or_default() += 1;
        }
    }
    done
}

fn show(name: &str, done: BTreeMap<Offset, u32>) {
    let lost = done.values().filter(|times| **times == 0).count();
    let twice = done.values().filter(|times| **times > 1).count();
    println!("{name:<44}{lost:>6}{twice:>13}");
}

/// Takes what comes into memory and acks it at once: the queue looks empty, and all is well.
#[derive(Default)]
struct AckFirst {
    memory: VecDeque<Offset>,
}

impl Consumer for AckFirst {
    fn step(&mut self, committed: &mut Offset) -> Option<Offset> {
        // Taking in is five times as fast as working.
        for _ in 0..5 {
            if committed.0 < END {
                self.memory.push_back(*committed);
                *committed = committed.plus(1);
            }
        }
        self.memory.pop_front()
    }

    fn restart(&mut self, _: Offset) {
        self.memory.clear();
    }
}

/// Commits behind each message that is done; the kill comes between the two.
#[derive(Default)]
struct OneByOne {
    /// What was done last: it is committed with the next step.
    before: Option<Offset>,
    next: Offset,
}

impl Consumer for OneByOne {
    fn step(&mut self, committed: &mut Offset) -> Option<Offset> {
        if let Some(before) = self.before {
            *committed = before.plus(1);
        }
        let offset = self.next;
        self.next = offset.plus(1);
        self.before = (offset.0 < END).then_some(offset);
        self.before
    }

    fn restart(&mut self, committed: Offset) {
        self.next = committed;
        self.before = None;
    }
}

enum Commit {
    Highest,
    Count,
    Frontier,
}

/// Some messages are in hand at a time; they are done in another order than they came.
struct Workers {
    commit: Commit,
    window: AckWindow,
    next: Offset,
    in_hand: VecDeque<Offset>,
    steps: usize,
}

impl Workers {
    fn new(commit: Commit) -> Workers {
        Workers {
            commit,
            window: AckWindow::new(Offset::ZERO, 0),
            next: Offset::ZERO,
            in_hand: VecDeque::new(),
            steps: 0,
        }
    }
}

impl Consumer for Workers {
    fn step(&mut self, committed: &mut Offset) -> Option<Offset> {
        while self.in_hand.len() < WORKERS && self.next.0 < END && self.window.hand_out(self.next) {
            self.in_hand.push_back(self.next);
            self.next = self.next.plus(1);
        }
        // Some message takes longer than others: not the oldest one is done next.
        self.steps += 1;
        let which = self.steps * 5 % self.in_hand.len().max(1);
        let offset = self.in_hand.remove(which)?;
        let frontier = self.window.ack(offset);
        match self.commit {
            Commit::Highest => *committed = (*committed).max(offset.plus(1)),
            Commit::Count => *committed = committed.plus(1),
            Commit::Frontier => *committed = frontier.unwrap_or(*committed),
        }
        Some(offset)
    }

    fn restart(&mut self, committed: Offset) {
        self.window = AckWindow::new(committed, 100);
        self.next = committed;
        self.in_hand.clear();
    }
}
