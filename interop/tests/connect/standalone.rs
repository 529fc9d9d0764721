//! One worker, which keeps the source's offsets in a file.

use interop::connect::{Converter, Worker};
use interop::{mqd_binary, replays};
use mqd_guard::Mqd;
use serde_json::Value;

use crate::{Copy, TOPIC, topic_lines};

const LINES: usize = 50_000;
const MORE: usize = 1_000;

fn start(copy: &Copy, mqd: &Mqd) -> Worker {
    let connectors = [copy.source(), copy.sink()];
    let folder = copy.path("worker");
    Worker::standalone(&folder, mqd.address(), Converter::Json, &connectors).unwrap()
}

/// The lines in the topic, which are payloads of JSON with a schema.
fn payloads(mqd: &Mqd) -> Vec<String> {
    let payload = |text: &String| {
        let value: Value = serde_json::from_str(text).unwrap();
        value["payload"].as_str().unwrap().to_owned()
    };
    topic_lines(mqd.address(), TOPIC)
        .iter()
        .map(payload)
        .collect()
}

#[test]
fn the_copy_is_equal_and_goes_on_after_an_orderly_end() {
    let mqd = Mqd::options(mqd_binary()).start().unwrap();
    let mut copy = Copy::new();
    copy.append(LINES);
    let mut worker = start(&copy, &mqd);
    copy.wait_for_all();
    copy.stop(&worker);
    assert!(
        copy.copied() == copy.lines,
        "{:?}",
        replays(&copy.lines, &copy.copied())
    );

    copy.append(MORE);
    worker.restart().unwrap();
    copy.wait_for_all();
    copy.stop(&worker);
    assert_eq!(replays(&copy.lines, &payloads(&mqd)).unwrap(), []);
    assert_eq!(replays(&copy.lines, &copy.copied()).unwrap(), []);
}

#[test]
fn a_killed_worker_repeats_lines_and_loses_none() {
    let mqd = Mqd::options(mqd_binary()).start().unwrap();
    let mut copy = Copy::new();
    copy.append(LINES);
    let mut worker = start(&copy, &mqd);
    copy.wait_for(LINES / 4);
    worker.kill_9().unwrap();
    // Lines that come after all that may be repeated.
    copy.append(MORE);
    worker.restart().unwrap();
    copy.wait_for_all();
    copy.stop(&worker);

    // The source goes back to the last offset in its file, and the sink to the last that
    // the group has committed: both do so at most once, and together.
    let topic = payloads(&mqd);
    let by_source = replays(&copy.lines, &topic).unwrap();
    let by_sink = replays(&topic, &copy.copied()).unwrap();
    println!(
        "lines: {}, by the source: {by_source:?}, by the sink: {by_sink:?}",
        copy.lines.len()
    );
    assert!(
        by_source.len() <= 1 && by_sink.len() <= 1,
        "{by_source:?} {by_sink:?}"
    );
}
