//! Random histories, and the shortest story of a difference to a model.

use std::fmt::{Debug, Display};

use crate::fail;

/// What differs from the model.
#[derive(Debug)]
pub struct Difference {
    what: String,
    expected: String,
    got: String,
}

/// The difference between two values, if there is any.
#[must_use]
pub fn differ<T: Debug + PartialEq>(what: &str, got: T, expected: T) -> Option<Difference> {
    (got != expected).then(|| Difference {
        what: what.to_owned(),
        expected: format!("{expected:?}"),
        got: format!("{got:?}"),
    })
}

/// As [`differ`], if more than one value would be right: `expected` says which.
#[must_use]
pub fn breach(holds: bool, what: &str, got: &dyn Debug, expected: &str) -> Option<Difference> {
    (!holds).then(|| Difference {
        what: what.to_owned(),
        expected: expected.to_owned(),
        got: format!("{got:?}"),
    })
}

/// Something beside its model, both of which go through the same steps.
pub trait Both {
    /// How a step is printed is how the story tells it.
    type Step: Clone + Display;

    /// Plays one step. Returns what differs then.
    fn step(&mut self, step: &Self::Step) -> Option<Difference>;
}

/// Plays the steps until something differs. Returns how many were played then.
fn play<B: Both>(mut both: B, steps: &[B::Step]) -> Option<(usize, Difference)> {
    let mut played = 0;
    steps.iter().find_map(|step| {
        played += 1;
        let difference = both.step(step)?;
        Some((played, difference))
    })
}

/// Checks that nothing differs from the model. If something does, the story has no step
/// without which nothing would. A step about what is not there (any more) does nothing.
/// The story begins with `start`, which says what `new` makes.
///
/// # Panics
/// When something differs.
pub fn check<B: Both>(start: Option<&str>, new: impl Fn() -> B, mut steps: Vec<B::Step>) {
    let Some((mut played, mut found)) = play(new(), &steps) else {
        return;
    };
    steps.truncate(played);
    let mut at = steps.len();
    while at > 0 {
        at -= 1;
        let mut fewer = steps.clone();
        fewer.remove(at);
        if let Some(shorter) = play(new(), &fewer) {
            (played, found) = shorter;
            steps = fewer;
            steps.truncate(played);
            at = steps.len();
        }
    }
    let story: String = start
        .map(str::to_owned)
        .into_iter()
        .chain(steps.iter().map(ToString::to_string))
        .map(|line| format!("\n               {line}"))
        .collect();
    let what = format!("{}, after:{story}", found.what);
    fail(&what, &found.expected, &found.got);
}
