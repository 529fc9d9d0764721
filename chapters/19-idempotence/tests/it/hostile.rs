//! A snapshot is on a disk, and a disk may return anything.

use std::time::Duration;

use idempotence::{Limits, Table};
use message_model::{ProducerEpoch, ProducerId, Timestamp};
use proptest::prelude::*;

const LIMITS: Limits = Limits {
    producers_max: 1_000,
    idle_max: Duration::MAX,
};

/// The smallest producer in bytes: id, time, and a window without batches.
const PRODUCER_SIZE_MIN: usize = 8 + 8 + 4;

/// A table of what was restored is as large as its bytes allow, and its own bytes are these.
fn check(bytes: &[u8]) {
    let restored = Table::<()>::restore(LIMITS, Timestamp(i64::MAX), bytes);
    if let Ok(table) = restored {
        assert!(table.len() <= bytes.len() / PRODUCER_SIZE_MIN);
        assert_eq!(table.snapshot(), bytes);
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
        let mut table = Table::<()>::new(LIMITS);
        for producer in producers {
            table.note(Timestamp(7), ProducerId(producer), ProducerEpoch::FIRST, None);
        }
        let mut bytes = table.snapshot();
        for (at, byte) in spots {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        check(&bytes);
    }
}
