//! The workbook's command line, and what must hold for the whole tree.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod check;
mod cli;
mod demo;
mod figures;
mod fixture;
mod holes;
mod imports;
mod kept;
mod links;
mod mirror;
mod mistakes;
mod pages;
mod players;
mod progress;
mod runs;
mod screen;
mod script;
mod spec;
mod stubs;
mod tasks;
mod tidy;
mod variants;
