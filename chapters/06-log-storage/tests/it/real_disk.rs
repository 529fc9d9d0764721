//! On the real disk, in a temporary directory.

use std::sync::Arc;

use log_storage::{Disk, Log, LogConfig, Opened, RealDisk};
use message_model::{Offset, Timestamp};

use crate::batches::{append, read, small};

fn open(dir: &std::path::Path, config: LogConfig) -> Opened {
    Log::open(Arc::new(RealDisk), dir, config).unwrap()
}

#[test]
fn what_was_appended_is_read_back_after_reopening() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("topic-0");
    let mut expected = Vec::new();
    for _ in 0..3 {
        let opened = open(&dir, small());
        assert_eq!(opened.truncated, None);
        let mut log = opened.log;
        assert_eq!(read(&log, Offset(0)), expected);
        for count in 1..6 {
            let offset = log.log_end();
            let batch = append(&mut log, count);
            expected.push((offset, batch));
        }
        assert_eq!(read(&log, Offset(0)), expected);
        assert_eq!(
            log.find_timestamp(Timestamp(32)).unwrap(),
            Some((Timestamp(32), Offset(5)))
        );
    }
    let names = RealDisk.list(&dir).unwrap();
    let segments = names.iter().filter(|name| name.ends_with(".log"));
    assert!(segments.count() > 1, "several segments: {names:?}");
}
