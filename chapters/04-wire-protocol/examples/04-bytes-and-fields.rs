//! The request with which kcat opens a connection, byte by byte and field by field, as the
//! trace of a figure: `book/src/traces/04-bytes-and-fields.json`.

use figure_trace::{Field, bytes_and_fields};
use networking::frame;
use serde_json::{Map, Value};
use wire_protocol::message::ApiVersionsRequest;
use wire_protocol::{Malformed, Reader, encode_request};

const CORRELATION_ID: i32 = 1;
const VERSION: i16 = 3;

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
        name: &str,
        of: &'static str,
        read: impl FnOnce(&mut Reader<'a>) -> Result<T, Malformed>,
    ) -> Result<(), Malformed> {
        let start = self.size - self.reader.remaining();
        let value = read(&mut self.reader)?.into();
        let bytes = start..self.size - self.reader.remaining();
        self.fields.push(Field {
            name: name.to_owned(),
            of,
            bytes,
            is: Map::from_iter([("value".to_owned(), value)]),
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

pub(crate) fn trace() -> Value {
    let request = request();
    let fields = fields(&request).expect("it is our own");
    bytes_and_fields(&request, &fields, Map::new())
}

fn main() {
    println!("{}", trace());
}
