//! Any bytes as what one end of a connection sends.
#![no_main]

#[path = "../fuzz_frames.rs"]
mod fuzz_frames;

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz_frames::fuzz_frames(input));
