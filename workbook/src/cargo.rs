//! Running cargo from inside a program that cargo runs.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use serde_json::Value;

/// A workspace to build in: the learner's, or a copy of it.
#[derive(Debug, Clone)]
pub struct Cargo {
    root: PathBuf,
    target: Option<PathBuf>,
}

/// What the compiler says while a learner waits, and what cargo says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Talk {
    /// Everything, as cargo says it.
    Progress,
    /// Errors and warnings only.
    Diagnostics,
    /// Nothing; [`Built::messages`] has the diagnostics.
    Nothing,
}

/// What came of a build.
#[derive(Debug)]
pub struct Built {
    /// The programs that were asked for, each with its target's name. Empty if it does not compile.
    pub programs: Vec<(String, PathBuf)>,
    /// Errors and warnings; only with [`Talk::Nothing`].
    pub messages: Vec<Message>,
    /// Whether it compiles.
    pub success: bool,
}

/// An error or a warning of the compiler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The package's folder.
    pub manifest: String,
    /// `error`, `warning`.
    pub level: String,
    /// The lint or error, such as `unused_variables`.
    pub code: String,
    /// As cargo would print it.
    pub text: String,
}

impl Cargo {
    /// Builds in the workspace at `root`, into its usual target folder or into `target`.
    #[must_use]
    pub fn new(root: &Path, target: Option<&Path>) -> Cargo {
        Cargo {
            root: root.to_owned(),
            target: target.map(Path::to_owned),
        }
    }

    /// A cargo command that sees nothing of the cargo that runs us.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(program);
        command.current_dir(&self.root).args(arguments);
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            let ours = [
                "CARGO_PKG_",
                "CARGO_MANIFEST_",
                "CARGO_BIN_",
                "CARGO_CRATE_",
            ];
            if ours.iter().any(|prefix| text.starts_with(prefix)) {
                command.env_remove(&name);
            }
        }
        if let Some(target) = &self.target {
            command.env("CARGO_TARGET_DIR", target);
        }
        command
    }

    /// Builds the test binary `test` of `package`.
    ///
    /// # Errors
    /// When cargo cannot be started. That it does not compile is no error.
    pub fn build_test(&self, package: &str, test: &str, talk: Talk) -> Result<Built> {
        self.build(&["test", "--no-run", "-p", package, "--test", test], talk)
    }

    /// Runs a building subcommand of cargo.
    ///
    /// # Errors
    /// When cargo cannot be started. That it does not compile is no error.
    pub fn build(&self, arguments: &[&str], talk: Talk) -> Result<Built> {
        let mut command = self.command(arguments);
        command.stdout(Stdio::piped()).stdin(Stdio::null());
        match talk {
            Talk::Progress => command.arg("--message-format=json-render-diagnostics"),
            Talk::Diagnostics => command.args(["-q", "--message-format=json-render-diagnostics"]),
            Talk::Nothing => command
                .args(["-q", "--message-format=json"])
                .stderr(Stdio::piped()),
        };
        let output = command
            .spawn()
            .and_then(std::process::Child::wait_with_output)
            .context("running cargo")?;
        let mut built = Built {
            programs: Vec::new(),
            messages: Vec::new(),
            success: output.status.success(),
        };
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            if let Ok(message) = serde_json::from_str(line) {
                built.note(&message);
            }
        }
        if !built.success && built.messages.is_empty() && talk == Talk::Nothing {
            // Cargo itself objects: a manifest, a missing package.
            built.messages.push(Message {
                manifest: String::new(),
                level: "error".to_owned(),
                code: String::new(),
                text: String::from_utf8_lossy(&output.stderr).into_owned(),
            });
        }
        Ok(built)
    }
}

impl Built {
    fn note(&mut self, message: &Value) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        match message["reason"].as_str() {
            Some("compiler-artifact") => {
                if let Some(program) = message["executable"].as_str() {
                    let name = text(&message["target"]["name"]);
                    self.programs.push((name, PathBuf::from(program)));
                }
            }
            Some("compiler-message") => self.messages.push(Message {
                manifest: text(&message["manifest_path"]),
                level: text(&message["message"]["level"]),
                code: text(&message["message"]["code"]["code"]),
                text: text(&message["message"]["rendered"]),
            }),
            _ => {}
        }
    }

    /// The program of the target `name`.
    #[must_use]
    pub fn program(&self, name: &str) -> Option<&Path> {
        let found = self.programs.iter().find(|(target, _)| target == name);
        found.map(|(_, path)| path.as_path())
    }

    /// The compiler's errors, as cargo prints them.
    #[must_use]
    pub fn errors(&self) -> String {
        self.messages
            .iter()
            .filter(|message| message.level == "error")
            .map(|message| message.text.as_str())
            .collect()
    }
}
