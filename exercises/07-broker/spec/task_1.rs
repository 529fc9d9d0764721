//! Which whole batches a fetch returns.

mod batches;

use spec_harness::{case, expect_eq};

use super::part::whole_batches;
use batches::{
    Batch, Broken, at_least_one, batch, four, of_four, reads_at_most, selected, slowly, want,
};

#[test]
fn everything_that_there_is() {
    case!("With room for all, all batches are returned.", || {
        let got = whole_batches(four(), want(0, 40, 1_000));
        expect_eq(
            &of_four("from 0, at most 1000 bytes"),
            got,
            selected(0, 400, 0, 40),
        );
    });
}

#[test]
fn it_begins_with_the_batch_that_holds_the_offset() {
    case!(
        "A batch is never cut open: offset 14 is in the batch that starts at 10, so that one is first.",
        || {
            let got = whole_batches(four(), want(14, 40, 1_000));
            expect_eq(&of_four("from 14"), got, selected(100, 300, 10, 40));
        }
    );
}

#[test]
fn the_last_offset_of_a_batch() {
    case!("Offset 19 is the last one of its batch.", || {
        let got = whole_batches(four(), want(19, 40, 1_000));
        expect_eq(&of_four("from 19"), got, selected(100, 300, 10, 40));
    });
}

#[test]
fn the_first_offset_of_a_batch() {
    case!(
        "Offset 20 begins a batch: the one before it is not returned.",
        || {
            let got = whole_batches(four(), want(20, 40, 1_000));
            expect_eq(&of_four("from 20"), got, selected(200, 200, 20, 40));
        }
    );
}

#[test]
fn what_lies_before_does_not_use_up_the_room() {
    case!(
        "Batches in front of the offset are passed over, and cost nothing.",
        || {
            let got = whole_batches(four(), want(30, 40, 100));
            expect_eq(
                &of_four("from 30, at most 100 bytes"),
                got,
                selected(300, 100, 30, 40),
            );
        }
    );
}

#[test]
fn as_many_as_fit_exactly() {
    case!("Two batches of 100 bytes fit in 200 bytes.", || {
        let got = whole_batches(four(), want(0, 40, 200));
        expect_eq(
            &of_four("from 0, at most 200 bytes"),
            got,
            selected(0, 200, 0, 20),
        );
    });
}

#[test]
fn one_byte_too_few() {
    case!(
        "In 199 bytes there is room for one batch of 100: the second stays out as a whole.",
        || {
            let got = whole_batches(four(), want(0, 40, 199));
            expect_eq(
                &of_four("from 0, at most 199 bytes"),
                got,
                selected(0, 100, 0, 10),
            );
        }
    );
}

#[test]
fn the_first_batch_is_too_large() {
    case!("Where nothing fits, nothing is returned.", || {
        let got = whole_batches(four(), want(0, 40, 99));
        expect_eq(&of_four("from 0, at most 99 bytes"), got, Ok(None));
    });
}

#[test]
fn at_least_one_batch() {
    case!(
        "With `at_least_one`, the first batch is returned although it is too large: else its reader never got past it.",
        || {
            let got = whole_batches(four(), at_least_one(want(10, 40, 1)));
            expect_eq(
                &of_four("from 10, at most 1 byte, at least one batch"),
                got,
                selected(100, 100, 10, 20),
            );
        }
    );
}

#[test]
fn at_least_one_is_not_two() {
    case!(
        "With `at_least_one`, the second batch must fit like any other.",
        || {
            let got = whole_batches(four(), at_least_one(want(0, 40, 150)));
            expect_eq(
                &of_four("from 0, at most 150 bytes, at least one batch"),
                got,
                selected(0, 100, 0, 10),
            );
        }
    );
}

#[test]
fn nothing_at_or_above_the_end() {
    case!(
        "What is at or above the reader's end is not returned.",
        || {
            let got = whole_batches(four(), want(0, 20, 1_000));
            expect_eq(&of_four("from 0, end 20"), got, selected(0, 200, 0, 20));
        }
    );
}

#[test]
fn the_end_inside_of_a_batch() {
    case!(
        "A batch that reaches beyond the end is not returned at all: it cannot be cut.",
        || {
            let got = whole_batches(four(), want(0, 29, 1_000));
            expect_eq(&of_four("from 0, end 29"), got, selected(0, 200, 0, 20));
        }
    );
}

#[test]
fn at_least_one_does_not_go_beyond_the_end() {
    case!(
        "`at_least_one` is about size: it does not show a reader what is beyond its end.",
        || {
            let got = whole_batches(four(), at_least_one(want(20, 20, 1_000)));
            expect_eq(
                &of_four("from 20, end 20, at least one batch"),
                got,
                Ok(None),
            );
        }
    );
}

#[test]
fn nothing_to_read() {
    case!("Without batches there is no selection.", || {
        let got = whole_batches(Vec::<Batch>::new(), at_least_one(want(0, 0, 1_000)));
        expect_eq("from 0, no batches", got, Ok(None));
    });
}

#[test]
fn an_offset_in_a_gap() {
    case!(
        "Compaction leaves gaps. From inside a gap, reading begins with the next batch, as from its first offset.",
        || {
            let batches = vec![batch(0, 0, 10, 100), batch(100, 50, 10, 100)];
            let what = "batches 0..10 and 50..60";
            expect_eq(
                &format!("from 20: {what}"),
                whole_batches(batches.clone(), want(20, 60, 1_000)),
                selected(100, 100, 50, 60),
            );
            expect_eq(
                &format!("from 20, at most 1 byte, at least one batch: {what}"),
                whole_batches(batches, at_least_one(want(20, 60, 1))),
                selected(100, 100, 50, 60),
            );
        }
    );
}

#[test]
fn a_run_over_a_gap() {
    case!(
        "A gap in the offsets ends nothing: the batches lie one behind the other all the same.",
        || {
            let batches = vec![batch(0, 0, 10, 100), batch(100, 50, 10, 100)];
            let got = whole_batches(batches, want(0, 60, 1_000));
            let what = "from 0: batches 0..10 and 50..60";
            expect_eq(what, got, selected(0, 200, 0, 60));
        }
    );
}

#[test]
fn what_cannot_be_read_is_an_error() {
    case!(
        "If the batch that is asked for cannot be read, that is the answer.",
        || {
            let batches = vec![batch(0, 0, 10, 100), Err(Broken), batch(200, 20, 10, 100)];
            expect_eq(
                "from 10: batches 0..10, one that cannot be read, 20..30",
                whole_batches(batches, want(10, 30, 1_000)),
                Err(Broken),
            );
        }
    );
}

#[test]
fn what_can_be_read_is_returned() {
    case!(
        "Batches in front of a broken one are returned; the error comes when it is its turn.",
        || {
            let batches = vec![batch(0, 0, 10, 100), batch(100, 10, 10, 100), Err(Broken)];
            let got = whole_batches(batches, want(0, 30, 1_000));
            expect_eq(
                "from 0: batches 0..10, 10..20, one that cannot be read",
                got,
                selected(0, 200, 0, 20),
            );
        }
    );
}

#[test]
fn behind_one_that_cannot_be_read_nothing_is_taken() {
    case!(
        "A selection is one run: behind a batch that cannot be read, none is taken.",
        || {
            let batches = vec![batch(0, 0, 10, 100), Err(Broken), batch(200, 20, 10, 100)];
            expect_eq(
                "from 0: batches 0..10, one that cannot be read, 20..30",
                whole_batches(batches, want(0, 30, 1_000)),
                selected(0, 100, 0, 10),
            );
        }
    );
}

#[test]
fn a_batch_with_fewer_records_than_offsets() {
    case!(
        "Compaction takes records out and leaves the batch its offsets: one with 2 records may have the offsets 0 to 9.",
        || {
            let mut compacted = batch(0, 0, 10, 100);
            if let Ok((_, header)) = &mut compacted {
                header.record_count = 2;
            }
            let batches = vec![compacted, batch(100, 10, 10, 100)];
            let what = "batches 0..10 (of which 2 records are left) and 10..20";
            expect_eq(
                &format!("from 7: {what}"),
                whole_batches(batches.clone(), want(7, 20, 1_000)),
                selected(0, 200, 0, 20),
            );
            expect_eq(
                &format!("from 0, end 5: {what}"),
                whole_batches(batches, want(0, 5, 1_000)),
                Ok(None),
            );
        }
    );
}

#[test]
fn it_reads_no_further_than_its_limit() {
    case!(
        "It stops at the first batch that does not fit: behind it may lie a gigabyte.",
        || {
            let limited = want(0, 655_360, 100_000);
            reads_at_most("from 0, at most 100000 bytes", limited, Some(60), 7);
            let small = want(0, 655_360, 1);
            reads_at_most("from 0, at most 1 byte", small, None, 1);
            let least = at_least_one(small);
            let what = "from 0, at most 1 byte, at least one batch";
            reads_at_most(what, least, Some(10), 2);
        }
    );
}

#[test]
fn it_reads_no_further_than_the_end() {
    case!(
        "It stops at the first batch that reaches beyond the reader's end: an open transaction may have a gigabyte behind it.",
        || {
            let open = want(0, 30, 1 << 30);
            reads_at_most("from 0, end 30", open, Some(30), 4);
            let inside = want(0, 35, 1 << 30);
            reads_at_most("from 0, end 35", inside, Some(30), 4);
            let waiting = at_least_one(want(30, 30, 1 << 30));
            reads_at_most("from 30, end 30, at least one batch", waiting, None, 4);
        }
    );
}

#[test]
fn a_later_batch_that_would_fit_is_not_taken() {
    case!(
        "A selection is one run: behind a batch that does not fit, none is taken, however small.",
        || {
            let batches = vec![
                batch(0, 0, 10, 100),
                batch(100, 10, 10, 900),
                batch(1_000, 20, 10, 100),
            ];
            let got = whole_batches(batches, want(0, 30, 300));
            expect_eq(
                "from 0, at most 300 bytes: batches of 100, 900 and 100 bytes",
                got,
                selected(0, 100, 0, 10),
            );
        }
    );
}

#[test]
fn far_into_a_large_segment() {
    case!(
        "A segment may have 4 GiB: lengths are counted from where the selection starts, without overflow.",
        || {
            let gib = 1 << 30;
            let batches = vec![
                batch(gib, 0, 10, gib),
                batch(2 * gib, 10, 10, gib),
                batch(3 * gib, 20, 10, gib),
                batch(u32::MAX - 99, 30, 10, 100),
            ];
            let got = whole_batches(batches.clone(), want(0, 30, 3 * gib));
            expect_eq(
                "from 0, at most 3 GiB: three batches of 1 GiB and one of 100 bytes, from byte 1 GiB on",
                got,
                selected(gib, 3 * gib, 0, 30),
            );
            let got = whole_batches(batches, want(30, 40, 1_000));
            expect_eq(
                "from 30, at most 1000 bytes: the last batch is at 4 GiB - 100 bytes",
                got,
                selected(u32::MAX - 99, 100, 30, 40),
            );
        }
    );
}

#[test]
fn every_request() {
    case!(
        "For every offset, end and limit: the longest run of whole batches that is allowed.",
        || {
            for from in 0..=40 {
                for end in from..=40 {
                    for max_bytes in (0..=450).step_by(50) {
                        for least in [false, true] {
                            let mut want = want(from, end, max_bytes);
                            want.at_least_one = least;
                            expect_eq(
                                &of_four(&format!("{want:?}")),
                                whole_batches(four(), want),
                                slowly(want),
                            );
                        }
                    }
                }
            }
        }
    );
}
