//! Looking over the built book. Start reading at [`broken_links`].

mod html;
mod links;

pub use links::{Broken, broken_links};
