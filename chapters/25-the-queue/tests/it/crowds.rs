//! Many clients, slow ones, and ones that are gone: each costs the others nothing.

use std::io::Read as _;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tempfile::TempDir;
use wire_protocol::message::{ApiVersionsRequest, ProduceRequest};
use wire_protocol::{ErrorCode, decode_response};

use crate::hostile::{MIB, survive};
use crate::raw::{Raw, batch, fetch_request, produce_request};
use crate::support::mqd;

#[test]
fn two_thousand_idle_connections() {
    const COUNT: usize = 2_000;
    let limit = getrlimit(Resource::Nofile);
    let most = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, most).unwrap();
    // Started after that, so that it may open as many.
    let mqd = mqd().start().unwrap();
    survive(&mqd, 64 * MIB, || {
        let mut idle: Vec<Raw> = (0..COUNT).map(|_| Raw::connect(&mqd)).collect();
        // All of them are held: each one still gets an answer.
        for raw in &mut idle {
            raw.expect_served();
        }
        Raw::connect(&mqd).expect_served();
        let mut raw = Raw::connect(&mqd);
        raw.create_topic("busy");
        assert_eq!(
            raw.produce("busy", -1, batch(&[b"x"])).unwrap().error_code,
            ErrorCode::NONE
        );
    });
}

#[test]
fn more_connections_than_are_allowed() {
    let mqd = mqd().set("max.connections", "3").start().unwrap();
    let mut served: Vec<Raw> = (0..3).map(|_| Raw::connect(&mqd)).collect();
    served.iter_mut().for_each(Raw::expect_served);
    for _ in 0..5 {
        Raw::connect(&mqd).expect_close("one connection too many");
    }
    served.iter_mut().for_each(Raw::expect_served);
    drop(served.pop());
    let there_is_room = (0..1_000).any(|_| {
        let mut raw = Raw::connect(&mqd);
        let request = ApiVersionsRequest::default();
        raw.call(&request).is_ok()
    });
    assert!(there_is_room, "a place that is free again is given away");
}

#[test]
fn more_connections_than_files_may_be_open() {
    let mqd = mqd()
        .through(["sh", "-c", "ulimit -n 256; exec \"$@\"", "sh"])
        .start()
        .unwrap();
    let mut first = Raw::connect(&mqd);
    first.expect_served();
    let crowd: Vec<_> = (0..300).map(|_| Raw::connect_to(mqd.address())).collect();
    first.expect_served();
    drop(crowd);
    first.create_topic("after");
    Raw::connect(&mqd).expect_served();
}

/// The usual limit: topics take no more of it than leaves room for clients, segments
/// that roll, and readers of old ones.
#[test]
fn a_thousand_descriptors() {
    let mqd = mqd()
        .through(["sh", "-c", "ulimit -n 1024; exec \"$@\"", "sh"])
        .set("log.segment.bytes", "1024")
        .start()
        .unwrap();
    let mut raw = Raw::connect(&mqd);
    let mut created = 0;
    for index in 0..600 {
        let code = raw.try_to_create(&format!("t{index}"));
        if code != ErrorCode::NONE {
            assert_eq!(code, ErrorCode::INVALID_PARTITIONS, "topic {index}");
            break;
        }
        created += 1;
    }
    assert!((400..600).contains(&created), "{created} topics");
    let mut crowd: Vec<Raw> = (0..200).map(|_| Raw::connect(&mqd)).collect();
    crowd.iter_mut().for_each(Raw::expect_served);
    // Several segments each: those that are synced keep no files open.
    for index in 0..3 * created {
        let topic = format!("t{}", index % created);
        let answer = raw.produce(&topic, -1, batch(&[&[b'x'; 900]])).unwrap();
        let code = answer.error_code;
        assert_eq!(code, ErrorCode::NONE, "batch {index}: {}", mqd.stderr());
    }
    // The same faster than the disk takes them: closed segments stay open until they are
    // synced, which no producer waits for.
    for _ in 0..6 {
        for index in 0..created {
            let topic = format!("t{index}");
            let request = produce_request(&topic, 1, batch(&[&[b'x'; 900]]));
            raw.send(&request, 7).unwrap();
        }
        for index in 0..created {
            let answer = raw.read_frame().unwrap().into();
            let answer = decode_response::<ProduceRequest>(&answer, 7).unwrap();
            let code = answer.topics[0].partitions[0].error_code;
            assert_eq!(code, ErrorCode::NONE, "topic {index}: {}", mqd.stderr());
        }
    }
    for index in 0..created {
        let answer = raw.fetch(&format!("t{index}"), 0).unwrap();
        assert_eq!(answer.error_code, ErrorCode::NONE, "topic {index}");
        assert!(!answer.records.is_empty());
    }
    crowd.iter_mut().for_each(Raw::expect_served);
}

/// Clients that went away while they waited for records leave their places at once, not
/// when their wait would have been over.
#[test]
fn long_polls_of_clients_that_are_gone() {
    let mqd = mqd().set("max.connections", "20").start().unwrap();
    Raw::connect(&mqd).create_topic("quiet");
    let crowd = || {
        let mut crowd = Vec::new();
        // A place may be free again only a moment after its client has gone.
        for _ in 0..100_000 {
            let mut raw = Raw::connect(&mqd);
            let request = ApiVersionsRequest::default();
            if raw.call(&request).is_ok() {
                crowd.push(raw);
            }
            if crowd.len() == 20 {
                return crowd;
            }
        }
        panic!("only {} places are free", crowd.len());
    };
    for _ in 0..3 {
        let mut waiting = crowd();
        for raw in &mut waiting {
            for _ in 0..3 {
                raw.send(&fetch_request("quiet", 0, 60_000), 11).unwrap();
            }
        }
    }
    crowd().iter_mut().for_each(Raw::expect_served);
}

/// A partition that is named twenty thousand times in a request is waited for once, and
/// the request's bytes are given back while it waits.
#[test]
fn long_polls_that_name_a_partition_often() {
    let mqd = mqd()
        .set("queued.max.request.bytes", "8388608")
        .start()
        .unwrap();
    Raw::connect(&mqd).create_topic("t");
    let mut request = fetch_request("t", 0, 60_000);
    let partition = request.topics[0].partitions[0].clone();
    request.topics[0].partitions = vec![partition; 20_000];
    let mut waiting: Vec<Raw> = (0..40).map(|_| Raw::connect(&mqd)).collect();
    survive(&mqd, 64 * MIB, || {
        for raw in &mut waiting {
            raw.send(&request, 11).unwrap();
        }
        let mut other = Raw::connect(&mqd);
        let answer = other.produce("t", 1, batch(&[b"x"])).unwrap();
        assert_eq!(answer.error_code, ErrorCode::NONE);
        for raw in &mut waiting {
            let answer = raw.read_frame().unwrap();
            assert!(answer.len() < 1_000, "one partition: {}", answer.len());
        }
    });
}

/// An answer may take as long as it likes while something of it is taken.
#[test]
fn a_slow_reader_that_goes_on_reading() {
    let mqd = mqd()
        .set("mqd.transfer.timeout.ms", "2000")
        .start()
        .unwrap();
    let mut raw = Raw::connect(&mqd);
    raw.create_topic("large");
    let value = vec![b'x'; 1_000_000];
    for _ in 0..30 {
        let answer = raw.produce("large", 1, batch(&[&value])).unwrap();
        assert_eq!(answer.error_code, ErrorCode::NONE);
    }
    let mut request = fetch_request("large", 0, 0);
    request.max_bytes = i32::MAX;
    request.topics[0].partitions[0].partition_max_bytes = i32::MAX;
    let mut slow = Raw::connect(&mqd);
    slow.send(&request, 11).unwrap();
    let clock = async_model::Clock::start();
    let mut piece = vec![0; 1 << 20];
    let mut length = [0; 4];
    slow.stream.read_exact(&mut length).unwrap();
    let mut left = usize::try_from(u32::from_be_bytes(length)).unwrap();
    assert!(left > 30_000_000, "{left}");
    while left > 0 {
        let size = left.min(piece.len());
        slow.stream
            .read_exact(&mut piece[..size])
            .expect("it is not cut off");
        left -= size;
        let until = clock.now().plus(Duration::from_millis(120));
        while clock.now() < until {
            raw.expect_served();
        }
    }
    slow.expect_served();
}

/// A pipe that nobody reads is full after some hundred lines.
#[test]
fn a_log_that_nobody_reads() {
    let dir = TempDir::new().unwrap();
    let pipe = dir.path().join("stderr");
    let pipe = pipe.to_str().unwrap();
    let through = format!("mkfifo {pipe}; exec \"$@\" 2<>{pipe}");
    let mut mqd = mqd().through(["sh", "-c", &through, "sh"]).start().unwrap();
    let mut bystander = Raw::connect(&mqd);
    for _ in 0..3_000 {
        let mut raw = Raw::connect(&mqd);
        // It may have closed before all was written.
        drop(raw.send_frame(b"GET / HTTP/1.1"));
    }
    bystander.expect_served();
    Raw::connect(&mqd).expect_served();
    assert_eq!(mqd.terminate().unwrap().code(), Some(0));
}
