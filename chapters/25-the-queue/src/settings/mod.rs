//! What can be set, from one table.
//!
//! A row of the table (`table.rs`) is a name of Kafka's, a type, a default, a
//! range and a sentence. From it come the typed [`Settings`], the checks and
//! their messages, `mqd --help-settings`, the book's page and what
//! DescribeConfigs answers.
//!
//! Values come from the table's defaults, then from the file given with
//! `--config`, then from `--set`; the later one wins.

mod file;
mod page;
mod table;
mod value;

use std::collections::BTreeMap;
use std::path::PathBuf;

pub use file::FileError;
pub use page::{help, page};
pub use table::{Settings, TABLE};
pub use value::{Advertised, Kind, Unit};

/// A row of the table.
#[derive(Debug)]
pub struct Setting {
    /// Kafka's name of it; those that Kafka does not have begin with `mqd.`.
    pub name: &'static str,
    /// Its name among a topic's settings, where a topic can have its own value.
    pub topic_name: Option<&'static str>,
    /// What its value may be.
    pub kind: Kind,
    /// Its value if nobody sets it.
    pub default: &'static str,
    /// What it is for, in a sentence.
    pub doc: &'static str,
    /// Parses and stores a value.
    store: fn(&mut Settings, &str) -> Option<()>,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The table.
    Default,
    /// A line of the configuration file, counted from 1.
    File {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
    },
    /// `--set` on the command line.
    Flag,
}

/// Why a setting cannot be set so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// No row has this name.
    #[error("there is no setting `{name}`{}. `mqd --help-settings` lists all", did_you_mean(.similar))]
    Unknown {
        /// What was asked for.
        name: String,
        /// The row with the most similar name.
        similar: Option<&'static str>,
    },
    /// The value is not what the row says.
    #[error("`{value}` is no value for `{}`: give {}", .setting.name, .setting.kind)]
    Value {
        /// The row.
        setting: &'static Setting,
        /// What was given.
        value: String,
    },
    /// It has no `=` in it.
    #[error("`{0}` is not of the form name=value")]
    Form(String),
}

impl PartialEq for Setting {
    fn eq(&self, other: &Setting) -> bool {
        self.name == other.name
    }
}

impl Eq for Setting {}

impl Settings {
    /// Sets `name` to `value`.
    ///
    /// # Errors
    /// When there is no such setting, or that is no value for it.
    pub fn set(&mut self, name: &str, value: &str, source: Source) -> Result<(), SettingError> {
        let setting = find(name).ok_or_else(|| SettingError::Unknown {
            name: name.to_owned(),
            similar: most_similar(name),
        })?;
        (setting.store)(self, value).ok_or_else(|| SettingError::Value {
            setting,
            value: value.to_owned(),
        })?;
        self.given.insert(setting.name, (value.to_owned(), source));
        Ok(())
    }

    /// Sets what `assignment`, of the form `name=value`, says.
    ///
    /// # Errors
    /// As [`Settings::set`], or when it has another form.
    pub fn assign(&mut self, assignment: &str, source: Source) -> Result<(), SettingError> {
        let (name, value) = assignment
            .split_once('=')
            .ok_or_else(|| SettingError::Form(assignment.to_owned()))?;
        self.set(name.trim(), value.trim(), source)
    }

    /// Every row with its value as text, and where it comes from.
    pub fn rows(&self) -> impl Iterator<Item = (&'static Setting, &str, &Source)> {
        TABLE
            .iter()
            .map(|setting| match self.given.get(setting.name) {
                Some((value, source)) => (setting, value.as_str(), source),
                None => (setting, setting.default, &Source::Default),
            })
    }
}

/// What was set, as text, by name.
type Given = BTreeMap<&'static str, (String, Source)>;

fn find(name: &str) -> Option<&'static Setting> {
    TABLE.iter().find(|setting| setting.name == name)
}

fn did_you_mean(similar: &Option<&'static str>) -> String {
    similar.map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

/// The name that takes the fewest edits, if they are few enough for a slip.
fn most_similar(name: &str) -> Option<&'static str> {
    /// More edits than this are another word, not a slip.
    const EDITS_MAX: usize = 4;
    // Longer than every name and a slip: not worth the comparison.
    if name.len() > 64 {
        return None;
    }
    TABLE
        .iter()
        .map(|setting| (edits(name, setting.name), setting.name))
        .min()
        .filter(|(edits, _)| *edits <= EDITS_MAX)
        .map(|(_, name)| name)
}

/// How many characters must be put in, left out or replaced to make `b` of `a`.
fn edits(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.bytes().enumerate() {
            let replaced = diagonal + usize::from(left != right);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
