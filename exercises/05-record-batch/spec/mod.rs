//! What the part of chapter 05 must do.

use super::part;

mod task_1;
mod task_2;
mod task_3;
mod task_4;

use message_model::Timestamp;
use part::{BatchBuilder, Header, RecordToSend, layout};

/// A batch of three small records, as a producer sends it: base offset 0,
/// leader epoch 0, a CRC that fits.
fn batch() -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    for (step, value) in ["apple", "pear", "plum"].into_iter().enumerate() {
        builder.push(&RecordToSend {
            timestamp: Timestamp(
                1_700_000_000_000 + 40 * i64::try_from(step).expect("a small number"),
            ),
            key: (step > 0).then_some(b"fruit".as_slice()),
            value: Some(value.as_bytes()),
            headers: vec![Header {
                key: "line",
                value: Some(b"7"),
            }],
        });
    }
    builder.build()
}

/// The CRC-32C that the bytes of `batch` give.
fn computed_crc(batch: &[u8]) -> u32 {
    crc32c::crc32c(&batch[layout::ATTRIBUTES..])
}

/// The CRC-32C that stands in `batch`.
fn stored_crc(batch: &[u8]) -> u32 {
    u32::from_be_bytes(
        batch[layout::CRC..layout::ATTRIBUTES]
            .try_into()
            .expect("four bytes"),
    )
}

/// `batch` with `bytes` at `position` and a CRC that fits again.
fn with(mut batch: Vec<u8>, position: usize, bytes: &[u8]) -> Vec<u8> {
    batch[position..position + bytes.len()].copy_from_slice(bytes);
    let crc = computed_crc(&batch);
    batch[layout::CRC..layout::ATTRIBUTES].copy_from_slice(&crc.to_be_bytes());
    batch
}

/// How much address space this process has had at most, in KiB; only Linux tells.
fn address_space_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmPeak:"))?;
    line.split_whitespace().next()?.parse().ok()
}
