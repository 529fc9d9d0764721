//! The table for readers: on the terminal, and in the book.

use std::fmt::Write as _;

use super::{Setting, TABLE};

/// The answer to `mqd --help-settings`.
#[must_use]
pub fn help() -> String {
    let mut text = String::from(
        "Settings of mqd: in the file given with --config, one name=value a line (# begins a\n\
         comment), or on the command line as --set name=value, which wins.\n",
    );
    for setting in TABLE {
        let _ = write!(text, "\n{}={}\n", setting.name, setting.default);
        for line in wrap(setting.doc, 74) {
            let _ = writeln!(text, "    {line}");
        }
        let _ = writeln!(text, "    Value: {}.", setting.kind);
        if let Some(topic_name) = setting.topic_name {
            let _ = writeln!(text, "    A topic can have its own: {topic_name}.");
        }
    }
    text
}

/// The book's page `settings.md`.
#[must_use]
pub fn page() -> String {
    let mut text = String::from(
        "# Settings\n\n\
         <!-- Made from the table in chapters/25-the-queue/src/settings/table.rs by\n     \
         `cargo run -p mqd -- --settings-page`; a test holds the two together. -->\n\n\
         `mqd` reads them from the file given with `--config`, one `name=value` a line\n\
         (`#` begins a comment), and from `--set name=value` on its command line, which wins.\n\
         Names are Kafka's own; those that Kafka does not have begin with `mqd.`. A name that is\n\
         not here, or a value that cannot be, is an error at the start: `mqd` says which line or\n\
         flag it is, and what it would take, and ends with code 2.\n\n\
         | name | default | value | what it is for |\n\
         |---|---|---|---|\n",
    );
    for setting in TABLE {
        let default = match setting.default {
            "" => "(none)".to_owned(),
            default => format!("`{default}`"),
        };
        let _ = writeln!(
            text,
            "| `{}` | {default} | {} | {} |",
            setting.name,
            setting.kind,
            sentence(setting)
        );
    }
    text
}

fn sentence(setting: &Setting) -> String {
    let own = setting.topic_name.map_or_else(String::new, |name| {
        format!(" A topic can have its own: `{name}`.")
    });
    format!("{}{own}", setting.doc)
}

/// `text` in lines of at most `width` bytes, broken between words.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let mut line = lines.pop().unwrap_or_default();
        if !line.is_empty() && line.len() + 1 + word.len() > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        lines.push(line);
    }
    lines
}
