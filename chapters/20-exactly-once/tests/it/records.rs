//! The records are Kafka's.

use std::time::Duration;

use exactly_once::{Instance, State, Stored, TransactionMetadata, Unreadable};
use message_model::{PartitionIndex, ProducerEpoch, ProducerId, Timestamp, TopicPartition};

use crate::support::name;

fn metadata(state: State, partitions: &[(&str, i32)]) -> TransactionMetadata {
    let partitions = partitions.iter().map(|(topic, partition)| TopicPartition {
        topic: name(topic),
        partition: PartitionIndex(*partition),
    });
    TransactionMetadata {
        producer: Instance {
            id: ProducerId(258),
            epoch: ProducerEpoch(3),
        },
        previous: ProducerId::NONE,
        timeout: Duration::from_secs(1),
        state,
        partitions: partitions.collect(),
        started: Timestamp(5),
        updated: Timestamp(7),
    }
}

fn stored(metadata: Option<TransactionMetadata>) -> Stored {
    Stored {
        id: "x".into(),
        metadata,
    }
}

#[test]
fn a_record_has_the_bytes_that_kafka_writes() {
    let (key, value) = stored(Some(metadata(State::Ongoing, &[("t", 2), ("t", 1)]))).encode();
    assert_eq!(key, [0, 0, 0, 1, b'x']);
    #[rustfmt::skip]
    let expected = [
        0, 0,
        0, 0, 0, 0, 0, 0, 1, 2,
        0, 3,
        0, 0, 3, 232,
        1,
        0, 0, 0, 1, 0, 1, b't', 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2,
        0, 0, 0, 0, 0, 0, 0, 7,
        0, 0, 0, 0, 0, 0, 0, 5,
    ];
    assert_eq!(value.as_deref(), Some(expected.as_slice()));
    let (_, value) = stored(Some(metadata(State::Empty, &[]))).encode();
    assert_eq!(value.unwrap()[17..21], [255; 4], "null");
    assert_eq!(stored(None).encode().1, None);
}

#[test]
fn what_was_written_is_read() {
    let states = [
        State::Empty,
        State::Ongoing,
        State::PrepareCommit,
        State::PrepareAbort,
        State::CompleteCommit,
        State::CompleteAbort,
    ];
    for state in states {
        let partitions: &[_] = match state {
            State::Empty => &[],
            _ => &[("t", 0), ("t", 9), ("u", 1)],
        };
        let stored = stored(Some(metadata(state, partitions)));
        let (key, value) = stored.encode();
        assert_eq!(Stored::decode(Some(&key), value.as_deref()), Ok(stored));
    }
    let (key, _) = stored(None).encode();
    assert_eq!(Stored::decode(Some(&key), None), Ok(stored(None)));
}

#[test]
fn the_flexible_version_is_read_with_fields_that_are_not_known() {
    #[rustfmt::skip]
    let value = [
        0, 1,
        0, 0, 0, 0, 0, 0, 1, 2,
        0, 3,
        0, 0, 3, 232,
        1,
        2, 2, b't', 3, 0, 0, 0, 1, 0, 0, 0, 2, 0,
        0, 0, 0, 0, 0, 0, 0, 7,
        0, 0, 0, 0, 0, 0, 0, 5,
        1, 2, 1, 9,
    ];
    let read = Stored::decode(Some(&[0, 0, 0, 1, b'x']), Some(&value));
    let expected = metadata(State::Ongoing, &[("t", 1), ("t", 2)]);
    assert_eq!(read, Ok(stored(Some(expected))));
}

#[test]
fn bytes_that_are_no_record_are_refused() {
    let (key, value) = stored(Some(metadata(State::Ongoing, &[("t", 2)]))).encode();
    let value = value.unwrap();
    for length in 0..value.len() {
        let read = Stored::decode(Some(&key), Some(&value[..length]));
        assert!(read.is_err(), "{length} bytes");
    }
    for length in 0..key.len() {
        assert!(Stored::decode(Some(&key[..length]), None).is_err());
    }
    let mut newer = value.clone();
    newer[1] = 2;
    let read = Stored::decode(Some(&key), Some(&newer));
    assert_eq!(read, Err(Unreadable::Version(2)));
    let mut state = value;
    state[16] = 6;
    let read = Stored::decode(Some(&key), Some(&state));
    assert_eq!(read, Err(Unreadable::State(6)));
}
