//! The part of this chapter: the learner's with `--features mine`, else the solution's.

#[cfg(feature = "mine")]
pub use exercise::*;
#[cfg(not(feature = "mine"))]
pub use solution::*;
