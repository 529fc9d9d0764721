//! The workbook's command line: `cargo workbook`.
//!
//! A *part* is a chapter's small library. `solutions/` holds it worked,
//! `exercises/` holds it with holes, and a spec that both must pass.
//!
//! # Invariants
//! - A learner's text is changed by `reset` and `solve` only, which keep a copy;
//!   `stubs` refuses to overwrite a file that differs from git.
//! - `verify` works in a copy of the workspace and reads no learner's text.
//! - What decides ([`holes`], [`tasks`], [`progress`]) runs no program.
//!
//! Start reading at [`holes`], then [`commands`], one file per subcommand.

pub mod book;
pub mod cargo;
pub mod chapter;
pub mod cli;
pub mod commands;
pub mod demo;
mod entry;
pub mod figures;
pub mod git;
pub mod holes;
pub mod mine;
pub mod mirror;
pub mod mistakes;
pub mod process;
pub mod progress;
pub mod screen;
pub mod spec;
pub mod task_holes;
pub mod tasks;
pub mod tree;
pub mod verdict;
pub mod verify;
