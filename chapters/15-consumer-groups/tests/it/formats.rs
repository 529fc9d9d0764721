//! The records are Kafka's.

use std::time::Duration;

use bytes::Bytes;
use consumer_groups::{
    Client, GroupValue, InstanceId, MemberId, OffsetValue, Stored, StoredGroup, StoredMember,
    Unreadable, partition_of,
};
use message_model::Timestamp;

use crate::support::name;

fn offset(value: Option<OffsetValue>) -> Stored {
    Stored::Offset {
        group: "g".into(),
        topic: name("t"),
        partition: 7,
        value,
    }
}

fn value() -> OffsetValue {
    OffsetValue {
        offset: 258,
        leader_epoch: 3,
        metadata: "m".into(),
        committed_at: Timestamp(1),
        expires_at: None,
    }
}

fn group() -> Stored {
    let member = |id: &str, instance: Option<&str>| StoredMember {
        member: MemberId::new(id),
        instance: instance.map(InstanceId::new),
        client: Client {
            id: "c".into(),
            host: "/1.2.3.4".into(),
        },
        session_timeout: Duration::from_secs(10),
        rebalance_timeout: Duration::from_secs(60),
        metadata: Bytes::from_static(b"meta"),
        assignment: Bytes::from_static(b"share"),
    };
    Stored::Group {
        group: "g".into(),
        value: Some(GroupValue {
            group: StoredGroup {
                generation: 5,
                protocol_type: "consumer".into(),
                protocol: Some("range".into()),
                leader: Some(MemberId::new("m1")),
                members: vec![member("m1", None), member("m2", Some("i"))],
            },
            since: Timestamp(9),
        }),
    }
}

fn read(stored: &Stored) -> Result<Stored, Unreadable> {
    let (key, value) = stored.encode();
    Stored::decode(Some(&key), value.as_deref())
}

/// Kafka's `OffsetCommitKey` 1 and `OffsetCommitValue` 3, byte by byte.
#[test]
fn a_committed_offset_has_kafkas_bytes() {
    let (key, bytes) = offset(Some(value())).encode();
    assert_eq!(key, [0, 1, 0, 1, b'g', 0, 1, b't', 0, 0, 0, 7]);
    let expected = [
        [0, 3, 0, 0, 0, 0, 0, 0, 1, 2].as_slice(),
        &[0, 0, 0, 3],
        &[0, 1, b'm'],
        &[0, 0, 0, 0, 0, 0, 0, 1],
    ];
    assert_eq!(bytes.unwrap(), expected.concat());
}

#[test]
fn what_is_written_is_read() {
    let kept = OffsetValue {
        expires_at: Some(Timestamp(77)),
        leader_epoch: -1,
        ..value()
    };
    let tombstone = Stored::Group {
        group: "g".into(),
        value: None,
    };
    for stored in [
        offset(Some(value())),
        offset(Some(kept)),
        offset(None),
        group(),
        tombstone,
    ] {
        assert_eq!(read(&stored), Ok(stored));
    }
}

/// Version 4 of a committed offset, which a newer Kafka writes: compact, with a tagged topic id.
#[test]
fn the_flexible_version_is_read() {
    let (key, _) = offset(None).encode();
    let mut bytes = vec![0, 4, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 3, 2, b'm'];
    bytes.extend([0, 0, 0, 0, 0, 0, 0, 1]);
    bytes.extend([1, 0, 16]);
    bytes.extend([0xaa; 16]);
    assert_eq!(
        Stored::decode(Some(&key), Some(&bytes)),
        Ok(offset(Some(value())))
    );
}

#[test]
fn any_prefix_and_any_flipped_byte_is_read_or_refused() {
    for stored in [offset(Some(value())), group()] {
        let (key, bytes) = stored.encode();
        let bytes = bytes.unwrap();
        for length in 0..bytes.len() {
            assert!(Stored::decode(Some(&key), Some(&bytes[..length])).is_err());
        }
        for at in 0..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[at] ^= 0xff;
            let _read_or_refused = Stored::decode(Some(&key), Some(&bytes));
        }
        for length in 0..key.len() {
            assert!(Stored::decode(Some(&key[..length]), Some(&bytes)).is_err());
        }
    }
    assert_eq!(Stored::decode(Some(&[0, 3, 1]), None), Ok(Stored::Unknown));
}

/// Java's `"…".hashCode()`, and its partition of 50.
#[test]
fn a_group_is_in_the_partition_in_which_kafka_looks_for_it() {
    // 103, 3242, 3176, and the text whose hash is the smallest number, for which Kafka takes 0.
    assert_eq!(partition_of("g", 50), 3);
    assert_eq!(partition_of("g1", 50), 42);
    assert_eq!(partition_of("ck", 50), 26);
    assert_eq!(partition_of("polygenelubricants", 50), 0);
    assert_eq!(partition_of("", 50), 0);
    // Beyond the first plane a character is two units of Java's.
    assert_eq!(partition_of("\u{1f600}", 50), 49);
}
