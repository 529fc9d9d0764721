//! Batches through the chapter's public API: laws that hold for any records and
//! any bytes, and bytes that a real client made.

mod control;
mod from_producer;
mod laws;
mod real_client;
mod traces;

use message_model::Timestamp;
use record_batch::{BatchBuilder, Header, RecordToSend, layout};

/// A record that owns what it points to.
#[derive(Debug, Clone)]
struct OwnedRecord {
    timestamp: i64,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Vec<(String, Option<Vec<u8>>)>,
}

fn build(records: &[OwnedRecord]) -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    for record in records {
        builder.push(&RecordToSend {
            timestamp: Timestamp(record.timestamp),
            key: record.key.as_deref(),
            value: record.value.as_deref(),
            headers: headers(record),
        });
    }
    builder.build()
}

fn headers(record: &OwnedRecord) -> Vec<Header<'_>> {
    record
        .headers
        .iter()
        .map(|(key, value)| Header {
            key,
            value: value.as_deref(),
        })
        .collect()
}

/// Makes the CRC fit again after a change.
fn seal(batch: &mut [u8]) {
    let crc = crc32c::crc32c(&batch[layout::ATTRIBUTES..]);
    batch[layout::CRC..layout::ATTRIBUTES].copy_from_slice(&crc.to_be_bytes());
}

/// Writes `bytes` at `position` and seals.
fn with(mut batch: Vec<u8>, position: usize, bytes: &[u8]) -> Vec<u8> {
    batch[position..position + bytes.len()].copy_from_slice(bytes);
    seal(&mut batch);
    batch
}
