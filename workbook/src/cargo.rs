//! Running cargo from inside a program that cargo runs.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use serde_json::Value;

/// A workspace to build in: the learner's, or a copy of it.
#[derive(Debug, Clone)]
pub struct Cargo {
    root: PathBuf,
    variables: Vec<(String, OsString)>,
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
    /// The programs that were asked for and compile.
    pub programs: Vec<Program>,
    /// Errors and warnings; only with [`Talk::Nothing`].
    pub messages: Vec<Message>,
    /// Whether it compiles.
    pub success: bool,
}

/// A program, or a test binary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The package's `Cargo.toml`.
    pub manifest: PathBuf,
    /// Whether it runs tests.
    pub is_test: bool,
    /// The name of its target.
    pub target: String,
    /// Where it is.
    pub path: PathBuf,
}

/// An error or a warning of the compiler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The package's `Cargo.toml`.
    pub manifest: PathBuf,
    /// `error`, `warning`.
    pub level: String,
    /// The lint or error, such as `unused_variables`.
    pub code: String,
    /// The files and lines that it is about, the most important first.
    pub places: Vec<(String, usize)>,
    /// As cargo would print it.
    pub text: String,
}

impl Cargo {
    /// Builds in the workspace at `root`.
    #[must_use]
    pub fn new(root: &Path) -> Cargo {
        Cargo {
            root: root.to_owned(),
            variables: Vec::new(),
        }
    }

    /// With a variable of the environment besides.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<OsString>) -> Cargo {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    /// A cargo command that sees nothing of the cargo that runs us.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = self.program(Path::new(&cargo));
        command.args(arguments);
        let variables = self.variables.iter();
        command.envs(variables.map(|(name, value)| (name, value)));
        command
    }

    /// A program that sees nothing of the cargo that runs us.
    #[must_use]
    pub fn program(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
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
                manifest: PathBuf::new(),
                level: "error".to_owned(),
                code: String::new(),
                places: Vec::new(),
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
                    self.programs.push(Program {
                        manifest: text(&message["manifest_path"]).into(),
                        is_test: message["profile"]["test"] == true,
                        target: text(&message["target"]["name"]),
                        path: program.into(),
                    });
                }
            }
            Some("compiler-message") => self.messages.push(Message {
                manifest: text(&message["manifest_path"]).into(),
                level: text(&message["message"]["level"]),
                code: text(&message["message"]["code"]["code"]),
                places: places(&message["message"]),
                text: text(&message["message"]["rendered"]),
            }),
            _ => {}
        }
    }

    /// The program of the target `name`.
    #[must_use]
    pub fn program(&self, name: &str) -> Option<&Path> {
        let found = self.programs.iter().find(|program| program.target == name);
        found.map(|program| program.path.as_path())
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

/// The spans of a message by file and first line, the primary ones first, then those of
/// its notes: an error may arise in one place and have its reason in another.
fn places(message: &Value) -> Vec<(String, usize)> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut spans = list(&message["spans"]);
    spans.sort_by_key(|span| span["is_primary"] != true);
    for note in list(&message["children"]) {
        spans.extend(list(&note["spans"]));
    }
    let place = |span: &Value| {
        let line = usize::try_from(span["line_start"].as_u64()?).ok()?;
        Some((span["file_name"].as_str()?.to_owned(), line))
    };
    spans.iter().filter_map(place).collect()
}
