//! What a view reads, and how much of it in one step.

use std::path::Path;

use disk::Disk;
use log_storage::{Error, Log, LogConfig};
use message_model::{Offset, Timestamp};
use record_batch::{Codec, Opening, layout};
use sim_disk::{Call, Counts, SimDisk};

use crate::batches::{
    self, OPENING, append, append_batch, append_until_rolled, batch, find, read, run, scan, small,
    start,
};

const DIR: &str = "/topic-0";
/// What a step may read, in bytes: 1 MiB, and a window more.
const STEP_BYTES_MAX: u64 = 1024 * 1024 + 64 * 1024;
/// How often a step may read.
const STEP_READS_MAX: u64 = 300;

/// Segments of 2 MB, an index entry every 1,000 bytes.
fn large() -> LogConfig {
    LogConfig {
        segment_bytes: 2_000_000,
        index_interval_bytes: 1000,
        ..small()
    }
}

fn open(disk: &SimDisk, config: LogConfig) -> Log {
    batches::open(disk.clone(), DIR, config).unwrap().log
}

/// A log of two segments, opened anew: nothing of it is loaded.
fn with_sealed_segment(disk: &SimDisk) -> (Log, Offset) {
    let mut log = open(disk, large());
    let (_, rolled_at) = fill(&mut log);
    let view = log.view();
    let durable = view.sync(Offset(0)).unwrap();
    view.save_recovery_point(durable).unwrap();
    (open(disk, large()), rolled_at)
}

/// Appends batches of 50 records until a segment of 2 MB is rolled.
fn fill(log: &mut Log) -> (usize, Offset) {
    let timestamps: Vec<i64> = (0..50).collect();
    for number in 0..10_000 {
        let end = log.log_end();
        let next = batch(end.0, &timestamps);
        let rolls = log.rolls_for(Timestamp(0), &batches::header(&next));
        append_batch(log, Timestamp(0), &next).unwrap();
        if rolls {
            return (number, end);
        }
    }
    panic!("a segment of 2 MB is full at some time");
}

/// What a job reads in each of its steps, which must be bounded; and its result.
fn steps<T>(
    disk: &SimDisk,
    mut step: impl FnMut() -> Result<Option<T>, Error>,
) -> Result<(T, Counts), Error> {
    let first = disk.counts();
    let result = run(|| {
        let before = disk.counts();
        let result = step()?;
        let after = disk.counts();
        assert!(after.reads - before.reads <= STEP_READS_MAX);
        assert!(after.bytes_read - before.bytes_read <= STEP_BYTES_MAX);
        Ok(result)
    })?;
    let last = disk.counts();
    let counts = Counts {
        reads: last.reads - first.reads,
        bytes_read: last.bytes_read - first.bytes_read,
        ..last
    };
    Ok((result, counts))
}

#[test]
fn the_index_of_a_sealed_segment_is_used() {
    let disk = SimDisk::new(1);
    let (log, rolled_at) = with_sealed_segment(&disk);
    let view = log.view();
    let target = Offset(rolled_at.0 - 60);
    let mut locate = view.scan(target);
    let (mut found, counts) = steps(&disk, || locate.step()).unwrap();
    let (_, header) = found.next().unwrap().unwrap();
    assert!(header.range().contains(target));
    assert!(
        counts.bytes_read < 60_000,
        "the indexes, not 2 MB: {counts:?}"
    );
    for offset in [0, 500, target.0] {
        let before = disk.counts();
        scan(&view, Offset(offset))
            .unwrap()
            .next()
            .unwrap()
            .unwrap();
        let reads = disk.counts().reads - before.reads;
        assert!(
            reads <= 3,
            "the segment is loaded: {reads} reads at {offset}"
        );
    }
}

#[test]
fn the_time_index_of_a_sealed_segment_is_used() {
    let disk = SimDisk::new(1);
    let mut log = open(&disk, large());
    for number in 0..60_i64 {
        let timestamps: Vec<i64> = (0..400).map(|index| 1000 * number + index).collect();
        let next = batch(log.log_end().0, &timestamps);
        append_batch(&mut log, Timestamp(0), &next).unwrap();
    }
    append_until(&mut log, Offset(50_000));
    let view = log.view();
    view.save_recovery_point(view.sync(Offset(0)).unwrap())
        .unwrap();
    let log = open(&disk, large());
    let mut job = log.view().find_timestamp(Timestamp(50_123), None);
    let (found, counts) = steps(&disk, || job.step()).unwrap();
    assert_eq!(found, Some((Timestamp(50_123), Offset(50 * 400 + 123))));
    assert!(counts.bytes_read < 100_000, "not 2 MB: {counts:?}");
}

/// Appends batches of old records until the log ends at `end` or above.
fn append_until(log: &mut Log, end: Offset) {
    while log.log_end() < end {
        let timestamps = vec![5; 200];
        append_batch(log, Timestamp(0), &batch(log.log_end().0, &timestamps)).unwrap();
    }
}

#[test]
fn at_the_tail_nothing_is_read() {
    let disk = SimDisk::new(1);
    let mut log = open(&disk, large());
    for _ in 0..200 {
        append(&mut log, 5);
    }
    disk.set_cold(true);
    let view = log.view().cached();
    let before = disk.counts();
    assert!(scan(&view, log.log_end()).unwrap().next().is_none());
    for offset in [900, 997, 999] {
        let batches: Vec<_> = scan(&view, Offset(offset)).unwrap().collect();
        assert_eq!(batches.len() as i64, 200 - offset / 5);
        let (_, first) = batches[0].as_ref().unwrap();
        assert!(first.range().contains(Offset(offset)));
    }
    assert_eq!(disk.counts(), before);
}

#[test]
fn a_cached_view_never_waits_and_says_so() {
    let disk = SimDisk::new(1);
    let (mut log, rolled_at) = with_sealed_segment(&disk);
    for _ in 0..600 {
        append(&mut log, 5);
    }
    let parking = disk.park_every(Call::Read, Path::new(DIR));
    let opening = disk.park_every(Call::Open, Path::new(DIR));
    let view = log.view().cached();
    let waits = |view: &log_storage::LogView, offset| match scan(view, offset) {
        Ok(mut scan) => scan.next().is_some_and(|batch| batch.is_err()),
        Err(error) => error.would_wait(),
    };
    assert!(waits(&view, Offset(10)), "a segment that is not loaded");
    assert!(
        waits(&view, rolled_at),
        "the active segment, far behind its end"
    );
    assert!(!waits(&view, Offset(log.log_end().0 - 5)), "the tail");
    let mut find = view.find_timestamp(Timestamp(1), None);
    assert!(run(|| find.step()).unwrap_err().would_wait());
    assert_eq!((parking.count(), opening.count()), (0, 0), "nothing waited");
    drop((parking, opening));
    assert!(waits(&view, Offset(10)), "loading a segment may wait");
    scan(&log.view(), Offset(10)).unwrap();
    assert!(!waits(&view, Offset(10)), "it is loaded now");
    disk.set_cold(true);
    assert!(waits(&view, Offset(10)), "its batches are not in memory");
    assert!(
        !waits(&log.view(), Offset(10)),
        "and this view waits for them"
    );
}

#[test]
fn claims_of_a_header_cost_bounded_steps_and_change_no_answer() {
    let disk = SimDisk::new(1);
    let mut log = open(&disk, large());
    let mut honest = 0;
    while honest == 0 || log.log_end() < Offset(60_000) {
        let end = log.log_end().0;
        let mut lying = batch(end, &vec![7; 300]);
        lying[layout::MAX_TIMESTAMP..layout::PRODUCER_ID]
            .copy_from_slice(&1_000_000_i64.to_be_bytes());
        let crc = crc32c::crc32c(&lying[layout::ATTRIBUTES..]);
        lying[layout::CRC..layout::ATTRIBUTES].copy_from_slice(&crc.to_be_bytes());
        append_batch(&mut log, Timestamp(0), &lying).unwrap();
        honest = log.log_end().0;
    }
    append_batch(&mut log, Timestamp(0), &batch(honest, &[900, 901])).unwrap();
    for log in [log, open(&disk, large())] {
        let view = log.view();
        let mut job = view.find_timestamp(Timestamp(901), None);
        let (found, _) = steps(&disk, || job.step()).unwrap();
        assert_eq!(found, Some((Timestamp(901), Offset(honest + 1))));
        assert_eq!(find(&view, 902).unwrap(), None);
    }
}

/// A search by time is exact to the record in compressed batches too.
#[test]
fn a_compressed_batch_is_searched_record_by_record() {
    for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
        let disk = SimDisk::new(1);
        let mut log = open(&disk, large());
        append_batch(&mut log, Timestamp(0), &batch(0, &[5, 6])).unwrap();
        let closed = compression::close_batch(&batch(2, &[10, 50, 30]), codec);
        append_batch(&mut log, Timestamp(0), &closed).unwrap();
        append_batch(&mut log, Timestamp(0), &batch(5, &[40, 60])).unwrap();
        let view = log.view();
        let found = |target| {
            let found = find(&view, target).unwrap();
            found.map(|(timestamp, offset)| (timestamp.0, offset.0))
        };
        assert_eq!(found(7), Some((10, 2)), "{codec:?}");
        assert_eq!(found(11), Some((50, 3)), "{codec:?}");
        assert_eq!(found(50), Some((50, 3)), "{codec:?}");
        assert_eq!(found(51), Some((60, 6)), "{codec:?}");
        // Without codecs only the header is known.
        let mut job = view.find_timestamp(Timestamp(11), None);
        let header_only = run(|| job.step()).unwrap();
        assert_eq!(header_only, Some((Timestamp(50), Offset(2))), "{codec:?}");
    }
}

/// A batch of megabytes is read in pieces; what cannot be opened is found by its header.
#[test]
fn a_large_compressed_batch_and_one_that_cannot_be_opened() {
    let disk = SimDisk::new(1);
    let mut log = open(&disk, large());
    let timestamps: Vec<i64> = (0..300).collect();
    let closed = compression::close_batch(&batch(0, &timestamps), Codec::Gzip);
    append_batch(&mut log, Timestamp(0), &closed).unwrap();
    let view = log.view();
    // The tests open 10,000 bytes at most, and these records have more.
    assert_eq!(find(&view, 200).unwrap(), Some((Timestamp(299), Offset(0))));
    let mut job = view.find_timestamp(
        Timestamp(200),
        Some(Opening {
            size_max: 1_000_000,
            ..OPENING
        }),
    );
    let found = run(|| job.step()).unwrap();
    assert_eq!(found, Some((Timestamp(200), Offset(200))));
}

#[test]
fn a_missing_maximum_is_no_smaller_than_the_first_record() {
    let disk = SimDisk::new(1);
    let mut log = open(&disk, small());
    let mut lacking = batch(0, &[500, 400]);
    lacking[layout::MAX_TIMESTAMP..layout::PRODUCER_ID].copy_from_slice(&(-1_i64).to_be_bytes());
    let crc = crc32c::crc32c(&lacking[layout::ATTRIBUTES..]);
    lacking[layout::CRC..layout::ATTRIBUTES].copy_from_slice(&crc.to_be_bytes());
    append_batch(&mut log, Timestamp(0), &lacking).unwrap();
    assert_eq!(
        find(&log.view(), 450).unwrap(),
        Some((Timestamp(500), Offset(0)))
    );
}

#[test]
fn jobs_that_rebuild_an_index_do_it_in_steps() {
    let disk = SimDisk::new(1);
    let (log, rolled_at) = with_sealed_segment(&disk);
    for name in disk.list(Path::new(DIR)).unwrap() {
        if name.ends_with("index") {
            disk.remove(&Path::new(DIR).join(name)).unwrap();
        }
    }
    let view = log.view();
    let (mut first, mut second) = (view.scan(Offset(7)), view.scan(Offset(rolled_at.0 - 1)));
    // Two readers find the indexes missing at the same time.
    let mut found = (None, None);
    for _ in 0..1000 {
        if found.0.is_none() {
            found.0 = first.step().unwrap();
        }
        if found.1.is_none() {
            found.1 = second.step().unwrap();
        }
    }
    let offsets = [(found.0, 7), (found.1, rolled_at.0 - 1)];
    for (scan, offset) in offsets {
        let (_, header) = scan.unwrap().next().unwrap().unwrap();
        assert!(header.range().contains(Offset(offset)));
    }
    let again = open(&disk, large());
    let mut locate = again.view().scan(Offset(rolled_at.0 - 1));
    let (_, counts) = steps(&disk, || locate.step()).unwrap();
    assert!(
        counts.bytes_read < 60_000,
        "they were made again: {counts:?}"
    );
    disk.remove(&Path::new(DIR).join("00000000000000000000.timeindex"))
        .unwrap();
    disk.remove(&Path::new(DIR).join("00000000000000000000.index"))
        .unwrap();
    let log = open(&disk, large());
    let mut job = log.view().retention(Timestamp(0), log.log_end());
    steps(&disk, || job.step()).unwrap();
    let mut job = log.view().find_timestamp(Timestamp(49), None);
    steps(&disk, || job.step()).unwrap();
}

#[test]
fn a_view_does_not_see_what_comes_later() {
    let disk = SimDisk::new(1);
    let mut log = open(&disk, small());
    append(&mut log, 3);
    let view = log.view();
    let before = read(&log, Offset(0));
    append_until_rolled(&mut log);
    assert_eq!(view.log_end(), Offset(3));
    assert_eq!(batches::try_read(&view, Offset(0)).unwrap(), before);
    assert!(scan(&view, Offset(3)).unwrap().next().is_none());
    assert!(matches!(
        scan(&view, Offset(4)),
        Err(Error::OutOfRange { .. })
    ));
    assert_eq!(find(&view, 2).unwrap(), Some((Timestamp(2), Offset(2))));
    assert_eq!(
        find(&view, 3).unwrap(),
        None,
        "the log has it, the view has not"
    );
    assert!(find(&log.view(), 3).unwrap().is_some());
}

#[test]
fn indexes_of_either_meaning_are_right() {
    let disk = SimDisk::new(1);
    let mut log = open(&disk, small());
    let (all, rolled_at) = append_until_rolled(&mut log);
    log.view().sync(Offset(0)).unwrap();
    // As this log wrote them before: by the first offset of a batch.
    let (mut offsets, mut times) = (Vec::new(), Vec::new());
    let mut position = 0;
    for (number, (offset, bytes)) in all.iter().enumerate() {
        if number % 3 == 2 && *offset < rolled_at {
            let offset = i32::try_from(offset.0).unwrap();
            offsets.extend_from_slice(&offset.to_be_bytes());
            offsets.extend_from_slice(&i32::try_from(position).unwrap().to_be_bytes());
            times.extend_from_slice(&(i64::from(offset) * 10 + 2).to_be_bytes());
            times.extend_from_slice(&offset.to_be_bytes());
        }
        position += bytes.len();
    }
    for (suffix, bytes) in [("index", offsets), ("timeindex", times)] {
        let path = Path::new(DIR).join(format!("{:020}.{suffix}", 0));
        disk.create(&path).unwrap().write_all_at(&bytes, 0).unwrap();
    }
    let view = log.view();
    view.save_recovery_point(log.log_end()).unwrap();
    let log = open(&disk, small());
    assert_eq!(read(&log, Offset(0)), all);
    for offset in 0..rolled_at.0 {
        assert_eq!(
            read(&log, Offset(offset)),
            all[usize::try_from(offset).unwrap() / 3..]
        );
        let timestamp = offset / 3 * 30 + offset % 3;
        let found = find(&log.view(), timestamp).unwrap();
        assert_eq!(found, Some((Timestamp(timestamp), Offset(offset))));
    }
}

#[test]
fn retention_by_size_and_by_age_take_turns() {
    let disk = SimDisk::new(1);
    let mut config = small();
    config.retention.bytes = Some(1500);
    config.retention.age = Some(std::time::Duration::from_millis(1));
    let mut log = open(&disk, config);
    for _ in 0..4 {
        append_until_rolled(&mut log);
    }
    let view = log.view();
    let end = log.log_end();
    let by_size = start(&view, Timestamp(0), end).unwrap();
    let by_age = start(&view, Timestamp(i64::MAX), end).unwrap();
    assert!(Offset(0) < by_size && by_size < by_age && by_age < end);
    assert_eq!(start(&view, Timestamp(0), Offset(0)).unwrap(), Offset(0));
    // Only the ages that can decide are looked for.
    let log = open(&disk, config);
    let before = disk.counts();
    start(&log.view(), Timestamp(0), end).unwrap();
    assert!(disk.counts().bytes_read - before.bytes_read < 1500);
}
