//! `mqd topics`, `mqd produce` and `mqd consume`: for people without Kafka tools.
//!
//! They are clients like any other, over chapter 13's.

use anyhow::{Result, bail};

use crate::command_line::Command;

/// A client's command.
#[derive(Debug)]
pub struct Tool {}

impl Tool {
    /// The command `name` with the rest of the command line; `None` if there is no such command.
    pub(crate) fn parse(name: &str, rest: &mut lexopt::Parser) -> Option<Result<Command>> {
        let _ = (name, rest);
        None
    }
}

/// Does what a client's command says.
///
/// # Errors
/// When it cannot.
pub fn run_tool(tool: Tool) -> Result<()> {
    let _ = tool;
    bail!("not there yet")
}
