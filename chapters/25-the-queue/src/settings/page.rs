//! The table for readers: on the terminal, and in the book.

use std::fmt::Write as _;

use super::{Setting, TABLE};

/// The answer to `mqd --help-settings`.
#[must_use]
pub fn help() -> String {
    let mut text = String::from(
        "Settings of mqd: one name=value a line in the file given with --config (# begins a\n\
         comment), or --set name=value on the command line, which wins.\n",
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
         A setting is a line `name=value` in the file given with `--config`, where `#` begins a\n\
         comment, or a `--set name=value` on the command line. If both have it, the command line\n\
         wins. Here the broker may delete records after an hour, and those of one topic after a day:\n\n\
         ```text\n\
         mqd --data-dir queue --set log.retention.ms=3600000\n\
         mqd topics create greetings --set retention.ms=86400000\n\
         ```\n\n\
         The table says which settings a topic can have for itself, and under which name. Most\n\
         names are Kafka's own; names that Kafka does not have begin with `mqd.`. If a name is not\n\
         in the table, or a value is not allowed, `mqd` does not start. It names the line or the\n\
         flag, says what would be allowed, and ends with code 2.\n\n\
         Numbers have no units: 1073741824 bytes are 1 GiB, 604800000 milliseconds are a week, and\n\
         3155760000000 are a hundred years. Terms such as *segment* and *batch* are in the\n\
         [glossary](glossary.md).\n\n\
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
