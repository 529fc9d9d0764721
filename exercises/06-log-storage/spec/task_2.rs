//! Recovery over a stream of bytes.

use message_model::Offset;
use record_batch::layout;
use spec_harness::{case, expect, expect_eq};

use super::part::{Recovery, Step};
use super::segment::{
    BASE, BATCH_SIZE_MAX, batch, batches, field_name, recover, recover_in_windows, segment, starts,
    whole,
};

#[test]
fn every_whole_batch_is_passed() {
    case!(
        "A segment that nothing happened to is passed batch by batch, to its end.",
        || expect_eq("the walk", recover(&segment()), whole(&batches(), 3)),
    );
}

#[test]
fn of_every_prefix_the_whole_batches_are_left() {
    case!(
        "Cut off at any byte, a segment ends behind its last whole batch.",
        || {
            let (segment, starts) = (segment(), starts(&batches()));
            for length in 0..segment.len() {
                let count = starts[1..].iter().filter(|end| **end <= length).count();
                let what = format!(
                    "the walk along the first {length} of {} bytes",
                    segment.len()
                );
                expect_eq(&what, recover(&segment[..length]), whole(&batches(), count));
            }
        }
    );
}

#[test]
fn windows_of_any_size_give_the_same_answer() {
    case!(
        "The bytes come in pieces of any size; what is found does not depend on it.",
        || {
            let segment = segment();
            for window in 1..=segment.len() {
                let what = format!("the walk in windows of {window} bytes");
                expect_eq(
                    &what,
                    recover_in_windows(&segment, window),
                    whole(&batches(), 3),
                );
                let torn = &segment[..segment.len() - 1];
                let what = format!("{what}, the last byte missing");
                expect_eq(
                    &what,
                    recover_in_windows(torn, window),
                    whole(&batches(), 2),
                );
            }
        }
    );
}

#[test]
fn every_flipped_byte_ends_the_segment_where_it_is() {
    case!(
        "A batch with any byte changed is not passed, as far as the CRC covers it; what comes behind it is not either.",
        || {
            let (segment, starts) = (segment(), starts(&batches()));
            for at in 0..segment.len() {
                let hit = starts.iter().filter(|start| **start <= at).count() - 1;
                let field = at - starts[hit];
                if field < layout::BATCH_LENGTH
                    || (layout::PARTITION_LEADER_EPOCH..layout::MAGIC).contains(&field)
                {
                    continue; // What a broker writes: the CRC leaves it out.
                }
                for change in [0x01, 0x80, 0xff] {
                    let mut flipped = segment.clone();
                    flipped[at] ^= change;
                    let what = format!(
                        "the walk, byte {field} of batch {hit} changed: {}",
                        field_name(field)
                    );
                    expect_eq(&what, recover(&flipped), whole(&batches(), hit));
                }
            }
        }
    );
}

#[test]
fn a_tail_of_zeros_is_not_part_of_the_segment() {
    case!(
        "A crash can leave a file's length without its data: zeros are no batch.",
        || {
            for zeros in [1, 11, 12, 60, 61, 62, 500] {
                let mut file = segment();
                file.resize(file.len() + zeros, 0);
                let what = format!("the walk with {zeros} zeros behind the last batch");
                expect_eq(&what, recover(&file), whole(&batches(), 3));
            }
        }
    );
}

#[test]
fn a_sector_of_zeros_in_a_batch_ends_the_segment() {
    case!(
        "A crash can lose the middle of a batch and keep what is around it.",
        || {
            let starts = starts(&batches());
            for start in starts[1]..starts[2] {
                let mut file = segment();
                file[start..starts[2]].fill(0);
                if file == segment() {
                    continue;
                }
                let what = format!("the walk, bytes {start}..{} lost", starts[2]);
                expect_eq(&what, recover(&file), whole(&batches(), 1));
            }
        }
    );
}

#[test]
fn offsets_must_not_go_back() {
    case!(
        "A whole batch that begins below the offset that is due is a leftover, and ends the segment.",
        || {
            for offset in [0, 999, 1000, 1003, 1005] {
                let mut file = segment();
                file.extend_from_slice(&batch(offset, 2));
                let what = format!("the walk with a batch at {offset} behind offset 1005");
                expect_eq(&what, recover(&file), whole(&batches(), 3));
            }
            let what = "the walk along a segment whose first batch begins below its name";
            expect_eq(what, recover(&batch(999, 1)), whole(&[], 0));
        }
    );
}

#[test]
fn offsets_may_have_gaps() {
    case!(
        "A batch may begin above the offset that is due: followers and compaction leave gaps.",
        || {
            let batches = [batch(1002, 2), batch(1010, 1), batch(5000, 3)];
            expect_eq("the walk", recover(&batches.concat()), whole(&batches, 3));
        }
    );
}

#[test]
fn no_more_is_asked_for_than_a_batch_can_have() {
    case!(
        "A length is not believed before it is compared with the limit: a damaged one must not cost 2 GiB of memory.",
        || {
            let claims = [i32::MAX, i32::MAX - 12, 1 << 24, 389];
            for claim in claims {
                let mut file = batch(1000, 1);
                file[layout::BATCH_LENGTH..layout::PARTITION_LEADER_EPOCH]
                    .copy_from_slice(&claim.to_be_bytes());
                let mut walk = Recovery::new(BASE, BATCH_SIZE_MAX);
                let what = format!("the step at a batch that claims {claim} more bytes");
                expect_eq(&what, walk.step(&file), Step::End);
            }
        }
    );
}

#[test]
fn a_batch_may_be_as_large_as_the_limit() {
    case!("A batch of exactly the limit is a batch.", || {
        let batch = batch(1000, 4);
        let mut walk = Recovery::new(BASE, batch.len());
        let step = walk.step(&batch);
        expect(
            "a batch of exactly the limit is passed",
            matches!(step, Step::Batch(_)),
        );
        let mut walk = Recovery::new(BASE, batch.len() - 1);
        expect_eq(
            "the step with a limit one byte below",
            walk.step(&batch),
            Step::End,
        );
    });
}

#[test]
fn a_length_below_a_header_is_no_batch() {
    case!(
        "A length that is negative, zero or too small for a header ends the segment.",
        || {
            for claim in [i32::MIN, -1, 0, 1, 48] {
                let mut file = segment();
                file[layout::BATCH_LENGTH..layout::PARTITION_LEADER_EPOCH]
                    .copy_from_slice(&claim.to_be_bytes());
                let what = format!("the walk along a batch with the length {claim}");
                expect_eq(&what, recover(&file), whole(&batches(), 0));
            }
        }
    );
}

#[test]
fn the_walk_stays_where_it_is_until_it_has_a_batch() {
    case!(
        "Asking for more bytes, or ending, moves the walk neither in the file nor in the offsets.",
        || {
            let (first, torn) = (batch(1000, 3), batch(1003, 1));
            let mut walk = Recovery::new(BASE, BATCH_SIZE_MAX);
            let _ = walk.step(&first);
            let behind = (first.len() as u64, Offset(1003));
            for size in 0..torn.len() {
                let what = format!("the step with {size} of {} bytes asks for more", torn.len());
                let asks = matches!(walk.step(&torn[..size]), Step::Need(bytes) if bytes > size && bytes <= torn.len());
                expect(&what, asks);
                expect_eq(
                    "position and offset",
                    (walk.position(), walk.next_offset()),
                    behind,
                );
            }
            expect_eq("the step at zeros", walk.step(&[0; 100]), Step::End);
            expect_eq(
                "position and offset",
                (walk.position(), walk.next_offset()),
                behind,
            );
        }
    );
}

#[test]
fn a_compacted_batch_keeps_its_offsets() {
    case!(
        "Compaction removes records and keeps offsets: the next batch begins behind the last offset, not behind as many as are left.",
        || {
            let mut first = batch(1000, 2);
            // The offsets 1000..1010, of which two records are left.
            first[layout::LAST_OFFSET_DELTA..layout::BASE_TIMESTAMP]
                .copy_from_slice(&9_i32.to_be_bytes());
            let crc = crc32c::crc32c(&first[layout::ATTRIBUTES..]);
            first[layout::CRC..layout::ATTRIBUTES].copy_from_slice(&crc.to_be_bytes());
            let inside = [first.clone(), batch(1005, 1)];
            let what = "the walk with a batch at 1005 behind offsets 1000..1010";
            expect_eq(what, recover(&inside.concat()), whole(&inside, 1));
            let behind = [first, batch(1010, 1)];
            let what = "the walk with a batch at 1010 behind offsets 1000..1010";
            expect_eq(what, recover(&behind.concat()), whole(&behind, 2));
        }
    );
}

#[test]
fn the_largest_offset_is_no_reason_to_stop_the_start() {
    case!(
        "The CRC does not cover the base offset: one flipped to i64::MAX must not overflow.",
        || {
            for offset in [i64::MAX, i64::MAX - 1] {
                let mut walk = Recovery::new(BASE, BATCH_SIZE_MAX);
                let step = walk.step(&batch(offset, 3));
                let what = format!("the step at a batch that begins with offset {offset}");
                expect(&format!("{what} ends"), !matches!(step, Step::Need(_)));
            }
        }
    );
}
