//! A segment cut off at any byte: it starts, says what it cut, serves the rest.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};

use message_model::Offset;
use mqd_guard::{Mqd, Port};
use record_batch::Batches;
use wire_protocol::ErrorCode;

use crate::raw::{Raw, batch};
use crate::support::{PATIENCE, mqd};

/// How many batches the segment has, with two records each.
const BATCHES: usize = 6;

/// Where each batch of the segment ends, in bytes, and how many records lie before that.
fn ends(segment: &[u8]) -> Vec<(usize, i64)> {
    let mut position = 0;
    let mut records = 0;
    let mut ends = vec![(0, 0)];
    for entry in Batches::new(segment) {
        let (header, bytes) = entry.expect("what mqd wrote is whole");
        position += bytes.len();
        records += i64::from(header.record_count);
        ends.push((position, records));
    }
    ends
}

fn segment_of(mqd: &Mqd) -> PathBuf {
    mqd.data_dir()
        .join("torn-0")
        .join("00000000000000000000.log")
}

fn cut(path: &Path, length: usize) {
    let file = OpenOptions::new().write(true).open(path).unwrap();
    file.set_len(u64::try_from(length).unwrap()).unwrap();
}

/// The values from offset `from` on, one fetch after the other.
fn read_all(raw: &mut Raw, end: i64) -> i64 {
    let mut next = 0;
    while next < end {
        let answer = raw.fetch("torn", next).unwrap();
        assert_eq!(answer.error_code, ErrorCode::NONE);
        let bytes = answer.records.into_bytes();
        assert!(!bytes.is_empty(), "no records at {next}, below {end}");
        for entry in Batches::new(&bytes) {
            let (header, batch) = entry.unwrap();
            assert_eq!(header.base_offset, Offset(next));
            assert_eq!(record_batch::decode_records(batch).unwrap().len(), 2);
            next = header.range().end.0;
        }
    }
    next
}

#[test]
fn at_any_byte_of_the_last_batch_and_at_a_sample_of_the_others() {
    let mut mqd = mqd().start().unwrap();
    let mut raw = Raw::connect(&mqd);
    raw.create_topic("torn");
    for _ in 0..BATCHES {
        let answer = raw.produce("torn", 1, batch(&[b"left", b"right"])).unwrap();
        assert_eq!(answer.error_code, ErrorCode::NONE);
    }
    mqd.kill_9().unwrap();
    let path = segment_of(&mqd);
    let whole = fs::read(&path).unwrap();
    let ends = ends(&whole);
    assert_eq!(ends.len(), BATCHES + 1);

    let last_start = ends[BATCHES - 1].0;
    let lengths = (0..last_start).step_by(53).chain(last_start..whole.len());
    for length in lengths {
        fs::write(&path, &whole).unwrap();
        cut(&path, length);
        mqd.restart(Port::Any).unwrap();
        let (end, records) = *ends.iter().rfind(|(end, _)| *end <= length).unwrap();
        let mut raw = Raw::connect(&mqd);
        assert_eq!(raw.log_end("torn"), records, "cut to {length} bytes");
        assert_eq!(read_all(&mut raw, records), records);
        let torn = length - end;
        if torn > 0 {
            let wanted = format!("torn-0: cut {torn} bytes of a torn tail off");
            assert!(mqd.says(&wanted, PATIENCE), "{wanted}:\n{}", mqd.stderr());
        } else {
            assert!(!mqd.stderr().contains("torn tail"), "{}", mqd.stderr());
        }
        // It goes on where the rest ends.
        let answer = raw.produce("torn", 1, batch(&[b"left", b"right"])).unwrap();
        assert_eq!(
            (answer.error_code, answer.base_offset),
            (ErrorCode::NONE, records)
        );
        mqd.kill_9().unwrap();
    }
}
