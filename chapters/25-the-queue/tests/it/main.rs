//! `mqd` as a process: what it says, what it keeps, whom it serves.

mod settings;
mod start_and_stop;
mod support;
