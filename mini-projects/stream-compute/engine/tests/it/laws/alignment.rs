//! Barriers in several channels, against a task that looks at whole channels.

use proptest::prelude::*;
use stream_engine::{Alignment, Met};

#[test]
fn one_channel_needs_no_alignment() {
    let mut alignment = Alignment::new(1);
    assert_eq!(alignment.barrier(0, 1), Met::Complete);
    assert!(!alignment.is_blocked(0));
    assert_eq!(alignment.barrier(0, 2), Met::Complete);
}

#[test]
fn a_newer_checkpoint_gives_an_older_one_up() {
    let mut alignment = Alignment::new(2);
    assert_eq!(alignment.barrier(0, 1), Met::Wait);
    assert!(alignment.is_blocked(0));
    assert_eq!(alignment.barrier(1, 2), Met::Wait);
    assert!(
        !alignment.is_blocked(0),
        "it is read up to the newer barrier"
    );
    assert!(alignment.is_blocked(1));
    assert_eq!(alignment.barrier(0, 1), Met::Stale);
    assert_eq!(alignment.barrier(0, 2), Met::Complete);
    assert_eq!(alignment.barrier(1, 2), Met::Stale);
}

/// What a channel carries.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Item {
    Record,
    Barrier(u64),
}

proptest! {
    #![proptest_config(crate::fixed(256))]

    /// In any interleaving, the snapshot of a checkpoint has exactly the records before its
    /// barriers, in each channel.
    #[test]
    fn a_snapshot_has_what_is_before_the_barriers(
        gaps in prop::collection::vec(prop::collection::vec(0..4usize, 3), 1..5),
        turns in prop::collection::vec(0..5usize, 0..300),
    ) {
        let channels: Vec<Vec<Item>> = gaps
            .iter()
            .map(|gaps| {
                let mut items = Vec::new();
                for (gap, id) in gaps.iter().zip(1..) {
                    items.extend(vec![Item::Record; *gap]);
                    items.push(Item::Barrier(id));
                }
                items
            })
            .collect();
        let count = channels.len();
        let mut alignment = Alignment::new(count);
        let mut at = vec![0; count];
        let mut read = vec![0; count];
        let mut complete = 0;
        for turn in turns.into_iter().chain((0..count * 30).map(|n| n % count)) {
            let channel = turn % count;
            if alignment.is_blocked(channel) || at[channel] == channels[channel].len() {
                continue;
            }
            let item = channels[channel][at[channel]];
            at[channel] += 1;
            match item {
                Item::Record => read[channel] += 1,
                Item::Barrier(id) => {
                    if alignment.barrier(channel, id) == Met::Complete {
                        complete += 1;
                        prop_assert_eq!(id, complete);
                        let taken = usize::try_from(id).unwrap();
                        let before: Vec<usize> =
                            gaps.iter().map(|gaps| gaps[..taken].iter().sum()).collect();
                        prop_assert_eq!(&read, &before);
                    }
                }
            }
        }
        prop_assert_eq!(complete, 3);
    }
}
