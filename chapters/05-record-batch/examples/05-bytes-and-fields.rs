//! A batch of two records, byte by byte and field by field, as the trace of a figure:
//! `book/src/traces/05-bytes-and-fields.json`.

use std::ops::Range;

use figure_trace::{bytes_and_fields, hex};
use message_model::{LeaderEpoch, Offset, Timestamp};
use record_batch::{
    BatchBuilder, Header, RecordToSend, assign_offsets, decode_records, layout, validate, walk,
};
use serde_json::{Map, Value, json};
use wire_protocol::Reader;

/// Some bytes of the batch, and what they say.
struct Field {
    name: String,
    bytes: Range<usize>,
    value: Value,
}

/// As a producer sends it.
fn sent() -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    builder.push(&RecordToSend {
        timestamp: Timestamp(1_700_000_000_000),
        key: Some(b"10.0.0.7"),
        value: Some(b"GET /"),
        headers: vec![],
    });
    builder.push(&RecordToSend {
        timestamp: Timestamp(1_700_000_000_150),
        key: None,
        value: Some(b"hi"),
        headers: vec![Header {
            key: "line",
            value: Some(b"2"),
        }],
    });
    builder.build()
}

/// The fields of the header; an integer is what its bytes say, the checksum is in hex.
fn header_fields(batch: &[u8]) -> Vec<Field> {
    let field = |(name, start, size): &(&str, usize, usize)| {
        let bytes = *start..start + size;
        let mut reader = Reader::new(&batch[bytes.clone()]);
        let value = match size {
            _ if *start == layout::CRC => json!(hex(&batch[bytes.clone()]).replace(' ', "")),
            1 => json!(reader.i8().expect("it is there")),
            2 => json!(reader.i16().expect("it is there")),
            4 => json!(reader.i32().expect("it is there")),
            _ => json!(reader.i64().expect("it is there")),
        };
        Field {
            name: (*name).to_owned(),
            bytes,
            value,
        }
    };
    layout::FIELDS.iter().map(field).collect()
}

/// Reads the records of a batch one number after the other, and notes where each one was.
struct Records<'a> {
    size: usize,
    reader: Reader<'a>,
    record: usize,
    fields: Vec<Field>,
}

impl Records<'_> {
    fn at(&self) -> usize {
        self.size - self.reader.remaining()
    }

    fn note(&mut self, name: &str, start: usize, value: Value) {
        self.fields.push(Field {
            name: format!("{} {name}", self.record),
            bytes: start..self.at(),
            value,
        });
    }

    fn number(&mut self, name: &str) -> i64 {
        let start = self.at();
        let number = self.reader.varlong().expect("it is our own");
        self.note(name, start, json!(number));
        number
    }

    /// A length, and as many bytes.
    fn text(&mut self, name: &str) {
        if let Ok(length) = usize::try_from(self.number(&format!("{name} length"))) {
            let start = self.at();
            let bytes = self.reader.take(length).expect("it is our own");
            let text = str::from_utf8(bytes).expect("it is our own");
            self.note(name, start, json!(text));
        }
    }

    fn record(&mut self) {
        self.number("length");
        let start = self.at();
        let attributes = self.reader.i8().expect("it is our own");
        self.note("attributes", start, json!(attributes));
        self.number("timestamp delta");
        self.number("offset delta");
        self.text("key");
        self.text("value");
        for _ in 0..self.number("header count") {
            self.text("header name");
            self.text("header value");
        }
        self.record += 1;
    }
}

fn record_fields(batch: &[u8]) -> Vec<Field> {
    let mut records = Records {
        size: batch.len(),
        reader: Reader::new(&batch[layout::RECORDS..]),
        record: 0,
        fields: Vec::new(),
    };
    for _ in decode_records(batch).expect("it is our own") {
        records.record();
    }
    assert_eq!(records.reader.remaining(), 0, "every byte is of a field");
    records.fields
}

/// From the first byte to the last.
fn positions(bytes: &Range<usize>) -> String {
    match bytes.len() {
        1 => bytes.start.to_string(),
        _ => format!("{}–{}", bytes.start, bytes.end - 1),
    }
}

pub(crate) fn trace() -> Value {
    let sent = sent();
    let mut stored = sent.clone();
    assign_offsets(&mut stored, Offset(1000), LeaderEpoch(3));
    let header = validate(&stored, stored.len()).expect("the broker broke nothing");
    walk(&header, &stored).expect("it is our own");

    let mut fields = header_fields(&stored);
    fields.extend(record_fields(&stored));
    let is_of = |field: &Field| match field.bytes.start {
        _ if sent[field.bytes.clone()] != stored[field.bytes.clone()] => "broker",
        layout::CRC => "crc",
        start if start >= layout::RECORDS => "record",
        start if start >= layout::ATTRIBUTES => "header",
        _ => "producer",
    };
    let shown = |field: &Field| figure_trace::Field {
        name: field.name.clone(),
        of: is_of(field),
        bytes: field.bytes.clone(),
        is: object(json!({
            "at": positions(&field.bytes),
            "sent": hex(&sent[field.bytes.clone()]),
            "value": field.value,
            "is": is_of(field),
        })),
    };
    let fields: Vec<_> = fields.iter().map(shown).collect();
    let covered = positions(&(layout::ATTRIBUTES..stored.len()));
    bytes_and_fields(&stored, &fields, object(json!({ "covered": covered })))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn main() {
    println!("{}", trace());
}
