//! A snapshot is on a disk, and a disk may return anything.

use std::time::Duration;

use idempotence::{Limits, Table, Turns};
use message_model::{ProducerEpoch, ProducerId, Timestamp};
use proptest::prelude::*;

const LIMITS: Limits = Limits {
    idle_max: Duration::MAX,
    piece_max: 1_000,
};

/// The smallest producer in bytes: id, time, turn, and a window without batches.
const PRODUCER_SIZE_MIN: usize = 8 + 8 + 8 + 4;

/// A table of what was restored is as large as its bytes allow, and its own bytes are these.
fn check(bytes: &[u8]) {
    let mut table = Table::<()>::new(LIMITS, Turns::default());
    match table.restore(Timestamp(i64::MAX), bytes) {
        Ok(added) => {
            assert_eq!(table.len(), added.len());
            assert!(added.len() <= bytes.len() / PRODUCER_SIZE_MIN);
            let piece = table.snapshot(None).map(|piece| piece.bytes);
            assert!(piece.is_none_or(|piece| piece == bytes));
        }
        Err(_) => assert!(table.is_empty()),
    }
}

proptest! {
    #[test]
    fn any_bytes(bytes in any::<Vec<u8>>()) {
        check(&bytes);
    }

    #[test]
    fn a_snapshot_with_spots(
        producers in prop::collection::vec(0..i64::MAX, 0..20),
        spots in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let mut table = Table::<()>::new(LIMITS, Turns::default());
        for producer in producers {
            table.note(Timestamp(7), ProducerId(producer), ProducerEpoch::FIRST, None);
        }
        let mut bytes = table.snapshot(None).map_or_else(Vec::new, |piece| piece.bytes);
        for (at, byte) in spots {
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
        }
        check(&bytes);
    }
}
