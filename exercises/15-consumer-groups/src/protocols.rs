//! Which assignment protocol a generation uses.

use std::collections::{BTreeMap, BTreeSet};

/// Returns the protocol that the members agree on; `None` if there is none that all of
/// them know, or if there are no members.
///
/// `members` are the names that each member knows, the preferred one first; a name may be
/// repeated. Only a protocol that every member knows is a candidate. Each member votes for
/// the first candidate in its list. The candidate with the most votes wins, and of several
/// the first one in the order of names, so that the order of the members does not matter.
/// A member may know many names, so the cost is n log n of all names together.
#[must_use]
pub fn select_protocol<'a>(members: &[Vec<&'a str>]) -> Option<&'a str> {
    // task 15.1: the protocol that all members know and that most of them prefer
    todo!("15.1: the protocol that all members know and that most of them prefer")
    // end
}
