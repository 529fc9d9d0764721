//! The check, on small histories with one thing wrong, and on large ones out of a model.

mod correct;
mod kinds;
mod lines;
mod model;
mod planted;
mod small;
