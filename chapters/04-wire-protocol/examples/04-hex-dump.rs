//! What a flexible version is made of, then one real request and its response,
//! byte by byte: ApiVersions 3, as kcat opens a connection with it.

use networking::{Chunk, frame};
use wire_protocol::message::{ApiVersionsRequest, ApiVersionsResponse};
use wire_protocol::{ApiKey, Malformed, Reader, encode_request, encode_response, put};

const CORRELATION_ID: i32 = 1;
const VERSION: i16 = 3;

fn main() -> Result<(), Malformed> {
    let pieces = pieces();
    println!("the pieces: {} bytes\n", pieces.len());
    dump_pieces(Dump::new(&pieces))?;

    let request = ApiVersionsRequest {
        client_software_name: "librdkafka".to_owned(),
        client_software_version: "2.0.2".to_owned(),
    };
    let request = frame(&encode_request(
        &request,
        VERSION,
        CORRELATION_ID,
        "rdkafka",
    ));
    println!("\nthe request: {} bytes\n", request.len());
    dump_request(Dump::new(&request))?;

    let mut all = ApiVersionsResponse::of_all();
    all.api_keys.truncate(2);
    let response = encode_response(ApiKey::ApiVersions, VERSION, CORRELATION_ID, &all);
    let response = in_memory(response);
    println!("\nthe response, with two rows: {} bytes\n", response.len());
    dump_response(Dump::new(&response))
}

fn pieces() -> Vec<u8> {
    let mut out = Vec::new();
    put::unsigned_varint(&mut out, 300);
    put::varint(&mut out, -1);
    put::unsigned_varint(&mut out, u32::MAX);
    put::compact_nullable_string(&mut out, None);
    put::compact_nullable_string(&mut out, Some(""));
    put::compact_nullable_string(&mut out, Some("hi"));
    // One tagged field: the count, then its tag, its size, and that many bytes.
    for number in [1, 5, 3] {
        put::unsigned_varint(&mut out, number);
    }
    out.extend_from_slice(b"new");
    out
}

fn dump_pieces(mut dump: Dump<'_>) -> Result<(), Malformed> {
    dump.field("unsigned varint", |r| r.unsigned_varint())?;
    dump.field("zigzag varint", |r| r.varint())?;
    dump.field("unsigned varint: the bits of -1", |r| r.unsigned_varint())?;
    for _ in 0..3 {
        dump.field("compact string: length + 1", |r| {
            r.compact_nullable_string()
        })?;
    }
    dump.field("tagged fields: count", |r| r.unsigned_varint())?;
    dump.field("  tag", |r| r.unsigned_varint())?;
    let size = dump.field_of("  size", |r| r.unsigned_varint())?;
    dump.field("  so many bytes", |r| {
        r.take(size as usize).map(String::from_utf8_lossy)
    })?;
    dump.end();
    Ok(())
}

fn dump_request(mut dump: Dump<'_>) -> Result<(), Malformed> {
    dump.field("length", |r| r.i32())?;
    dump.field("api key: ApiVersions", |r| r.i16())?;
    dump.field("api version", |r| r.i16())?;
    dump.field("correlation id", |r| r.i32())?;
    dump.field("client id: i16 length", |r| r.nullable_string())?;
    dump.field("tagged fields of the header", |r| r.unsigned_varint())?;
    dump.field("client software name: length + 1", |r| {
        r.compact_nullable_string()
    })?;
    dump.field("client software version", |r| r.compact_nullable_string())?;
    dump.field("tagged fields of the body", |r| r.unsigned_varint())?;
    dump.end();
    Ok(())
}

fn dump_response(mut dump: Dump<'_>) -> Result<(), Malformed> {
    dump.field("length", |r| r.i32())?;
    dump.field("correlation id; no tagged fields", |r| r.i32())?;
    dump.field("error code", |r| r.i16())?;
    let rows = dump.field_of("rows: count + 1", |r| r.compact_array_length(7))?;
    for _ in 0..rows.unwrap_or_default() {
        dump.field("  api key", |r| r.i16())?;
        dump.field("  lowest version", |r| r.i16())?;
        dump.field("  highest version", |r| r.i16())?;
        dump.field("  tagged fields of the row", |r| r.unsigned_varint())?;
    }
    dump.field("throttle time, ms", |r| r.i32())?;
    dump.field("tagged fields of the body", |r| r.unsigned_varint())?;
    dump.end();
    Ok(())
}

/// Reads on, and prints what each step has read.
struct Dump<'a> {
    bytes: &'a [u8],
    reader: Reader<'a>,
}

impl<'a> Dump<'a> {
    fn new(bytes: &'a [u8]) -> Dump<'a> {
        Dump {
            bytes,
            reader: Reader::new(bytes),
        }
    }

    fn field<T: std::fmt::Debug>(
        &mut self,
        name: &str,
        read: impl FnOnce(&mut Reader<'a>) -> Result<T, Malformed>,
    ) -> Result<(), Malformed> {
        self.field_of(name, read).map(drop)
    }

    fn field_of<T: std::fmt::Debug>(
        &mut self,
        name: &str,
        read: impl FnOnce(&mut Reader<'a>) -> Result<T, Malformed>,
    ) -> Result<T, Malformed> {
        let start = self.bytes.len() - self.reader.remaining();
        let value = read(&mut self.reader)?;
        let end = self.bytes.len() - self.reader.remaining();
        let hex: Vec<String> = self.bytes[start..end]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        println!("{start:>3}  {:<33}{name:<34}{value:?}", hex.join(" "));
        Ok(value)
    }

    /// Holds that every byte was printed.
    fn end(self) {
        assert_eq!(self.reader.remaining(), 0, "bytes without a name");
    }
}

fn in_memory(chunks: Vec<Chunk>) -> Vec<u8> {
    let mut all = Vec::new();
    for chunk in chunks {
        if let Chunk::Bytes(bytes) = chunk {
            all.extend(bytes);
        }
    }
    all
}
