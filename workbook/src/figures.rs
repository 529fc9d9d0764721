//! How large files and functions are: a simple measure, by lines.
//!
//! - A file: the `.rs` files below every `src/` that people write. Exercises are
//!   left out, because they are made from the solutions.
//! - A function: from the line of its `fn` to the line with its closing brace,
//!   comments included. rustfmt puts that brace at the indentation of the line
//!   that begins the signature, and that is how it is found. A function without
//!   a body, or on one line, is not counted.
//! - An unsafe block: a line of code with `unsafe {`, `unsafe fn` or `unsafe impl`.
//! - Test code inside of `src/` (behind `#[cfg(test)]`) is left out.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::chapter::Workspace;
use crate::tree;

/// Folders with crates that are left out: the exercises are made, and `interop` is tests.
const LEFT_OUT: [&str; 2] = ["exercises", "interop"];

/// One file or function and its length in lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Length {
    /// `chapters/06-log-storage/src/log.rs`, and behind it `:line name` of a function.
    pub name: String,
    /// From the first line to the last.
    pub lines: usize,
}

/// What was measured.
#[derive(Debug, Default)]
pub struct Figures {
    /// Shortest first.
    pub files: Vec<Length>,
    /// Shortest first.
    pub functions: Vec<Length>,
    /// Unsafe blocks, functions and implementations.
    pub unsafe_blocks: usize,
    /// Comments that begin with `SAFETY`.
    pub safety_comments: usize,
    /// `allow` attributes, in code and in manifests of crates that are not exercises.
    pub allows: usize,
}

/// Measures the workspace.
///
/// # Errors
/// When a file cannot be read.
pub fn measure(workspace: &Workspace) -> Result<Figures> {
    let mut figures = Figures::default();
    for (file, text) in sources(workspace)? {
        figures.add(&file.display().to_string(), &text);
    }
    figures.files.sort_by_key(|file| file.lines);
    figures.functions.sort_by_key(|function| function.lines);
    Ok(figures)
}

/// Every file that is measured, by its path in the workspace.
///
/// # Errors
/// When one cannot be read.
pub fn sources(workspace: &Workspace) -> Result<tree::Files> {
    let mut sources = tree::Files::new();
    for group in workspace.groups()? {
        if LEFT_OUT.contains(&&*group) {
            continue;
        }
        for folder in crates(workspace, &group)? {
            let source = folder.join("src");
            for (name, text) in tree::read(&workspace.path(&source))? {
                if name.extension().is_some_and(|extension| extension == "rs") {
                    sources.insert(source.join(name), text);
                }
            }
        }
    }
    Ok(sources)
}

fn crates(workspace: &Workspace, group: &str) -> Result<Vec<PathBuf>> {
    let folder = Path::new(group);
    if workspace.path(folder.join("Cargo.toml")).is_file() {
        return Ok(vec![folder.to_owned()]);
    }
    let mut found = Vec::new();
    if let Ok(entries) = std::fs::read_dir(workspace.path(folder)) {
        for entry in entries {
            found.push(folder.join(entry?.file_name()));
        }
    }
    Ok(found)
}

impl Figures {
    fn add(&mut self, file: &str, text: &str) {
        let lines: Vec<&str> = text
            .lines()
            .take_while(|line| line.trim() != "#[cfg(test)]")
            .collect();
        self.files.push(Length {
            name: file.to_owned(),
            lines: lines.len(),
        });
        for (index, line) in lines.iter().enumerate() {
            let code = line.trim_start();
            if code.starts_with("//") {
                self.safety_comments += usize::from(code.starts_with("// SAFETY"));
                continue;
            }
            self.unsafe_blocks += ["unsafe {", "unsafe fn", "unsafe impl"]
                .iter()
                .filter(|word| code.contains(**word) && !code.contains('"'))
                .count();
            let attribute = code.starts_with("#[allow") || code.starts_with("#![allow");
            self.allows += usize::from(attribute);
            if let Some(name) = function_name(code)
                && let Some(length) = length(&lines[index..])
            {
                self.functions.push(Length {
                    name: format!("{file}:{} {name}", index + 1),
                    lines: length,
                });
            }
        }
    }

    /// The share `percent` of the lengths that are at most this long.
    #[must_use]
    pub fn percentile(sorted: &[Length], percent: usize) -> usize {
        let index = (sorted.len() * percent).div_ceil(100).max(1) - 1;
        sorted.get(index).map_or(0, |length| length.lines)
    }
}

/// The name in `pub(crate) async fn name(`.
fn function_name(code: &str) -> Option<&str> {
    let mut words = code.split_whitespace();
    loop {
        match words.next()? {
            "fn" => break,
            "async" | "const" | "unsafe" => {}
            word if word.starts_with("pub") => {}
            _ => return None,
        }
    }
    words.next()?.split(['(', '<']).next()
}

/// Of the function that begins with the first line.
fn length(lines: &[&str]) -> Option<usize> {
    let first = lines.first()?;
    let indent = &first[..first.len() - first.trim_start().len()];
    let end = format!("{indent}}}");
    for (index, line) in lines.iter().enumerate() {
        if *line == end {
            return Some(index + 1);
        }
        let stays = line.starts_with(indent) || line.is_empty();
        if !stays || (index == 0 && (line.ends_with('}') || line.ends_with(';'))) {
            return None;
        }
        if line.ends_with(';') && !lines[..=index].iter().any(|line| line.ends_with('{')) {
            return None;
        }
    }
    None
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |name: &str, lengths: &[Length]| {
            let at = |percent| Figures::percentile(lengths, percent);
            let (median, p90, p99, most) = (at(50), at(90), at(99), at(100));
            format!(
                "{name:<10} {:>5}   median {median:>4}  p90 {p90:>4}  p99 {p99:>4}  max {most:>4}",
                lengths.len()
            )
        };
        writeln!(f, "in lines (`figures.rs` says how they are counted)\n")?;
        writeln!(f, "{}", row("files", &self.files))?;
        writeln!(f, "{}", row("functions", &self.functions))?;
        let long = self.functions.iter().filter(|length| length.lines > 100);
        writeln!(f, "functions longer than 100 lines: {}", long.count())?;
        writeln!(
            f,
            "unsafe blocks: {}, with a SAFETY comment: {}",
            self.unsafe_blocks, self.safety_comments
        )?;
        writeln!(f, "allow attributes: {}", self.allows)?;
        for (title, lengths) in [("files", &self.files), ("functions", &self.functions)] {
            writeln!(f, "\nthe longest {title}")?;
            for length in lengths.iter().rev().take(5) {
                writeln!(f, "  {:>4}  {}", length.lines, length.name)?;
            }
        }
        Ok(())
    }
}
