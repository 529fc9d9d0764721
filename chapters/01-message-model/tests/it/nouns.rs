//! The nouns through their public API.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use message_model::{
    InvalidTopicName, Moment, Offset, OffsetRange, PartitionIndex, Timestamp, TopicName,
    TopicPartition,
};

#[test]
fn a_topic_name_can_be_a_directorys() {
    for name in [
        "a",
        "access-log",
        "__consumer_offsets",
        "v1.2",
        "A",
        "...",
        "-",
        "7",
    ] {
        assert_eq!(TopicName::new(name).unwrap().as_str(), name);
    }
    let longest = "x".repeat(249);
    assert_eq!(TopicName::new(&longest).unwrap().as_str(), longest);
}

#[test]
fn what_could_leave_the_data_directory_is_no_topic_name() {
    use InvalidTopicName::{Character, Dots, Empty, TooLong};
    let too_long = "x".repeat(250);
    for (name, reason) in [
        ("", Empty),
        (".", Dots),
        ("..", Dots),
        (too_long.as_str(), TooLong),
        ("a/b", Character),
        ("../a", Character),
        ("a\\b", Character),
        ("a b", Character),
        ("a\0", Character),
        ("日志", Character),
    ] {
        assert_eq!(TopicName::new(name), Err(reason), "{name:?}");
    }
}

#[test]
fn a_partitions_directory_is_topic_and_index() {
    let partition = TopicPartition {
        topic: TopicName::new("access-log").unwrap(),
        partition: PartitionIndex(3),
    };
    assert_eq!(partition.to_string(), "access-log-3");
}

#[test]
fn a_timestamp_is_milliseconds_since_1970_and_never_before() {
    let at = |millis| UNIX_EPOCH + Duration::from_millis(millis);
    assert_eq!(
        Timestamp::from(at(1_431_864_305_123)),
        Timestamp(1_431_864_305_123)
    );
    assert_eq!(
        Timestamp::from(UNIX_EPOCH - Duration::from_secs(1)),
        Timestamp(0)
    );
    let micros = UNIX_EPOCH + Duration::from_micros(1_999);
    assert_eq!(Timestamp::from(micros), Timestamp(1), "the rest is cut off");
    assert!(Timestamp::from(SystemTime::UNIX_EPOCH) > Timestamp::NONE);
}

#[test]
fn time_between_two_timestamps_is_never_negative() {
    let since = |late: i64, early: i64| Timestamp(late).since(Timestamp(early));
    assert_eq!(since(1_500, 1_000), Duration::from_millis(500));
    assert_eq!(since(1_000, 1_500), Duration::ZERO);
    assert_eq!(since(i64::MIN, i64::MAX), Duration::ZERO);
    let longest = Duration::from_millis(i64::MAX.unsigned_abs());
    assert_eq!(since(i64::MAX, i64::MIN), longest, "it does not overflow");
}

#[test]
fn a_moment_adds_and_subtracts_without_overflow() {
    let second = Duration::from_secs(1);
    let moment = Moment::after_start(second);
    assert_eq!(moment.plus(second).since(moment), second);
    assert_eq!(moment.since(moment.plus(second)), Duration::ZERO);
    assert_eq!(
        Moment::START.plus(Duration::MAX).plus(second),
        Moment::START.plus(Duration::MAX)
    );
    assert_eq!(Moment::START, Moment::after_start(Duration::ZERO));
}

#[test]
fn offsets_are_counted_and_ranges_end_before_their_end() {
    assert_eq!(Offset(7).plus(3), Offset(10));
    assert_eq!(Offset(7).since(Offset(10)), -3);
    assert_eq!(Offset(7).to_string(), "7");
    let range = OffsetRange {
        start: Offset(7),
        end: Offset(10),
    };
    let inside: Vec<i64> = (5..12)
        .filter(|offset| range.contains(Offset(*offset)))
        .collect();
    assert_eq!(inside, [7, 8, 9]);
    assert_eq!(range.to_string(), "7..10");
    assert!(!range.is_empty());
    for end in [7, 6] {
        assert!(
            OffsetRange {
                end: Offset(end),
                ..range
            }
            .is_empty()
        );
    }
}
