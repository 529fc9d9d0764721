//! The subcommands, one file each.

pub mod book;
pub mod check;
pub mod diff;
pub mod hint;
mod ladder;
pub mod map;
pub mod reset;
pub mod serve;
pub mod stubs;
pub mod watch;
