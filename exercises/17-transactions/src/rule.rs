//! What a producer's word does to a half message.

use crate::words::{Decision, End, Ruling, Standing};

/// Returns what `decision` does to a half message of this `standing`.
///
/// - The first decision about an open half message ends it, except [`Decision::Unknown`].
/// - A decision that agrees with the end is a repetition: outcomes and answers may come
///   several times.
/// - A decision that disagrees with the end is a [`Ruling::Contradiction`], and every one
///   about what was set aside is [`Ruling::TooLate`]. [`Decision::Unknown`] is neither.
/// - About what is not known any more, or not yet, nothing is done: if it is open, a check
///   will ask again.
#[must_use]
pub fn rule(standing: Standing, decision: Decision) -> Ruling {
    // task 17.2: what a decision does to a half message, whatever became of it before
    todo!("17.2: what a decision does to a half message, whatever became of it before")
    // end
}
