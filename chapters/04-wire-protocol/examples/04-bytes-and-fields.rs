//! The request with which kcat opens a connection, byte by byte and field by field, as the
//! trace of a figure: `book/src/traces/04-bytes-and-fields.json`.

use std::collections::BTreeMap;
use std::ops::Range;

use networking::frame;
use serde_json::{Value, json};
use wire_protocol::message::ApiVersionsRequest;
use wire_protocol::{Malformed, Reader, encode_request};

const CORRELATION_ID: i32 = 1;
const VERSION: i16 = 3;

/// Some bytes of the request, and what they say.
struct Field {
    name: &'static str,
    /// The part of the request: `frame`, `header` or `body`.
    of: &'static str,
    bytes: Range<usize>,
    value: Value,
}

/// As kcat 1.7.1 sends it.
fn request() -> Vec<u8> {
    let request = ApiVersionsRequest {
        client_software_name: "librdkafka".to_owned(),
        client_software_version: "2.0.2".to_owned(),
    };
    frame(&encode_request(
        &request,
        VERSION,
        CORRELATION_ID,
        "rdkafka",
    ))
}

/// Reads a request one field after the other, and notes where each one was.
struct Fields<'a> {
    size: usize,
    reader: Reader<'a>,
    fields: Vec<Field>,
}

impl<'a> Fields<'a> {
    fn read<T: Into<Value>>(
        &mut self,
        name: &'static str,
        of: &'static str,
        read: impl FnOnce(&mut Reader<'a>) -> Result<T, Malformed>,
    ) -> Result<(), Malformed> {
        let start = self.size - self.reader.remaining();
        let value = read(&mut self.reader)?.into();
        let bytes = start..self.size - self.reader.remaining();
        self.fields.push(Field {
            name,
            of,
            bytes,
            value,
        });
        Ok(())
    }
}

fn fields(request: &[u8]) -> Result<Vec<Field>, Malformed> {
    let mut fields = Fields {
        size: request.len(),
        reader: Reader::new(request),
        fields: Vec::new(),
    };
    fields.read("length", "frame", |r| r.i32())?;
    fields.read("api key", "header", |r| r.i16())?;
    fields.read("api version", "header", |r| r.i16())?;
    fields.read("correlation id", "header", |r| r.i32())?;
    fields.read("client id", "header", |r| r.nullable_string())?;
    fields.read("header tags", "header", |r| r.unsigned_varint())?;
    fields.read("software name", "body", |r| r.compact_nullable_string())?;
    fields.read("software version", "body", |r| r.compact_nullable_string())?;
    fields.read("body tags", "body", |r| r.unsigned_varint())?;
    assert_eq!(fields.reader.remaining(), 0, "every byte is of a field");
    Ok(fields.fields)
}

fn hex(bytes: &[u8]) -> String {
    let bytes: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    bytes.join(" ")
}

/// The trace.
pub(crate) fn trace() -> Value {
    let request = request();
    let fields = fields(&request).expect("it is our own");
    let moves: BTreeMap<_, _> = fields
        .iter()
        .map(|field| (field.name, field.name))
        .collect();
    let bytes = fields.iter().flat_map(|field| {
        let byte = |at| json!({ "hex": hex(&request[at..=at]), "of": field.name, "is": field.of });
        field.bytes.clone().map(byte)
    });
    let bytes: Vec<_> = bytes.collect();
    let mut states = BTreeMap::new();
    for (index, field) in fields.iter().enumerate() {
        let is = json!({
            "field": field.name,
            "hex": hex(&request[field.bytes.clone()]),
            "value": field.value,
        });
        let next = fields.get(index + 1).map(|next| ("next", next.name));
        let moves: BTreeMap<_, _> = next.into_iter().collect();
        states.insert(field.name, json!({ "is": is, "moves": moves }));
    }
    json!({
        "starts": { "": fields[0].name },
        "always": { "is": { "bytes": bytes }, "moves": moves },
        "states": states,
    })
}

fn main() {
    println!("{}", trace());
}
