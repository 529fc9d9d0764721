//! The twelve bytes that a broker writes into a batch.

use message_model::{LeaderEpoch, Offset};
use spec_harness::{case, expect_bytes, expect_eq};

use super::part::{BatchHeader, assign_offsets, layout};
use super::{batch, computed_crc, stored_crc};

/// `before` with the two fields written by hand.
fn expected(before: &[u8], base_offset: [u8; 8], leader_epoch: [u8; 4]) -> Vec<u8> {
    let mut after = before.to_vec();
    after[0..8].copy_from_slice(&base_offset);
    after[12..16].copy_from_slice(&leader_epoch);
    after
}

fn hex(crc: u32) -> String {
    format!("{crc:08x}")
}

#[test]
fn the_base_offset_stands_in_the_first_eight_bytes() {
    case!(
        "A batch that is appended at offset 1000 (0x3e8) says so in its first eight bytes.",
        || {
            let before = batch();
            let mut after = before.clone();
            assign_offsets(&mut after, Offset(1000), LeaderEpoch(0));
            expect_bytes(
                "the batch after assign_offsets(batch, Offset(1000), LeaderEpoch(0)); `>` marks the fields that differ",
                &after,
                &expected(&before, [0, 0, 0, 0, 0, 0, 0x03, 0xe8], [0, 0, 0, 0]),
                layout::FIELDS,
            );
        }
    );
}

#[test]
fn the_leader_epoch_stands_behind_the_length() {
    case!(
        "A batch that a leader of epoch 5 appends says so in the four bytes behind its length.",
        || {
            let before = batch();
            let mut after = before.clone();
            assign_offsets(&mut after, Offset(0), LeaderEpoch(5));
            expect_bytes(
                "the batch after assign_offsets(batch, Offset(0), LeaderEpoch(5)); `>` marks the fields that differ",
                &after,
                &expected(&before, [0; 8], [0, 0, 0, 5]),
                layout::FIELDS,
            );
        }
    );
}

#[test]
fn the_highest_byte_comes_first() {
    case!(
        "Numbers are big-endian, as everywhere in Kafka's formats: the highest byte comes first.",
        || {
            let before = batch();
            let mut after = before.clone();
            assign_offsets(
                &mut after,
                Offset(0x0102_0304_0506_0708),
                LeaderEpoch(0x0a0b_0c0d),
            );
            expect_bytes(
                "the batch after assign_offsets(batch, Offset(0x0102030405060708), LeaderEpoch(0x0a0b0c0d))",
                &after,
                &expected(
                    &before,
                    [0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08],
                    [0x0a, 0x0b, 0x0c, 0x0d],
                ),
                layout::FIELDS,
            );
        }
    );
}

#[test]
fn what_stood_there_before_does_not_matter() {
    case!(
        "The broker's numbers replace the producer's, whatever those were.",
        || {
            let before = expected(&batch(), [0x7f; 8], [0xff; 4]);
            let mut after = before.clone();
            assign_offsets(&mut after, Offset(3), LeaderEpoch(1));
            expect_bytes(
                "a batch with other numbers in it, after assign_offsets(batch, Offset(3), LeaderEpoch(1))",
                &after,
                &expected(&before, [0, 0, 0, 0, 0, 0, 0, 3], [0, 0, 0, 1]),
                layout::FIELDS,
            );
        }
    );
}

#[test]
fn nothing_else_changes() {
    case!(
        "Twelve bytes change; all others stay as the producer sent them, even if they are no sensible batch.",
        || {
            let before = vec![0xaa; layout::RECORDS + 20];
            let mut after = before.clone();
            assign_offsets(&mut after, Offset(0), LeaderEpoch(0));
            expect_bytes(
                "81 bytes of 0xaa after assign_offsets(batch, Offset(0), LeaderEpoch(0))",
                &after,
                &expected(&before, [0; 8], [0; 4]),
                layout::FIELDS,
            );
        }
    );
}

#[test]
fn the_crc_still_fits() {
    case!(
        "The producer's CRC stays valid, untouched: it covers the batch from the attributes on.",
        || {
            let mut batch = batch();
            let sent = stored_crc(&batch);
            assign_offsets(&mut batch, Offset(123_456_789), LeaderEpoch(42));
            expect_eq(
                "the CRC that the batch has",
                hex(stored_crc(&batch)),
                hex(sent),
            );
            expect_eq(
                "the CRC that its bytes give",
                hex(computed_crc(&batch)),
                hex(sent),
            );
        }
    );
}

#[test]
fn readers_find_the_records_at_their_offsets() {
    case!(
        "Whoever reads the header of a batch of three records, appended at 1000, learns that it holds 1000, 1001 and 1002.",
        || {
            let mut batch = batch();
            assign_offsets(&mut batch, Offset(1000), LeaderEpoch(0));
            let header = BatchHeader::read(&batch).expect("assign_offsets leaves a batch a batch");
            expect_eq(
                "the header's range",
                header.range().to_string(),
                "1000..1003".to_owned(),
            );
        }
    );
}
