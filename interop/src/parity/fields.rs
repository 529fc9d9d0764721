//! The fields of a message as JSON, read off its `Debug` text.
//!
//! The messages of the crate `kafka-protocol` print as Rust structs and have no
//! other way out of their types. Names of types go, newtypes are what they hold,
//! bytes are hex.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// The value whose derived `Debug` prints `text`.
///
/// # Panics
/// When `text` is not the output of a derived `Debug`.
pub(crate) fn fields(text: &str) -> Value {
    let mut reader = Reader { rest: text };
    let value = reader.value();
    assert!(reader.rest.is_empty(), "left over: {}", reader.rest);
    value
}

/// `bytes` as lowercase hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The bytes that `text` is the hex of.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
        .collect()
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn value(&mut self) -> Value {
        if self.eat("b\"") {
            return Value::String(hex(&self.string()));
        }
        if self.eat("\"") {
            return Value::String(String::from_utf8_lossy(&self.string()).into_owned());
        }
        if self.eat("[") {
            return self.list("]");
        }
        if self.eat("{") {
            return self.map();
        }
        let word = self.word();
        if self.eat(" {") {
            return self.map();
        }
        if self.eat("(") {
            return match self.list(")") {
                Value::Array(mut items) if items.len() == 1 => items.remove(0),
                items => items,
            };
        }
        match word.as_str() {
            "None" => Value::Null,
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => word.parse::<i64>().map_or(Value::String(word), Value::from),
        }
    }

    fn list(&mut self, end: &str) -> Value {
        let mut items = Vec::new();
        while !self.eat(end) {
            items.push(self.value());
            self.eat(", ");
        }
        Value::Array(items)
    }

    /// The fields of a struct or the entries of a map, with the closing brace.
    fn map(&mut self) -> Value {
        let mut entries = Map::new();
        loop {
            self.eat(" ");
            if self.eat("}") {
                break;
            }
            let name = match self.value() {
                Value::String(name) => name,
                other => other.to_string(),
            };
            assert!(self.eat(": "), "a value behind {name}: {}", self.rest);
            let value = self.value();
            self.eat(",");
            if name != "unknown_tagged_fields" {
                entries.insert(name, value);
            }
        }
        Value::Object(entries)
    }

    fn word(&mut self) -> String {
        let is_part = |letter: char| letter.is_alphanumeric() || "_-.".contains(letter);
        let size = self
            .rest
            .find(|letter| !is_part(letter))
            .unwrap_or(self.rest.len());
        assert!(size > 0, "a word: {}", self.rest);
        let (word, rest) = self.rest.split_at(size);
        self.rest = rest;
        word.to_owned()
    }

    /// The bytes of a string or a byte string, with the closing quote.
    fn string(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut chars = self.rest.char_indices();
        while let Some((at, letter)) = chars.next() {
            match letter {
                '"' => {
                    self.rest = &self.rest[at + 1..];
                    return bytes;
                }
                '\\' => match chars.next().map(|(_, escape)| escape) {
                    Some('n') => bytes.push(b'\n'),
                    Some('r') => bytes.push(b'\r'),
                    Some('t') => bytes.push(b'\t'),
                    Some('0') => bytes.push(0),
                    Some('x') => {
                        let digits: String =
                            chars.by_ref().take(2).map(|(_, digit)| digit).collect();
                        bytes.extend(unhex(&digits).unwrap_or_default());
                    }
                    other => {
                        bytes.extend(other.unwrap_or('\\').to_string().bytes());
                    }
                },
                _ => bytes.extend(letter.to_string().bytes()),
            }
        }
        panic!("no closing quote: {}", self.rest)
    }

    fn eat(&mut self, prefix: &str) -> bool {
        let rest = self.rest.strip_prefix(prefix);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
    use kafka_protocol::messages::{ProduceRequest, TopicName};
    use kafka_protocol::protocol::StrBytes;
    use serde_json::json;

    use super::*;

    #[test]
    fn derived_debug_becomes_json() {
        let records = Bytes::from_static(b"\x00\"\\\xff\n z");
        let request = ProduceRequest::default()
            .with_acks(-1)
            .with_topic_data(vec![
                TopicProduceData::default()
                    .with_name(TopicName(StrBytes::from_static_str("a \"quoted\" {name}")))
                    .with_partition_data(vec![
                        PartitionProduceData::default().with_records(Some(records)),
                        PartitionProduceData::default().with_records(None),
                    ]),
            ]);
        assert_eq!(
            fields(&format!("{request:?}")),
            json!({
                "transactional_id": null,
                "acks": -1,
                "timeout_ms": 0,
                "topic_data": [{
                    "name": "a \"quoted\" {name}",
                    "topic_id": "00000000-0000-0000-0000-000000000000",
                    "partition_data": [
                        {"index": 0, "records": "00225cff0a207a"},
                        {"index": 0, "records": null},
                    ],
                }],
            })
        );
    }
}
