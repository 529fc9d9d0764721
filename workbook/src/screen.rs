//! Text for a person: colour where there is a terminal, lines that fit.

use std::io::IsTerminal;

/// How wide running text is, in characters.
pub const WIDTH: usize = 78;

/// Colours, or none: in a pipe, with `NO_COLOR`, on a dumb terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paint {
    colour: bool,
}

impl Paint {
    /// What standard output can show.
    #[must_use]
    pub fn for_stdout() -> Paint {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        Paint {
            colour: !refused && std::io::stdout().is_terminal(),
        }
    }

    /// No colours.
    #[must_use]
    pub fn plain() -> Paint {
        Paint { colour: false }
    }

    /// Whether there are colours.
    #[must_use]
    pub fn has_colour(self) -> bool {
        self.colour
    }

    /// Done, equal, alive.
    #[must_use]
    pub fn green(self, text: &str) -> String {
        self.with("32", text)
    }

    /// Wrong, removed.
    #[must_use]
    pub fn red(self, text: &str) -> String {
        self.with("31", text)
    }

    /// Still to do.
    #[must_use]
    pub fn yellow(self, text: &str) -> String {
        self.with("33", text)
    }

    /// A heading.
    #[must_use]
    pub fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    /// Said in passing.
    #[must_use]
    pub fn dim(self, text: &str) -> String {
        self.with("2", text)
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.colour {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

/// Breaks running text between words; every line begins with `indent`.
#[must_use]
pub fn wrap(text: &str, indent: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(format!("{indent}{word}")),
        }
    }
    lines.join("\n")
}
