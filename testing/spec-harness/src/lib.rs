//! Runs a case of a spec with limits of time and memory, and makes its failure teach.
//!
//! A case is an ordinary `#[test]` whose body is [`case!`]: one sentence that
//! says its goal, and a closure that checks it with [`expect_eq`],
//! [`expect`] or [`expect_bytes`]. The module it stands in, `task_1`,
//! `task_2` …, says which task it belongs to; the folder says which chapter.

mod hex_dump;
mod limits;
mod place;
mod run;
pub mod steps;
mod variant;

pub use hex_dump::expect_bytes;
pub use place::Place;
pub use run::{expect, expect_eq, fail, run, run_within};
pub use variant::variant;

/// Runs a closure as one case of the spec.
///
/// ```ignore
/// #[test]
/// fn an_empty_index_answers_the_start() {
///     case!("An index without entries sends the reader to the segment's start.", || {
///         let index = OffsetIndex::from_bytes(Offset(100), vec![]);
///         expect_eq("lookup(107)", index.lookup(Offset(107)), 0);
///     });
/// }
/// ```
#[macro_export]
macro_rules! case {
    ($goal:expr, $body:expr $(,)?) => {
        $crate::run(
            $crate::Place::new(env!("CARGO_MANIFEST_DIR"), module_path!()),
            $goal,
            $body,
        )
    };
}
