//! Text for a person: colour where there is a terminal, lines that fit.

use std::io::{self, ErrorKind, IsTerminal, Write};

/// How wide running text is at most, in characters.
const WIDTH: usize = 78;
/// On a terminal narrower than this the lines are left to it.
const WIDTH_MIN: usize = 24;

/// Prints what `format!` makes of its arguments, and ends the line; see [`say`].
#[macro_export]
macro_rules! say {
    () => { $crate::screen::say("") };
    ($($argument:tt)+) => { $crate::screen::say(&format!($($argument)+)) };
}

/// Prints lines to standard output: on a terminal folded to its width, in a pipe
/// or a file as they are.
///
/// A pipe that nobody reads any more (`cargo workbook | head -1`) is no reason to
/// stop: what was begun is finished, and the exit code is right.
pub fn say(text: &str) {
    let mut out = io::stdout().lock();
    let folded = terminal_width().map(|width| fold_all(text, width));
    let text = folded.as_deref().unwrap_or(text);
    match writeln!(out, "{text}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            eprintln!("error: standard output: {error}");
        }
        _ => {}
    }
}

/// Columns of the terminal that standard output is; `None` if it is none, or too narrow.
fn terminal_width() -> Option<usize> {
    // Only a terminal answers.
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    Some(usize::from(size.ws_col)).filter(|width| *width >= WIDTH_MIN)
}

fn fold_all(text: &str, width: usize) -> String {
    let lines: Vec<_> = text.split('\n').map(|line| fold(line, width)).collect();
    lines.join("\n")
}

/// Breaks a line between words so that it fits into `width` columns. What goes on
/// is indented: below the second column if the line has two (`label   text`) and
/// there is room, else a little more than the line. A word that fits into no line,
/// such as a path, is left to the terminal.
#[must_use]
pub fn fold(line: &str, width: usize) -> String {
    fold_at(line, hang(line, width), width)
}

/// As [`fold`]; what goes on begins in the column `hang`.
fn fold_at(line: &str, hang: usize, width: usize) -> String {
    let mut column = indent(line);
    let mut folded = line[..column].to_owned();
    let mut rest = &line[column..];
    while !rest.is_empty() {
        let word_ends = rest.find(' ').unwrap_or(rest.len());
        let (word, behind) = rest.split_at(word_ends);
        let (gap, next) = behind.split_at(indent(behind));
        folded.push_str(word);
        column += columns(word);
        let next_word = columns(next.split(' ').next().unwrap_or_default());
        let fits = column + gap.len() + next_word <= width;
        if fits || next.is_empty() || hang + next_word > width {
            folded.push_str(gap);
            column += gap.len();
        } else {
            folded.push('\n');
            folded.push_str(&" ".repeat(hang));
            column = hang;
        }
        rest = next;
    }
    folded
}

/// Where the lines go on that [`fold`] makes of one.
fn hang(line: &str, width: usize) -> usize {
    /// A second column narrower than this is not worth its indent.
    const ROOM_MIN: usize = 24;
    let begin = indent(line);
    let text = &line[begin..];
    let second = text
        .find("  ")
        .map(|gap| begin + columns(&text[..gap]) + indent(&text[gap..]));
    match second {
        Some(second) if second + ROOM_MIN <= width => second,
        _ if begin == 0 => 0,
        _ => begin + 2,
    }
}

/// How many spaces a text begins with.
fn indent(text: &str) -> usize {
    text.len() - text.trim_start_matches(' ').len()
}

/// How many columns a text takes: colours take none.
fn columns(text: &str) -> usize {
    let mut columns = 0;
    let mut in_colour = false;
    for char in text.chars() {
        match char {
            '\u{1b}' => in_colour = true,
            'm' if in_colour => in_colour = false,
            _ if in_colour => {}
            _ => columns += 1,
        }
    }
    columns
}

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

/// Breaks running text between words, also in a pipe; every line begins with `indent`.
#[must_use]
pub fn wrap(text: &str, indent: usize) -> String {
    let width = terminal_width().map_or(WIDTH, |width| width.min(WIDTH));
    let words: Vec<_> = text.split_whitespace().collect();
    let line = format!("{}{}", " ".repeat(indent), words.join(" "));
    fold_at(&line, indent, width)
}
