//! Where two answers differ, and which differences are meant.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A field that is not the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Where it is: `topics.0.error_code`. Empty: the whole answer.
    pub path: String,
    /// What Kafka has there; null: nothing.
    pub kafka: Value,
    /// What mqd has there.
    pub mqd: Value,
}

/// A difference that stays, and its reason.
#[derive(Debug, Clone, Deserialize)]
pub struct Deliberate {
    /// `FILE/NAME` of the exchange. A `*` matches anything, here and in the paths.
    pub exchange: String,
    /// The number of the step, from 0, or nothing: any.
    pub step: Option<usize>,
    /// As in [`Difference`].
    pub paths: Vec<String>,
    /// mqd's value there, or nothing: any.
    #[serde(default, deserialize_with = "present")]
    pub mqd: Option<Value>,
    /// Why, in a sentence.
    pub because: String,
}

impl Deliberate {
    /// Whether this is the reason for `difference` in `exchange`.
    #[must_use]
    pub fn covers(&self, exchange: &str, step: usize, difference: &Difference) -> bool {
        matches(&self.exchange, exchange)
            && self.step.is_none_or(|meant| meant == step)
            && self
                .paths
                .iter()
                .any(|path| matches(path, &difference.path))
            && self.mqd.as_ref().is_none_or(|mqd| *mqd == difference.mqd)
    }
}

/// A null that is there is a value: nothing is where mqd has no such field.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((prefix, rest)) => text.strip_prefix(prefix).is_some_and(|text| {
            let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            ends.into_iter().any(|at| matches(rest, &text[at..]))
        }),
    }
}

/// All differences that are meant.
///
/// # Errors
/// When `deliberate.json` in `folder` cannot be read.
pub fn deliberate(folder: &Path) -> anyhow::Result<Vec<Deliberate>> {
    let path = folder.join("deliberate.json");
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    serde_json::from_str(&text).with_context(|| path.display().to_string())
}

/// Every field in which `mqd` is not as `kafka`, outermost first. Lists of
/// unequal length are one difference.
#[must_use]
pub fn compare(kafka: &Value, mqd: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    walk(String::new(), kafka, mqd, &mut found);
    found
}

fn walk(path: String, kafka: &Value, mqd: &Value, found: &mut Vec<Difference>) {
    let below = |part: &str| match path.as_str() {
        "" => part.to_owned(),
        path => format!("{path}.{part}"),
    };
    match (kafka, mqd) {
        (Value::Object(theirs), Value::Object(ours)) => {
            for (name, value) in theirs {
                walk(
                    below(name),
                    value,
                    ours.get(name).unwrap_or(&Value::Null),
                    found,
                );
            }
            for (name, value) in ours {
                if !theirs.contains_key(name) {
                    walk(below(name), &Value::Null, value, found);
                }
            }
        }
        (Value::Array(theirs), Value::Array(ours)) if theirs.len() == ours.len() => {
            for (number, (value, other)) in theirs.iter().zip(ours).enumerate() {
                walk(below(&number.to_string()), value, other, found);
            }
        }
        _ if kafka == mqd => {}
        _ => found.push(Difference {
            path,
            kafka: kafka.clone(),
            mqd: mqd.clone(),
        }),
    }
}
