//! What can happen in a world.

use super::super::part::Rules;

/// What happens in a world, and how often at most.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Scenario {
    pub(super) rules: Rules,
    /// Whether the broker checks the numbers.
    pub(super) checks: bool,
    /// Whether the log must have each record once at most, in the order of sending.
    pub(super) ordered: bool,
    /// How many records each batch has.
    pub(super) batches: Vec<u32>,
    /// When the first batch expires, in milliseconds, each other one ten later; `None`:
    /// the clock does not go that far.
    pub(super) deliver_by: Option<u64>,
    /// How often time passes although an answer is on its way: then it is a slow one.
    pub(super) waits: u32,
    /// How often an answer does not come. Its request may still be on its way.
    pub(super) losses: u32,
    /// How often the network makes a copy of a request.
    pub(super) copies: u32,
    /// How often the broker says "not now".
    pub(super) not_now: u32,
    /// The batch that the broker refuses.
    pub(super) refused: Option<u64>,
    /// The most records that the broker takes in a batch.
    pub(super) records_max: u32,
}
