//! The fence.

use spec_harness::{case, expect_eq};

use super::numbers::{batch, known};
use super::part::{Refusal, fence};

/// The ends of the range, and some in the middle.
const EPOCHS: [i16; 8] = [-1, 0, 1, 5, 127, 128, i16::MAX - 1, i16::MAX];

#[test]
fn an_older_instance_is_refused() {
    case!("A batch of an older epoch is refused.", || {
        let refused = fence(&known(4, 9), batch(3, 10, 1));
        expect_eq("epoch 3, behind epoch 4", refused, Err(Refusal::Fenced));
    });
}

#[test]
fn the_same_instance_passes() {
    case!("A batch of the newest epoch passes.", || {
        let passes = fence(&known(4, 9), batch(4, 10, 1));
        expect_eq("epoch 4, behind epoch 4", passes, Ok(()));
    });
}

#[test]
fn a_newer_instance_passes() {
    case!(
        "The first batch of a newer epoch passes, also if one was left out.",
        || {
            for epoch in [5, 6, i16::MAX] {
                let passes = fence(&known(4, 9), batch(epoch, 0, 1));
                expect_eq(&format!("epoch {epoch}, behind epoch 4"), passes, Ok(()));
            }
        }
    );
}

#[test]
fn numbers_are_not_its_business() {
    case!(
        "The fence looks at epochs only: a batch that is out of order passes it.",
        || {
            for first in [-1, 0, 9, 11, i32::MAX] {
                for last in [None, Some(9), Some(i32::MAX)] {
                    let what = format!("first {first} behind {last:?}");
                    expect_eq(&what, fence(&known(4, last), batch(4, first, 1)), Ok(()));
                }
            }
        }
    );
}

#[test]
fn no_number_helps() {
    case!(
        "A batch of an older epoch is refused, whatever its numbers are.",
        || {
            for first in [-1, 0, 5, 9, 10, 11, i32::MAX] {
                for last in [None, Some(9), Some(i32::MAX)] {
                    for count in [1, 5] {
                        let refused = fence(&known(4, last), batch(3, first, count));
                        let what = format!("{count} from {first} on, behind {last:?}");
                        expect_eq(&what, refused, Err(Refusal::Fenced));
                    }
                }
            }
        }
    );
}

#[test]
fn an_epoch_without_records_fences() {
    case!(
        "An epoch in which no record has come yet refuses older ones all the same.",
        || {
            let refused = fence(&known(4, None), batch(3, 10, 1));
            expect_eq("epoch 3", refused, Err(Refusal::Fenced));
        }
    );
}

#[test]
fn all_pairs_of_epochs() {
    case!("Of two epochs the larger one is the newer one.", || {
        for newest in EPOCHS {
            for epoch in EPOCHS {
                let expected = if epoch < newest {
                    Err(Refusal::Fenced)
                } else {
                    Ok(())
                };
                let got = fence(&known(newest, 0), batch(epoch, 1, 1));
                expect_eq(&format!("epoch {epoch}, behind {newest}"), got, expected);
            }
        }
    });
}
