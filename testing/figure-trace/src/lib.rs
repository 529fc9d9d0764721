//! What the traces of the book's moving figures have in common. What a trace is says
//! `book/theme/player.js`.

mod bytes;
mod fresh;
mod states;

pub use bytes::{Field, bytes_and_fields, hex};
pub use fresh::assert_fresh;
pub use states::{States, Story};
