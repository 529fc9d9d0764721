//! Any bytes as a request.
#![no_main]

#[path = "../fuzz_request.rs"]
mod fuzz_request;

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz_request::fuzz_request(input));
