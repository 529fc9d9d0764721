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
    let mut knowing: BTreeMap<&str, usize> = BTreeMap::new();
    for names in members {
        for name in names.iter().copied().collect::<BTreeSet<_>>() {
            *knowing.entry(name).or_default() += 1;
        }
    }
    let mut votes: BTreeMap<&str, usize> = BTreeMap::new();
    for names in members {
        let choice = names.iter().find(|name| knowing[**name] == members.len())?;
        *votes.entry(choice).or_default() += 1;
    }
    let most = votes.values().copied().max()?;
    votes
        .into_iter()
        .find_map(|(name, count)| (count == most).then_some(name))
    // end
}
