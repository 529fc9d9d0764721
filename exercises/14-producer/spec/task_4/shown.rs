//! Effects as lines that can be compared at a glance.

use std::fmt::Debug;

use message_model::Moment;
use spec_harness::fail;

use super::super::part::sender::Effect;
use super::super::part::{Batch, BatchId};

/// What a message shows of a value.
pub(super) trait Shown: PartialEq + Debug {
    /// A line for each thing that can be right or wrong by itself.
    fn lines(&self) -> Vec<String>;
}

impl Shown for bool {
    fn lines(&self) -> Vec<String> {
        vec![self.to_string()]
    }
}

impl Shown for Option<Moment> {
    fn lines(&self) -> Vec<String> {
        vec![format!("{self:?}")]
    }
}

impl Shown for Vec<Effect> {
    fn lines(&self) -> Vec<String> {
        match self.is_empty() {
            true => vec!["nothing to do".to_owned()],
            false => self.iter().map(line).collect(),
        }
    }
}

fn line(effect: &Effect) -> String {
    match effect {
        Effect::Send {
            batch,
            slot,
            attempt,
            number,
            deliver_by,
        } => {
            let number = number.map_or("no number".to_owned(), |number| {
                let (epoch, sequence) = (number.identity.epoch.0, number.sequence);
                format!("number {sequence} of epoch {epoch}")
            });
            let (batch, slot) = (name(*batch), slot.0);
            let until = until(*deliver_by);
            format!("send {batch}: attempt {attempt}, {number}, partition {slot}, {until}")
        }
        Effect::Done(batch, outcome) => format!("done: {}: {outcome:?}", described(batch)),
        Effect::Split(whole, [head, tail]) => {
            let (head, tail) = (described(head), described(tail));
            format!("split {} into {head} and {tail}", name(*whole))
        }
        Effect::Renew(None) => "renew: there is no identity yet".to_owned(),
        Effect::Renew(Some(identity)) => format!("renew, behind epoch {}", identity.epoch.0),
    }
}

fn described(batch: &Batch) -> String {
    let Batch {
        id,
        slot,
        records,
        bytes,
        deliver_by,
    } = batch;
    let (id, slot, until) = (name(*id), slot.0, until(*deliver_by));
    format!("{id} (records: {records}, bytes: {bytes}, partition {slot}, {until})")
}

fn until(deliver_by: Moment) -> String {
    format!("until {:?}", deliver_by.since(Moment::START))
}

/// How a history calls a batch.
pub(super) fn name(batch: BatchId) -> String {
    match u64::MAX - batch.0 {
        part if part < 1_000 => format!("part {part}"),
        _ => format!("batch {}", batch.0),
    }
}

/// Checks that `got` is `expected`. A failure marks the lines that differ.
pub(super) fn expect_eq<T: Shown>(what: &str, got: T, expected: T) {
    if got == expected {
        return;
    }
    let (expected_lines, got_lines) = (expected.lines(), got.lines());
    if expected_lines == got_lines {
        fail(what, &format!("{expected:?}"), &format!("{got:?}"));
    }
    fail(
        what,
        &marked(&expected_lines, &got_lines),
        &marked(&got_lines, &expected_lines),
    );
}

fn marked(lines: &[String], others: &[String]) -> String {
    let numbered = lines.iter().enumerate();
    let marked = numbered.map(|(place, line)| match others.get(place) == Some(line) {
        true => format!("  {line}"),
        false => format!("> {line}"),
    });
    marked.collect::<Vec<_>>().join("\n")
}
