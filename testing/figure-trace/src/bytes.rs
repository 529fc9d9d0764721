//! Some bytes, field by field: the reader presses one and sees the other.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::{Map, Value, json};

/// Some of the bytes, and what they say.
#[derive(Debug)]
pub struct Field {
    /// Its name, which no other field has.
    pub name: String,
    /// What colours its bytes.
    pub of: &'static str,
    /// Where its bytes are.
    pub bytes: Range<usize>,
    /// What the figure says of it, beside its name (`field`) and bytes (`hex`).
    pub is: Map<String, Value>,
}

/// A trace with a state for each field, which every state can go to, and which also
/// goes on to the next one. All states have the `bytes`, and what is in `always`.
///
/// # Panics
/// When there is no field.
#[must_use]
pub fn bytes_and_fields(bytes: &[u8], fields: &[Field], mut always: Map<String, Value>) -> Value {
    let moves: BTreeMap<_, _> = fields
        .iter()
        .map(|field| (&field.name, &field.name))
        .collect();
    let cells = fields.iter().flat_map(|field| {
        let cell = |at| json!({ "hex": hex(&bytes[at..=at]), "of": field.name, "is": field.of });
        field.bytes.clone().map(cell)
    });
    always.insert("bytes".to_owned(), cells.collect());
    let mut states = BTreeMap::new();
    for (index, field) in fields.iter().enumerate() {
        let mut is = field.is.clone();
        is.insert("field".to_owned(), json!(field.name));
        is.insert("hex".to_owned(), json!(hex(&bytes[field.bytes.clone()])));
        let next = fields.get(index + 1).map(|next| ("next", &next.name));
        let moves: BTreeMap<_, _> = next.into_iter().collect();
        states.insert(&field.name, json!({ "is": is, "moves": moves }));
    }
    json!({
        "starts": { "": fields[0].name },
        "always": { "is": always, "moves": moves },
        "states": states,
    })
}

/// Bytes as a hex dump has them: `00 1f`.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let bytes: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    bytes.join(" ")
}
