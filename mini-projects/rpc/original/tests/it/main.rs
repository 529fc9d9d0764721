//! Tests of the original's frame, through the public API.

// So that clippy knows the helpers as tests, too.
#![cfg(test)]

mod ends;
mod frames;
