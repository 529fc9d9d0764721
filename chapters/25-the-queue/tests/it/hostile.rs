//! Bad input: a proper answer or a closed connection, a line in the log, memory
//! that stays flat, and everyone else served.

use std::io::Write as _;

use mqd_guard::{Mqd, Port};
use wire_protocol::ErrorCode;

use crate::raw::{Raw, batch};
use crate::support::{PATIENCE, mqd};

pub(crate) const MIB: u64 = 1024 * 1024;

/// Runs `attack` against a broker, then checks that its memory has not grown by
/// more than `growth_max` bytes and that the others were served all the time.
pub(crate) fn survive(mqd: &Mqd, growth_max: u64, attack: impl FnOnce()) {
    let mut bystander = Raw::connect(mqd);
    bystander.expect_served();
    let before = mqd.resident_bytes().unwrap();
    attack();
    bystander.expect_served();
    Raw::connect(mqd).expect_served();
    let after = mqd.resident_bytes().unwrap();
    assert!(
        after.saturating_sub(before) <= growth_max,
        "memory grew from {before} to {after} bytes"
    );
}

/// That the log has a line with the peer's port in it and with `wanted`.
fn expect_log_line(mqd: &Mqd, port: u16, wanted: &str) {
    let peer = format!("127.0.0.1:{port}");
    assert!(
        mqd.says(&peer, PATIENCE),
        "no line about {peer}:\n{}",
        mqd.stderr()
    );
    let said = mqd.stderr();
    let line = said.lines().find(|line| line.contains(&peer)).unwrap();
    assert!(line.contains(wanted), "{line}");
}

fn port(raw: &Raw) -> u16 {
    raw.stream.local_addr().unwrap().port()
}

#[test]
fn garbage_bytes() {
    let mqd = mqd().start().unwrap();
    survive(&mqd, 16 * MIB, || {
        let mut random = fastrand::Rng::with_seed(0x5eed_0001);
        for round in 0..200_usize {
            let mut raw = Raw::connect(&mqd);
            let mut bytes = vec![0; 1 + round * 7];
            random.fill(&mut bytes);
            // Half of them are garbage in a frame of the right length.
            let sent = if round % 2 == 0 {
                raw.stream.write_all(&bytes)
            } else {
                raw.send_frame(&bytes)
            };
            // It may have closed before all was written.
            drop(sent);
        }
    });
}

#[test]
fn a_length_prefix_of_two_gigabytes() {
    let mqd = mqd().start().unwrap();
    survive(&mqd, 16 * MIB, || {
        for prefix in [i32::MAX, i32::MIN, -1, 104_857_601] {
            let mut raw = Raw::connect(&mqd);
            let port = port(&raw);
            raw.stream.write_all(&prefix.to_be_bytes()).unwrap();
            raw.expect_close(&format!("a prefix of {prefix}"));
            expect_log_line(&mqd, port, &prefix.to_string());
        }
    });
}

/// Each announces a hundred megabytes, sends a few bytes and goes on holding them: all
/// others are served meanwhile, and the halves are closed in time.
#[test]
fn half_a_frame_held_open() {
    let mqd = mqd()
        .set("mqd.transfer.timeout.ms", "3000")
        .start()
        .unwrap();
    survive(&mqd, 16 * MIB, || {
        let mut slow: Vec<Raw> = (0..20).map(|_| Raw::connect(&mqd)).collect();
        for (raw, bytes) in slow.iter_mut().zip([5_usize, 1_000].into_iter().cycle()) {
            raw.stream
                .write_all(&100_000_000_i32.to_be_bytes())
                .unwrap();
            raw.stream.write_all(&vec![0; bytes]).unwrap();
        }
        let mut other = Raw::connect(&mqd);
        other.create_topic("meanwhile");
        let answer = other
            .produce("meanwhile", -1, batch(&[&[b'x'; 100_000]]))
            .unwrap();
        assert_eq!(answer.error_code, ErrorCode::NONE);
        for raw in slow {
            let port = port(&raw);
            raw.expect_close("half a frame");
            expect_log_line(&mqd, port, "");
        }
    });
}

#[test]
fn a_peer_that_says_nothing() {
    let mqd = mqd().set("connections.max.idle.ms", "200").start().unwrap();
    Raw::connect(&mqd).expect_close("silence");
    Raw::connect(&mqd).expect_served();
}

#[test]
fn an_api_that_does_not_exist() {
    let mqd = mqd().start().unwrap();
    survive(&mqd, 16 * MIB, || {
        let mut raw = Raw::connect(&mqd);
        let port = port(&raw);
        // Api 999, version 0, correlation id 1, no client id.
        raw.send_frame(&[0x03, 0xe7, 0, 0, 0, 0, 0, 1, 0xff, 0xff])
            .unwrap();
        raw.expect_close("an unknown api");
        expect_log_line(&mqd, port, "999");
    });
}

#[test]
fn a_version_of_api_versions_that_does_not_exist_yet() {
    let mqd = mqd().start().unwrap();
    let mut raw = Raw::connect(&mqd);
    // Api 18, version 99, correlation id 7, and a body in a form of its own.
    raw.send_frame(&[0, 18, 0, 99, 0, 0, 0, 7, 1, 2, 3])
        .unwrap();
    let answer = raw.read_frame().unwrap();
    // Correlation id, error 35, and the versions of ApiVersions, all as version 0 writes it.
    assert_eq!(answer, [0, 0, 0, 7, 0, 35, 0, 0, 0, 1, 0, 18, 0, 0, 0, 3]);
    raw.expect_served();
}

#[test]
fn a_body_that_ends_too_soon() {
    let mqd = mqd().start().unwrap();
    survive(&mqd, 16 * MIB, || {
        let mut raw = Raw::connect(&mqd);
        let port = port(&raw);
        // Metadata, version 4, with 2^31 - 1 topics in 2 bytes.
        raw.send_frame(&[
            0, 3, 0, 4, 0, 0, 0, 1, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff, 0, 0,
        ])
        .unwrap();
        raw.expect_close("an array of 2^31 - 1 elements");
        expect_log_line(&mqd, port, "");
    });
}

#[test]
fn a_batch_with_a_wrong_crc() {
    let mqd = mqd().start().unwrap();
    let mut raw = Raw::connect(&mqd);
    raw.create_topic("crc");
    let good = batch(&[b"one", b"two"]);
    for index in record_batch::layout::CRC..good.len() {
        let mut bad = good.clone();
        bad[index] ^= 0x01;
        let answer = raw.produce("crc", -1, bad).unwrap();
        assert_eq!(
            answer.error_code,
            ErrorCode::CORRUPT_MESSAGE,
            "byte {index} was changed"
        );
    }
    assert_eq!(raw.log_end("crc"), 0, "nothing was appended");
    assert_eq!(raw.produce("crc", -1, good).unwrap().base_offset, 0);
    assert_eq!(raw.log_end("crc"), 2);
}

/// A file that may not grow is as near to a full disk as a test without
/// privileges gets: the write fails half way, and is an error of the system.
#[test]
fn a_full_disk() {
    let limited = ["sh", "-c", "trap '' XFSZ; ulimit -f 128; exec \"$@\"", "sh"];
    let mut mqd = mqd().through(limited).start().unwrap();
    let mut raw = Raw::connect(&mqd);
    raw.create_topic("full");
    raw.create_topic("other");
    let value = [b'x'; 5_000];
    let mut acknowledged = 0;
    let error = loop {
        let answer = raw.produce("full", -1, batch(&[&value])).unwrap();
        if answer.error_code != ErrorCode::NONE {
            break answer.error_code;
        }
        assert_eq!(answer.base_offset, acknowledged);
        acknowledged += 1;
        assert!(acknowledged < 1_000, "the limit holds");
    };
    assert_eq!(error, ErrorCode::KAFKA_STORAGE_ERROR);
    assert!(mqd.says("full-0", PATIENCE), "{}", mqd.stderr());
    // The others are served: readers of this partition, writers to another one.
    assert_eq!(
        raw.fetch("full", acknowledged - 1).unwrap().error_code,
        ErrorCode::NONE
    );
    assert_eq!(
        raw.produce("other", -1, batch(&[b"y"])).unwrap().error_code,
        ErrorCode::NONE
    );
    // With room on the disk and a new start nothing is missing, and it goes on.
    mqd.restart_with(Port::Any, |options| options.through([""; 0]))
        .unwrap();
    let mut raw = Raw::connect(&mqd);
    assert_eq!(raw.log_end("full"), acknowledged);
    let next = raw.produce("full", -1, batch(&[&value])).unwrap();
    assert_eq!(
        (next.error_code, next.base_offset),
        (ErrorCode::NONE, acknowledged)
    );
}
