//! Holds your part to the spec.

use client_exercise as part;

#[path = "../spec/mod.rs"]
mod spec;
