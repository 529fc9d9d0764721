//! Peers that leave, and peers that do not go on.

use std::thread;
use std::time::Duration;

use anyhow::Result;
use interop::Connection;
use interop::parity::Step;
use interop::requests::{fetch_partition, fetching, metadata, metadata_request, production};
use kafka_protocol::messages::MetadataRequest;

use crate::target::{Attack, PATIENCE, Target, one_record};
use interop::Latencies;

const TOPIC: &str = "quiet";

pub(crate) fn attacks() -> Vec<Attack> {
    vec![
        Attack {
            name: "dead-long-polls",
            about: "500 fetches with a minute of wait whose clients close; 510 connections are served.",
            sync_ms: 100,
            settings: &[("max.connections", "510")],
            prepare: |target| target.create(TOPIC, 1, &[]),
            run: dead_long_polls,
        },
        Attack {
            name: "half-frames",
            about: "Six sockets announce 100 MiB and send five bytes; produces of 100 KB beside them.",
            sync_ms: 100,
            settings: &[],
            prepare: |target| target.create(TOPIC, 1, &[]),
            run: half_frames,
        },
        Attack {
            name: "auto-creation",
            about: "A Metadata request of 136 KiB that creates topics, whose client leaves at once.",
            sync_ms: 1,
            settings: &[],
            prepare: |_| Ok(()),
            run: auto_creation,
        },
    ]
}

fn dead_long_polls(target: &Target) -> Result<String> {
    let request = fetching(TOPIC, vec![fetch_partition(0, 0)]).with_max_wait_ms(60_000);
    let poll = Step::new(11, &request);
    let mut open = Vec::new();
    for _ in 0..500 {
        let mut connection = target.connect()?;
        connection.send(&poll.frame)?;
        open.push(connection);
    }
    thread::sleep(Duration::from_millis(500));
    drop(open);
    let started = target.now();
    let mut newcomers = Vec::new();
    // More than fit beside the dead.
    while newcomers.len() < 100 {
        let mut connection = target.connect()?;
        if connection.exchange(&metadata(&[])).is_ok() {
            newcomers.push(connection);
        } else if target.now().since(started) > Duration::from_secs(70) {
            return Ok(format!(
                "{} of 100 newcomers served in 70 s",
                newcomers.len()
            ));
        } else {
            thread::sleep(Duration::from_millis(20));
        }
    }
    let took = target.now().since(started).as_secs_f64();
    Ok(format!("100 newcomers served after {took:.2} s"))
}

fn half_frames(target: &Target) -> Result<String> {
    let mut halves = Vec::new();
    for _ in 0..6 {
        let mut connection = target.connect()?;
        let announced: u32 = 100 << 20;
        connection.send_raw(&announced.to_be_bytes())?;
        connection.send_raw(&[0])?;
        halves.push(connection);
    }
    thread::sleep(Duration::from_millis(200));
    let bytes = one_record(100_000).bytes();
    let step = Step::new(7, &production(TOPIC, 1, &[(0, Some(&bytes))]));
    let end = target.end();
    let mut samples = Latencies::default();
    let mut refused = 0;
    let mut connection = target.connect()?;
    while target.now() < end {
        let started = target.now();
        if connection.exchange(&step).is_err() {
            refused += 1;
            connection = target.connect()?;
        }
        samples.add(target.now().since(started));
        thread::sleep(Duration::from_millis(20));
    }
    Ok(format!("100 KB produces: {samples}, {refused} closed"))
}

fn auto_creation(target: &Target) -> Result<String> {
    let names: Vec<String> = (0..4_500).map(|number| format!("{number:028}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let request = metadata_request(&names).with_allow_auto_topic_creation(true);
    let step = Step::new(4, &request);
    let mut connection = target.connect()?;
    connection.send(&step.frame)?;
    drop(connection);
    thread::sleep(Duration::from_secs(2));
    let early = topics(target)?;
    target.rest(Duration::from_secs(3));
    Ok(format!(
        "{} bytes; {early} topics after 2 s, {} at the end",
        step.frame.len(),
        topics(target)?
    ))
}

/// How many topics there are.
fn topics(target: &Target) -> Result<usize> {
    let mut connection = Connection::open(target.address(), PATIENCE)?;
    let request = MetadataRequest::default().with_topics(None);
    let all = target.ask(&mut connection, &Step::new(4, &request))?;
    Ok(all["topics"].as_array().map_or(0, Vec::len))
}
