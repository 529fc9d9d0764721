//! The part of this case study: the solution, or with the feature `mine` the learner's.

#[cfg(feature = "mine")]
pub use exercise::*;
#[cfg(not(feature = "mine"))]
pub use solution::*;
