//! Barriers.

use spec_harness::{case, expect_eq};

use super::part;
use super::part::{Alignment, Met};

/// Hands in barriers, each with its channel, its id, and what is expected for it.
fn play(channels: usize, barriers: &[(usize, u64, Met)]) -> Alignment {
    let mut alignment = Alignment::new(channels);
    let mut story = match channels {
        1 => "1 channel".to_owned(),
        _ => format!("{channels} channels"),
    };
    for (channel, id, expected) in barriers {
        story += &format!("; barrier {id} in channel {channel}");
        expect_eq(&story, alignment.barrier(*channel, *id), *expected);
    }
    alignment
}

/// Checks which channels are blocked.
fn expect_blocked(what: &str, alignment: &Alignment, channels: usize, expected: &[usize]) {
    let blocked = (0..channels).filter(|channel| alignment.is_blocked(*channel));
    let what = format!("the channels that are blocked, {what}");
    expect_eq(&what, blocked.collect::<Vec<_>>(), expected.to_vec());
}

#[test]
fn one_channel() {
    case!(
        "A task with one channel need not wait: each barrier completes its checkpoint.",
        || {
            let alignment = play(
                1,
                &[
                    (0, 1, Met::Complete),
                    (0, 2, Met::Complete),
                    (0, 3, Met::Complete),
                ],
            );
            expect_blocked("with a single channel", &alignment, 1, &[]);
        }
    );
}

#[test]
fn two_channels() {
    case!(
        "The snapshot is taken when the barrier has come in both channels, in either order.",
        || {
            for first in [0, 1] {
                let (wait, complete) = ((first, 1, Met::Wait), (1 - first, 1, Met::Complete));
                play(2, &[wait, complete]);
            }
        }
    );
}

#[test]
fn a_channel_is_blocked_behind_its_barrier() {
    case!(
        "Behind its barrier a channel is not read until the barrier has come in all others.",
        || {
            let alignment = play(3, &[]);
            expect_blocked("before any barrier", &alignment, 3, &[]);
            let alignment = play(3, &[(1, 1, Met::Wait)]);
            expect_blocked("a barrier in 1", &alignment, 3, &[1]);
            let alignment = play(3, &[(1, 1, Met::Wait), (0, 1, Met::Wait)]);
            expect_blocked("barriers in 1 and 0", &alignment, 3, &[0, 1]);
            let barriers = [(1, 1, Met::Wait), (0, 1, Met::Wait), (2, 1, Met::Complete)];
            let alignment = play(3, &barriers);
            expect_blocked("barriers in all", &alignment, 3, &[]);
        }
    );
}

#[test]
fn one_checkpoint_after_the_other() {
    case!(
        "A task aligns each checkpoint anew: nothing is left of the one before.",
        || {
            let mut barriers = Vec::new();
            for id in 1..=4 {
                let order = if id % 2 == 0 { [0, 1, 2] } else { [2, 0, 1] };
                let met = [Met::Wait, Met::Wait, Met::Complete];
                barriers.extend(
                    order
                        .into_iter()
                        .zip(met)
                        .map(|(channel, met)| (channel, id, met)),
                );
            }
            let alignment = play(3, &barriers);
            expect_blocked("after four checkpoints", &alignment, 3, &[]);
        }
    );
}

#[test]
fn a_newer_checkpoint() {
    case!(
        "A newer barrier gives the older checkpoint up: the other channels are read on up to theirs.",
        || {
            let alignment = play(
                3,
                &[(0, 1, Met::Wait), (1, 1, Met::Wait), (2, 2, Met::Wait)],
            );
            expect_blocked("2 has barrier 2, 0 and 1 have 1", &alignment, 3, &[2]);
            let barriers = [
                (0, 1, Met::Wait),
                (1, 1, Met::Wait),
                (2, 2, Met::Wait),
                (1, 2, Met::Wait),
                (0, 2, Met::Complete),
            ];
            let alignment = play(3, &barriers);
            expect_blocked("barrier 2 in all", &alignment, 3, &[]);
        }
    );
}

#[test]
fn a_barrier_of_one_that_was_given_up() {
    case!(
        "A barrier of a checkpoint that was given up changes nothing.",
        || {
            let barriers = [(0, 1, Met::Wait), (1, 2, Met::Wait), (2, 1, Met::Stale)];
            let alignment = play(3, &barriers);
            expect_blocked("1 has barrier 2", &alignment, 3, &[1]);
            let barriers = [
                (1, 2, Met::Wait),
                (0, 1, Met::Stale),
                (0, 2, Met::Complete),
                (1, 1, Met::Stale),
            ];
            let alignment = play(2, &barriers);
            expect_blocked("barrier 2 is complete", &alignment, 2, &[]);
        }
    );
}

#[test]
fn a_barrier_of_one_that_is_complete() {
    case!(
        "A barrier of a checkpoint that is complete changes nothing: no channel waits for it.",
        || {
            let alignment = play(
                1,
                &[
                    (0, 5, Met::Complete),
                    (0, 5, Met::Stale),
                    (0, 4, Met::Stale),
                ],
            );
            expect_blocked("5 is complete", &alignment, 1, &[]);
            let barriers = [(0, 5, Met::Wait), (1, 5, Met::Complete), (0, 5, Met::Stale)];
            let alignment = play(2, &barriers);
            expect_blocked("5 is complete", &alignment, 2, &[]);
        }
    );
}

#[test]
fn the_first_id_is_any() {
    case!(
        "A resumed job goes on counting: the first barrier may have any number, and some are left out.",
        || {
            let barriers = [
                (0, 4711, Met::Wait),
                (1, 4711, Met::Complete),
                (1, 4720, Met::Wait),
                (0, 4720, Met::Complete),
                (0, 4721, Met::Wait),
                (1, 4721, Met::Complete),
            ];
            play(2, &barriers);
        }
    );
}

#[test]
fn one_newer_after_the_other() {
    case!(
        "Checkpoints may be given up one after the other, also by the channel that is blocked.",
        || {
            let barriers = [
                (0, 1, Met::Wait),
                (1, 2, Met::Wait),
                (0, 3, Met::Wait),
                (1, 4, Met::Wait),
                (0, 4, Met::Complete),
            ];
            play(2, &barriers);
            let alignment = play(2, &[(0, 1, Met::Wait), (0, 2, Met::Wait)]);
            expect_blocked("0 has barrier 2", &alignment, 2, &[0]);
        }
    );
}

#[test]
fn ids_of_any_size() {
    case!(
        "An id is any number from 1 to the last one that there is, and none is cut off.",
        || {
            let ids = [1 << 16, 1 << 32, 1 << 33, 1 << 63, u64::MAX - 1, u64::MAX];
            play(1, &ids.map(|id| (0, id, Met::Complete)));
            play(1, &[(0, u64::MAX, Met::Complete), (0, 1, Met::Stale)]);
        }
    );
}

#[test]
fn a_much_newer_checkpoint() {
    case!(
        "A newer barrier gives the older checkpoint up, however many checkpoints are between the two.",
        || {
            for newer in 2..20 {
                let alignment = play(2, &[(0, 1, Met::Wait), (1, newer, Met::Wait)]);
                let what = format!("0 has barrier 1, 1 has {newer}");
                expect_blocked(&what, &alignment, 2, &[1]);
            }
            let barriers = [
                (0, 1, Met::Wait),
                (1, 4, Met::Wait),
                (0, 104, Met::Wait),
                (1, 1 << 40, Met::Wait),
                (0, 1 << 40, Met::Complete),
            ];
            let alignment = play(2, &barriers);
            expect_blocked("the last one is complete", &alignment, 2, &[]);
        }
    );
}

#[test]
fn many_channels() {
    case!(
        "Of a thousand channels the last one completes the checkpoint, whichever that is.",
        || {
            let mut alignment = Alignment::new(1000);
            for id in 1..=3 {
                for step in 0..1000 {
                    let channel = (step * 7 + 3) % 1000;
                    let met = alignment.barrier(channel, id);
                    let expected = if step == 999 {
                        Met::Complete
                    } else {
                        Met::Wait
                    };
                    let what = format!("barrier {id} in the channel that is number {step} of 1000");
                    expect_eq(&what, met, expected);
                }
            }
        }
    );
}

// Behind the simple cases, because a learner sees the first one that fails.
mod interleavings;
