//! The part of this chapter: the solution, or with the feature `mine` the learner's.

#[cfg(feature = "mine")]
pub use exercise::*;
#[cfg(not(feature = "mine"))]
pub use solution::*;
