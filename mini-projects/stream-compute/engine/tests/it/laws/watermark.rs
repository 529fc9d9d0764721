//! How far event time has come, over partitions.

use std::collections::BTreeMap;
use std::time::Duration;

use message_model::{Moment, Timestamp};
use proptest::prelude::*;
use stream_engine::{Lane, LowestWatermark, PartitionWatermarks, Progress};

const IDLE_AFTER: u64 = 10;

fn at(seconds: u64) -> Moment {
    Moment::after_start(Duration::from_secs(seconds))
}

fn watermarks(bound_ms: u64) -> PartitionWatermarks {
    let idle_after = Some(Duration::from_secs(IDLE_AFTER));
    PartitionWatermarks::new(Duration::from_millis(bound_ms), idle_after)
}

fn progress(watermark: i64, idle: bool) -> Progress {
    Progress {
        watermark: Some(Timestamp(watermark)),
        idle,
    }
}

#[test]
fn a_partition_that_has_nothing_holds_the_others() {
    let mut watermarks = watermarks(5);
    watermarks.open(at(0), 0, None);
    watermarks.open(at(0), 1, None);
    watermarks.observe(at(1), 0, Timestamp(100));
    assert_eq!(watermarks.progress(at(1)), Progress::default());
    watermarks.observe(at(2), 1, Timestamp(50));
    assert_eq!(watermarks.progress(at(2)), progress(45, false));
}

#[test]
fn a_silent_partition_holds_the_others_no_longer_than_it_may() {
    let mut watermarks = watermarks(5);
    watermarks.open(at(0), 0, None);
    watermarks.open(at(0), 1, None);
    watermarks.observe(at(0), 1, Timestamp(20));
    watermarks.observe(at(9), 0, Timestamp(100));
    assert_eq!(watermarks.progress(at(9)), progress(15, false));
    assert_eq!(watermarks.progress(at(10)), progress(95, false));
    // It speaks again: the watermark waits for it, and does not go back.
    watermarks.observe(at(11), 1, Timestamp(30));
    watermarks.observe(at(11), 0, Timestamp(200));
    assert_eq!(watermarks.progress(at(11)), progress(95, false));
    watermarks.observe(at(12), 1, Timestamp(110));
    assert_eq!(watermarks.progress(at(12)), progress(105, false));
}

#[test]
fn when_all_are_silent_the_watermark_stays() {
    let mut watermarks = watermarks(0);
    watermarks.open(at(0), 0, None);
    watermarks.observe(at(0), 0, Timestamp(7));
    assert_eq!(watermarks.progress(at(0)), progress(7, false));
    assert_eq!(watermarks.progress(at(10)), progress(7, true));
    // One beside it that has ended says nothing of it.
    watermarks.open(at(10), 1, None);
    watermarks.end(1);
    assert_eq!(watermarks.progress(at(20)), progress(7, true));
    watermarks.end(0);
    assert_eq!(watermarks.progress(at(20)), progress(i64::MAX, false));
}

#[test]
fn a_resumed_partition_is_where_it_was() {
    let mut first = watermarks(5);
    first.open(at(0), 3, None);
    first.observe(at(0), 3, Timestamp(70));
    let latest = first.latest();
    assert_eq!(latest, [(3, Timestamp(70))]);
    let mut resumed = watermarks(5);
    resumed.open(at(0), 3, Some(latest[0].1));
    assert_eq!(resumed.progress(at(0)), progress(65, false));
}

proptest! {
    #![proptest_config(crate::fixed(256))]

    /// Without idle partitions: the lowest of the highest of each, and never back.
    #[test]
    fn it_is_the_lowest_of_the_partitions(
        bound in 0..100i64,
        seen in prop::collection::vec((0..4u32, 0..1000i64), 1..60),
    ) {
        let mut watermarks = watermarks(bound.unsigned_abs());
        for partition in 0..4 {
            watermarks.open(at(0), partition, None);
        }
        let mut latest = BTreeMap::new();
        for (partition, time) in seen {
            watermarks.observe(at(0), partition, Timestamp(time));
            let entry = latest.entry(partition).or_insert(time);
            *entry = time.max(*entry);
            let lowest = latest.values().min().filter(|_| latest.len() == 4);
            let wanted = lowest.map(|lowest| Timestamp(lowest - bound));
            prop_assert_eq!(watermarks.progress(at(0)).watermark, wanted);
        }
    }

    /// Whatever inputs say, and whether they go idle or not: it never goes back, and it is
    /// never above an input that is waited for when it moves.
    #[test]
    fn it_never_goes_back_and_never_overtakes(
        said in prop::collection::vec((0..3u32, 0..100i64, any::<bool>()), 1..60),
    ) {
        let mut lowest = LowestWatermark::default();
        let mut lanes = [Lane::default(); 3];
        for (input, lane) in (0..).zip(lanes) {
            lowest.set(input, lane);
        }
        let mut before = None;
        for (input, time, idle) in said {
            let lane = Lane { watermark: Some(Timestamp(time)), idle };
            lanes[usize::try_from(input).unwrap()] = lane;
            lowest.set(input, lane);
            let now = lowest.progress().watermark;
            prop_assert!(now >= before);
            if now > before {
                prop_assert!(lanes.iter().all(|lane| lane.idle || lane.watermark >= now));
            }
            before = now;
        }
    }
}
