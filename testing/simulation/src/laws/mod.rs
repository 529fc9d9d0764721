//! What must hold of a run.

#[cfg(test)]
mod broken;
mod exchanges;
mod group;
mod history_laws;
mod transforms;

use std::collections::BTreeMap;
use std::fmt;

use crate::record::RunRecord;

/// The groups of the clients.
pub(crate) const GROUPS: [&str; 2] = ["readers", "transforms"];

/// A law that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// What should hold.
    pub law: &'static str,
    /// What is so instead.
    pub about: String,
}

/// What was found at the end.
#[derive(Debug, Default)]
pub(crate) struct Ends {
    /// What each group has committed, by partition of `in`.
    pub(crate) committed: BTreeMap<&'static str, Vec<(i32, i64)>>,
}

impl Violation {
    pub(crate) fn new(law: &'static str, about: String) -> Violation {
        Violation { law, about }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "broken: {}\n{}", self.law, self.about)
    }
}

/// Checks all laws.
///
/// # Errors
/// The first law that does not hold.
pub(crate) fn check(record: &RunRecord, ends: Option<&Ends>) -> Result<(), Violation> {
    if let Some((law, about)) = record.complaints.first() {
        return Err(Violation::new(law, about.clone()));
    }
    exchanges::no_call_after_the_fence(record)?;
    exchanges::each_instance_is_newer(record)?;
    group::generations_only_rise(record)?;
    group::a_partition_has_one_owner(record)?;
    group::nobody_commits_for_an_old_generation(record)?;
    group::offsets_only_rise(record)?;
    history_laws::what_was_read_stays(record)?;
    history_laws::the_history_keeps_every_promise(record)?;
    if let Some(ends) = ends {
        transforms::each_input_has_one_output(record, ends)?;
    }
    Ok(())
}
