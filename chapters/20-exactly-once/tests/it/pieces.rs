//! Snapshots in pieces, and what is noted twice: asked of the rules directly.

use broker::{PRODUCERS_PER_PIECE, ProducerRules as _, Producers, Unreadable};
use exactly_once::{AllProducers, ProducerSettings};
use message_model::{Offset, PartitionIndex, ProducerEpoch, ProducerId, TopicPartition};
use record_batch::{BatchHeader, EndTransaction, Marker};

use crate::support::{NOW, Sent, name, sent};

fn producers() -> Box<dyn Producers> {
    let all = AllProducers::new(ProducerSettings::default());
    all.of_partition(&TopicPartition {
        topic: name("t"),
        partition: PartitionIndex(0),
    })
}

fn at(offset: i64, sent: Sent) -> BatchHeader {
    let mut header = BatchHeader::read(&sent.batch(&["a"])).unwrap();
    header.base_offset = Offset(offset);
    header
}

fn marker(offset: i64, producer: i64, marker: Marker) -> (BatchHeader, Option<EndTransaction>) {
    let end = EndTransaction {
        marker,
        coordinator_epoch: 3,
    };
    let batch = end.batch(NOW, ProducerId(producer), ProducerEpoch(0));
    let mut header = BatchHeader::read(&batch).unwrap();
    header.base_offset = Offset(offset);
    (header, Some(end))
}

/// All pieces.
fn pieces(producers: &dyn Producers) -> Vec<Vec<u8>> {
    let mut pieces = Vec::new();
    let mut after = None;
    while let Some(piece) = producers.snapshot(after) {
        after = Some(piece.last);
        pieces.push(piece.bytes);
    }
    pieces
}

/// Producers with all that can be known of one.
fn filled() -> Box<dyn Producers> {
    let mut producers = producers();
    for (offset, number) in (0..6).zip(0..) {
        producers.note(NOW, &at(offset, sent(1, number)), None);
    }
    let open = at(6, sent(2, 0).epoch(4).in_transaction());
    producers.note(NOW, &open, None);
    producers
        .begin(NOW, ProducerId(3), ProducerEpoch(0))
        .unwrap();
    let (header, end) = marker(7, 4, Marker::Commit);
    producers.note(NOW, &header, end);
    producers
}

#[test]
fn what_is_noted_again_changes_nothing() {
    let mut producers = producers();
    let open = at(0, sent(7, 0).in_transaction());
    let data = at(1, sent(8, 0));
    let (header, end) = marker(2, 7, Marker::Abort);
    producers.note(NOW, &open, None);
    producers.note(NOW, &data, None);
    let ended = producers.note(NOW, &header, end).unwrap();
    assert_eq!((ended.producer, ended.first), (ProducerId(7), Offset(0)));
    let before = pieces(&*producers);
    for header in [&open, &data] {
        assert_eq!(producers.note(NOW, header, None), None);
    }
    assert_eq!(producers.note(NOW, &header, end), None);
    assert_eq!(producers.first_unstable(), None);
    assert_eq!(pieces(&*producers), before);
}

#[test]
fn a_snapshot_is_taken_back_as_it_was() {
    let filled = filled();
    let pieces_before = pieces(&*filled);
    let mut restored = producers();
    for piece in &pieces_before {
        restored.restore(NOW, piece).unwrap();
    }
    assert_eq!(pieces(&*restored), pieces_before);
    assert_eq!(restored.first_unstable(), Some(Offset(6)));
    assert_eq!(restored.describe(None), filled.describe(None));
}

#[test]
fn a_piece_has_so_many_producers_at_most() {
    let mut producers = producers();
    let count = PRODUCERS_PER_PIECE + 1;
    for (producer, offset) in (0..).zip(0..).take(count) {
        producers.note(NOW, &at(offset, sent(producer, 0)), None);
    }
    let first = producers.snapshot(None).unwrap();
    assert_eq!(producers.describe(None).len(), PRODUCERS_PER_PIECE);
    assert_eq!(producers.describe(Some(first.last)).len(), 1);
    let last = producers.expire(NOW, None);
    assert_eq!(last, Some(first.last));
    assert_eq!(pieces(&*producers).len(), 2);
}

#[test]
fn bytes_that_are_no_piece_are_refused_and_change_nothing() {
    let piece = pieces(&*filled()).remove(0);
    for length in 0..piece.len() {
        let mut producers = producers();
        let cut = producers.restore(NOW, &piece[..length]);
        assert_eq!(cut, Err(Unreadable), "{length} bytes");
        assert!(producers.snapshot(None).is_none());
    }
    let mut older = piece.clone();
    older[0] = 0;
    assert_eq!(producers().restore(NOW, &older), Err(Unreadable), "version");
    let mut longer = piece.clone();
    longer.push(0);
    assert_eq!(producers().restore(NOW, &longer), Err(Unreadable));
    let mut restored = producers();
    restored.restore(NOW, &piece).unwrap();
    assert_eq!(restored.restore(NOW, &piece), Err(Unreadable), "twice");
}

#[test]
fn hostile_bytes_do_no_harm() {
    let piece = pieces(&*filled()).remove(0);
    let mut random = fastrand::Rng::with_seed(20);
    for _ in 0..20_000 {
        let mut hostile = piece.clone();
        for _ in 0..random.usize(1..4) {
            let at = random.usize(..hostile.len());
            hostile[at] = random.u8(..);
        }
        let mut producers = producers();
        if producers.restore(NOW, &hostile).is_ok() {
            let taken = pieces(&*producers);
            let mut again = self::producers();
            taken
                .iter()
                .for_each(|piece| again.restore(NOW, piece).unwrap());
            assert_eq!(pieces(&*again), taken);
        }
    }
}
