//! One process: its line, its lock, its end.

use std::fs;
use std::io::Read as _;
use std::net::TcpStream;
use std::thread;

use mqd_guard::Port;
use tempfile::TempDir;
use wire_protocol::ErrorCode;

use crate::raw::{Raw, batch, fetch_request, produce_request};
use crate::support::{PATIENCE, mqd, run, stderr, stdout};

#[test]
fn it_stops_on_sigterm_and_starts_again_on_the_same_data() {
    let mut mqd = mqd().start().unwrap();
    let id = fs::read(mqd.data_dir().join("cluster-id")).unwrap();
    assert_eq!(mqd.terminate().unwrap().code(), Some(0), "{}", mqd.stderr());
    assert!(
        mqd.stderr().contains("SIGTERM: stopping"),
        "{}",
        mqd.stderr()
    );
    assert!(
        mqd.stderr().contains("everything is on disk"),
        "{}",
        mqd.stderr()
    );
    mqd.restart(Port::Any).unwrap();
    assert_eq!(fs::read(mqd.data_dir().join("cluster-id")).unwrap(), id);
}

#[test]
fn an_end_by_a_signal_leaves_everything_on_disk() {
    for signal in ["TERM", "INT"] {
        let mut mqd = mqd().start().unwrap();
        let mut raw = Raw::connect(&mqd);
        raw.create_topic("kept");
        // Acknowledged from the page cache, and not synced yet.
        let answer = raw.produce("kept", 1, batch(&[b"a", b"b", b"c"])).unwrap();
        assert_eq!(answer.error_code, ErrorCode::NONE);
        // The offset below which all is on disk, and a checksum.
        let path = mqd.data_dir().join("kept-0/recovery-point");
        let on_disk = || fs::read_to_string(&path).is_ok_and(|text| text.starts_with("3 "));
        assert!(!on_disk());
        mqd.signal(signal).unwrap();
        assert_eq!(mqd.wait_for_exit().unwrap().code(), Some(0), "SIG{signal}");
        assert!(on_disk(), "SIG{signal}");
        mqd.restart(Port::Any).unwrap();
        assert_eq!(Raw::connect(&mqd).log_end("kept"), 3);
    }
}

/// The operator who stops it must hear that not everything is safe.
#[test]
fn an_end_with_a_partition_offline_is_no_success() {
    let mut mqd = mqd().start().unwrap();
    let mut raw = Raw::connect(&mqd);
    for topic in ["spoiled", "well"] {
        raw.create_topic(topic);
        let answer = raw.produce(topic, -1, batch(&[b"a"])).unwrap();
        assert_eq!(answer.error_code, ErrorCode::NONE);
    }
    assert_eq!(mqd.terminate().unwrap().code(), Some(0));
    // Below the recovery point, so nothing may be cut off.
    let log = mqd.data_dir().join("spoiled-0/00000000000000000000.log");
    let mut bytes = fs::read(&log).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&log, bytes).unwrap();
    mqd.restart(Port::Any).unwrap();
    assert!(mqd.says("spoiled-0 is offline", PATIENCE));
    let mut raw = Raw::connect(&mqd);
    let answer = raw.produce("spoiled", 1, batch(&[b"b"])).unwrap();
    assert_eq!(answer.error_code, ErrorCode::KAFKA_STORAGE_ERROR);
    let answer = raw.produce("well", 1, batch(&[b"b"])).unwrap();
    assert_eq!(
        (answer.error_code, answer.base_offset),
        (ErrorCode::NONE, 1)
    );
    assert_eq!(mqd.terminate().unwrap().code(), Some(1));
    let said = mqd.stderr();
    assert!(said.contains("could not be synced"), "{said}");
}

#[test]
fn many_partitions_are_kept_over_an_end_and_a_start() {
    const PARTITIONS: i32 = 300;
    let mut mqd = mqd().start().unwrap();
    let mut raw = Raw::connect(&mqd);
    assert_eq!(raw.create_partitions("many", PARTITIONS), ErrorCode::NONE);
    for index in 0..PARTITIONS {
        let mut request = produce_request("many", 1, batch(&[b"a"]));
        request.topics[0].partitions[0].index = index;
        let answer = raw.call(&request).unwrap();
        let code = answer.topics[0].partitions[0].error_code;
        assert_eq!(code, ErrorCode::NONE, "partition {index}");
    }
    assert_eq!(mqd.terminate().unwrap().code(), Some(0), "{}", mqd.stderr());
    mqd.restart(Port::Any).unwrap();
    let mut raw = Raw::connect(&mqd);
    for index in [0, 1, PARTITIONS - 1] {
        let mut request = fetch_request("many", 0, 0);
        request.topics[0].partitions[0].partition = index;
        let answer = raw.call(&request).unwrap();
        assert_eq!(answer.responses[0].partitions[0].high_watermark, 1);
    }
}

#[test]
fn a_fetch_that_waits_does_not_hold_up_the_end() {
    // Much longer than the guard is patient: only an answer ends the fetch in time.
    let mut mqd = mqd().set("mqd.drain.ms", "600000").start().unwrap();
    let mut raw = Raw::connect(&mqd);
    raw.create_topic("quiet");
    let waiting = thread::spawn(move || raw.fetch_waiting("quiet", 0, 60_000));
    // By now it waits, very likely; if not, the test shows less and passes all the same.
    (0..20).for_each(|_| Raw::connect(&mqd).expect_served());
    assert_eq!(mqd.terminate().unwrap().code(), Some(0));
    drop(waiting.join().unwrap());
}

#[test]
fn a_second_start_on_the_same_data_is_refused_and_harms_nothing() {
    let first = mqd().start().unwrap();
    let error = mqd().data_dir(first.data_dir()).start().unwrap_err();
    let message = format!("{error:#}");
    assert!(
        message.contains("another mqd is using the data directory"),
        "{message}"
    );
    assert!(message.contains("another --data-dir"), "{message}");
    TcpStream::connect(first.address()).unwrap();
}

#[test]
fn a_killed_process_leaves_no_lock_behind() {
    let mut mqd = mqd().start().unwrap();
    mqd.kill_9().unwrap();
    mqd.restart(Port::Any).unwrap();
}

#[test]
fn a_port_in_use_is_said_with_what_to_do() {
    let first = mqd().start().unwrap();
    let dir = TempDir::new().unwrap();
    let address = first.address().to_string();
    let output = run(&[
        "--data-dir",
        dir.path().to_str().unwrap(),
        "--listen",
        &address,
    ]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains(&format!("cannot listen on {address}: give --listen")));
}

#[test]
fn listening_everywhere_needs_an_address_for_clients() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().to_str().unwrap();
    let output = run(&["--data-dir", data, "--listen", "0.0.0.0:0"]);
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(said.contains("--set advertised.listeners=HOST:"), "{said}");
    assert_eq!(stdout(&output), "");
}

#[test]
fn connections_that_are_open_do_not_hold_up_the_end() {
    let mut mqd = mqd().start().unwrap();
    let mut idle = TcpStream::connect(mqd.address()).unwrap();
    idle.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(mqd.terminate().unwrap().code(), Some(0));
    let closed = idle.read(&mut [0; 1]);
    assert!(matches!(closed, Ok(0) | Err(_)), "{closed:?}");
}

#[test]
fn help_is_on_stdout_and_says_the_three_commands() {
    let output = run(&["--help"]);
    assert_eq!(output.status.code(), Some(0));
    for command in ["mqd topics", "mqd produce", "mqd consume"] {
        assert!(stdout(&output).contains(command), "{command}");
    }
}

#[test]
fn background_work_is_done_as_often_as_it_is_set() {
    let mqd = mqd()
        .set("log.segment.bytes", "1024")
        .set("log.retention.ms", "1")
        .set("log.retention.check.interval.ms", "20")
        .set("log.flush.offset.checkpoint.interval.ms", "20")
        .start()
        .unwrap();
    let mut raw = Raw::connect(&mqd);
    raw.create_topic("old");
    let first = raw.produce("old", -1, batch(&[&[b'x'; 900]])).unwrap();
    assert_eq!(first.base_offset, 0);
    let path = mqd.data_dir().join("old-0/recovery-point");
    let is_saved = || fs::read_to_string(&path).is_ok_and(|text| text.starts_with("1 "));
    assert!(
        (0..100_000).any(|_| is_saved() || raw.log_end("old") != 1),
        "a recovery point"
    );
    assert!(is_saved());
    // The second segment lets the first one go: its records are years old.
    raw.produce("old", -1, batch(&[&[b'x'; 900]])).unwrap();
    let is_gone = |raw: &mut Raw| {
        let answer = raw.fetch("old", 0).unwrap();
        answer.error_code == ErrorCode::OFFSET_OUT_OF_RANGE
    };
    assert!((0..100_000).any(|_| is_gone(&mut raw)), "the first segment");
    assert_eq!(raw.fetch("old", 1).unwrap().error_code, ErrorCode::NONE);
}

#[test]
#[cfg(target_os = "linux")]
fn it_serves_on_when_its_log_cannot_be_written() {
    let through = ["sh", "-c", "exec \"$@\" 2>/dev/full", "sh"];
    let mut mqd = mqd().through(through).start().unwrap();
    for _ in 0..3 {
        let mut raw = Raw::connect(&mqd);
        // Too short for a request: that is logged, or would be.
        raw.send_frame(b"GET").unwrap();
        raw.expect_close("three bytes");
    }
    Raw::connect(&mqd).expect_served();
    assert_eq!(mqd.terminate().unwrap().code(), Some(0));
}
