//! What callers and servers make of records, also of those that neither of them wrote.

use std::sync::Arc;

use bytes::Bytes;
use client::{Client, ConsumedRecord, FetchLimits, records};
use message_model::{Offset, PartitionIndex, Timestamp, TopicPartition};
use producer::{Producer, Record};
use record_batch::Header;
use rpc::{Call, CallId, Codec as _, Error, Postcard, Request, Side, Target, ToClient, ToServer};
use rpc::{Transport as _, get, name_id, put};
use tokio::time::Instant;

use crate::rpc_queue::fixture::{Bed, MOMENT, WorkClient, topic};
use crate::support::PATIENCE;

const SECONDS_20: u32 = 20_000;
const KEY: u64 = 7;
const TRACE: u64 = 1 << 63 | 25;

type Headers<'a> = &'a [(&'a str, &'a [u8])];

/// Writes and reads records as neither callers nor servers do.
struct Raw {
    client: Arc<Client>,
    producer: Producer,
}

impl Raw {
    async fn connect(bed: &Bed) -> Raw {
        let bootstrap = bed.bootstrap();
        let client = Client::connect(&bootstrap, client::Settings::default());
        let client = Arc::new(client.await.unwrap());
        Raw {
            producer: Producer::new(client.clone(), producer::Settings::idempotent()),
            client,
        }
    }

    async fn write(&self, to: &TopicPartition, headers: Headers<'_>, record: Record<'_>) {
        let headers = headers.iter().map(|(key, value)| Header {
            key,
            value: Some(value),
        });
        let record = Record {
            partition: Some(to.partition),
            headers: &headers.collect::<Vec<_>>(),
            ..record
        };
        self.producer.send(&to.topic, record).await.await.unwrap();
    }

    /// Asks the servers to call, with a reply to partition 3.
    async fn request(&self, name: &str, value: &[u8], timestamp: Option<Timestamp>) {
        let headers: [(&str, &[u8]); 3] = [
            ("kafka_correlationId", name.as_bytes()),
            ("kafka_replyTopic", b"replies"),
            ("kafka_replyPartition", &[0, 0, 0, 3]),
        ];
        let record = Record {
            timestamp,
            ..Record::of_value(value)
        };
        self.write(&place("requests", 0), &headers, record).await;
    }

    /// Waits until there are `count` records, and returns them.
    async fn read(&self, from: &TopicPartition, count: usize) -> Vec<ConsumedRecord> {
        let limits = FetchLimits {
            max_wait: PATIENCE,
            min_bytes: 1,
            max_bytes: 1 << 20,
        };
        let mut read = Vec::new();
        while read.len() < count {
            let next = read
                .last()
                .map_or(Offset::ZERO, |last: &ConsumedRecord| last.offset.plus(1));
            let fetched = self.client.fetch(from, next, limits).await.unwrap();
            let before = read.len();
            read.extend(records(fetched.batches, next).map(Result::unwrap));
            assert!(
                read.len() > before,
                "{before} of {count}, and no more in time"
            );
        }
        read
    }
}

fn place(name: &str, partition: i32) -> TopicPartition {
    TopicPartition {
        topic: topic(name),
        partition: PartitionIndex(partition),
    }
}

/// Where the requests with [`KEY`] are.
fn of_key() -> TopicPartition {
    let partition = producer::partition_of_key(&KEY.to_be_bytes(), 2);
    place("requests", partition.0)
}

fn target(method: &str) -> Target {
    Target {
        service: name_id("Work"),
        method: name_id(method),
        codec: Postcard::ID,
    }
}

/// Returns the payload of a frame that calls a method.
fn call(method: &str, arguments: &impl serde::Serialize) -> Vec<u8> {
    let call = ToServer::Call(Call {
        id: CallId(1),
        patience_ms: SECONDS_20,
        credit: 0,
        target: target(method),
        trace: TRACE,
    });
    let (mut body, mut frame) = (Vec::new(), Vec::new());
    Postcard::encode(arguments, &mut body).unwrap();
    put(&call, &body, &mut frame);
    frame.split_off(4)
}

fn reply(text: &str) -> Vec<u8> {
    let (mut body, mut frame) = (Vec::new(), Vec::new());
    Postcard::encode(&text, &mut body).unwrap();
    let reply = ToClient::Reply(CallId(1), Ok(Side::Value));
    put(&reply, &body, &mut frame);
    frame.split_off(4)
}

/// The name of a record's call, and the rest of a reply as text.
fn named(record: &ConsumedRecord) -> (String, String) {
    let value = record.headers[0].1.clone().unwrap();
    let (reply, body): (ToClient, Bytes) = get(record.value.clone().unwrap()).unwrap();
    let text = match reply {
        ToClient::Reply(_, Ok(Side::Value)) => Postcard::decode::<String>(&body).unwrap(),
        other => format!("{other:?}"),
    };
    (String::from_utf8(value.to_vec()).unwrap(), text)
}

#[tokio::test]
async fn a_request_is_such_a_record() {
    let bed = Bed::start().await;
    let queue = bed.caller(2).await;
    let request = Request {
        target: target("echo"),
        deadline: Instant::now() + MOMENT,
        patience: MOMENT,
        trace: TRACE,
        is_idempotent: false,
        is_one_way: false,
        key: Some(KEY),
        arguments: b"arguments",
    };
    let ended = queue.named("order-17").call(request).await;
    assert_eq!(ended.err(), Some(Error::DeadlinePassed));
    let raw = Raw::connect(&bed).await;
    let written = raw.read(&of_key(), 1).await;
    let header = |name: &str, value: &'static [u8]| (name.to_owned(), Some(value.into()));
    let headers = [
        header("kafka_correlationId", b"caller-2/order-17"),
        header("kafka_replyTopic", b"replies"),
        header("kafka_replyPartition", &[0, 0, 0, 2]),
    ];
    assert_eq!(written[0].headers, headers);
    assert_eq!(written[0].key.as_deref(), Some(&KEY.to_be_bytes()[..]));
    let value = written[0].value.clone().unwrap();
    let (ToServer::Call(call), body) = get(value).unwrap() else {
        panic!("it is a call");
    };
    assert!((1..=200).contains(&call.patience_ms), "{call:?}");
    assert_eq!((call.id, call.credit, call.trace), (CallId(1), 0, TRACE));
    assert_eq!((call.target, &*body), (target("echo"), &b"arguments"[..]));
}

#[tokio::test]
async fn a_one_way_call_names_no_place_for_a_reply() {
    let bed = Bed::start().await;
    let queue = rpc::Client::over(bed.caller(2).await, PATIENCE).with_key(KEY);
    let noted = WorkClient::new(queue).note("line".to_owned()).await;
    // It is in the log, or this would be no `Ok`.
    assert_eq!(noted, Ok(()));
    let written = Raw::connect(&bed).await.read(&of_key(), 1).await;
    assert_eq!(written[0].headers.len(), 1);
    assert_eq!(written[0].headers[0].0, "kafka_correlationId");
}

#[tokio::test]
async fn what_a_call_has_waited_is_taken_from_its_patience() {
    let bed = Bed::start().await;
    let raw = Raw::connect(&bed).await;
    let ago = |seconds: i64| Some(Timestamp(raw.client.clock().wall().0 - seconds * 1000));
    raw.request("too-late", &call("echo", &("too late",)), ago(21))
        .await;
    raw.request("left", &call("left", &()), ago(12)).await;
    // The caller's clock is ahead of the server's.
    raw.request("ahead", &call("left", &()), ago(-60)).await;
    let server = bed.serve();
    let replies = raw.read(&place("replies", 3), 2).await;
    for (name, allowed) in [("left", 1..=8_000), ("ahead", 12_001..=20_000)] {
        let is_it =
            |reply: &&ConsumedRecord| reply.headers[0].1.as_deref() == Some(name.as_bytes());
        let reply = replies.iter().find(is_it).unwrap();
        let (_, body): (ToClient, Bytes) = get(reply.value.clone().unwrap()).unwrap();
        let left = Postcard::decode::<u64>(&body).unwrap();
        assert!(allowed.contains(&left), "{name}: {left}");
    }
    server.stop().await;
    assert_eq!(bed.seen.times("too late"), 0);
}

#[tokio::test]
async fn what_a_method_calls_has_the_trace_of_its_request() {
    let bed = Bed::start().await;
    let raw = Raw::connect(&bed).await;
    let server = bed.serve();
    raw.request("traced", &call("trace", &()), None).await;
    let replies = raw.read(&place("replies", 3), 1).await;
    assert_eq!(named(&replies[0]).1, TRACE.to_string());
    server.stop().await;
}

#[tokio::test]
async fn a_server_passes_over_what_is_no_request() {
    let bed = Bed::start().await;
    let raw = Raw::connect(&bed).await;
    let (to, good) = (place("requests", 0), call("echo", &("no",)));
    let id = ("kafka_correlationId", &b"x"[..]);
    let replies = ("kafka_replyTopic", &b"replies"[..]);
    let bad: [(Headers, Option<&[u8]>); 9] = [
        (&[], Some(&good)),
        (&[("kafka_correlationId", b"\xff")], Some(&good)),
        (&[id, replies], Some(&good)),
        (
            &[id, replies, ("kafka_replyPartition", &[0; 3])],
            Some(&good),
        ),
        (
            &[id, replies, ("kafka_replyPartition", &[255; 4])],
            Some(&good),
        ),
        (
            &[
                id,
                ("kafka_replyTopic", b"no/topic"),
                ("kafka_replyPartition", &[0; 4]),
            ],
            Some(&good),
        ),
        (&[id], None),
        (&[id], Some(&good[..3])),
        (&[id], Some(&reply("no"))),
    ];
    for (headers, value) in bad {
        let record = Record {
            value,
            ..Record::default()
        };
        raw.write(&to, headers, record).await;
    }
    raw.request("good", &call("echo", &("yes",)), None).await;
    let server = bed.serve();
    let replies = raw.read(&place("replies", 3), 1).await;
    assert_eq!(named(&replies[0]), ("good".to_owned(), "yes".to_owned()));
    server.stop().await;
    assert_eq!(bed.seen.begun(), ["yes"]);
}

#[tokio::test]
async fn requests_whose_replies_have_no_topic_hold_up_no_other_one() {
    let bed = Bed::start().await;
    let raw = Raw::connect(&bed).await;
    for number in 0..40 {
        let name = number.to_string();
        let headers: [(&str, &[u8]); 3] = [
            ("kafka_correlationId", name.as_bytes()),
            ("kafka_replyTopic", b"gone"),
            ("kafka_replyPartition", &[0; 4]),
        ];
        let request = call("echo", &("lost",));
        raw.write(&place("requests", 0), &headers, Record::of_value(&request))
            .await;
    }
    raw.request("good", &call("echo", &("good",)), None).await;
    let server = bed.serve();
    let replies = raw.read(&place("replies", 3), 1).await;
    assert_eq!(named(&replies[0]).1, "good");
    server.stop().await;
    assert_eq!(bed.seen.times("lost"), 40, "each is run once");
}

#[tokio::test]
async fn a_request_that_comes_again_has_the_same_reply_and_is_run_once() {
    let bed = Bed::start().await;
    let server = bed.serve();
    let raw = Raw::connect(&bed).await;
    let once = call("gated", &("once",));
    raw.request("name", &once, None).await;
    bed.seen.until(|begun| begun == ["once"]).await;
    // It comes again while it runs, and holds up nothing.
    raw.request("name", &once, None).await;
    raw.request("behind", &call("echo", &("behind",)), None)
        .await;
    let replies = raw.read(&place("replies", 3), 1).await;
    assert_eq!(named(&replies[0]).1, "behind");
    bed.seen.gate.add_permits(3);
    raw.read(&place("replies", 3), 3).await;
    // Now it is answered, and comes again.
    raw.request("name", &call("gated", &("other",)), None).await;
    let replies = raw.read(&place("replies", 3), 4).await;
    let replies: Vec<_> = replies[1..].iter().map(named).collect();
    let once = ("name".to_owned(), "once".to_owned());
    assert_eq!(replies, [once.clone(), once.clone(), once]);
    server.stop().await;
    assert_eq!(bed.seen.times("once") + bed.seen.times("other"), 1);
}

#[tokio::test]
async fn a_reply_that_is_late_or_unknown_or_none_or_comes_twice_changes_nothing() {
    let bed = Bed::start().await;
    let queue = bed.caller(1).await;
    let raw = Raw::connect(&bed).await;
    let to = place("replies", 1);
    let name = |name: &'static str| ("kafka_correlationId", name.as_bytes());
    let hasty = |name| {
        let client = rpc::Client::over(queue.named(name), MOMENT);
        WorkClient::new(client.with_key(KEY))
    };
    let late = hasty("late").echo("x".to_owned()).await;
    assert_eq!(late, Err(Error::DeadlinePassed));
    for (headers, value) in [
        (vec![name("caller-1/late")], Some(reply("late"))),
        (vec![name("caller-1/unknown")], Some(reply("unknown"))),
        (
            vec![name("caller-2/real")],
            Some(reply("of another caller")),
        ),
        (vec![], Some(reply("without a name"))),
        (
            vec![name("caller-1/real")],
            Some(call("echo", &("a call",))),
        ),
        (vec![name("caller-1/real")], Some(b"\xff".to_vec())),
        (vec![name("caller-1/real")], None),
    ] {
        let record = Record {
            value: value.as_deref(),
            ..Record::default()
        };
        raw.write(&to, &headers, record).await;
    }
    // A call that waits while all of these, and then two replies, come.
    let real = rpc::Client::over(queue.named("real"), PATIENCE).with_key(KEY);
    let real = WorkClient::new(real);
    let replying = async {
        raw.read(&of_key(), 2).await;
        for text in ["first", "second"] {
            let record = reply(text);
            raw.write(&to, &[name("caller-1/real")], Record::of_value(&record))
                .await;
        }
    };
    let (ended, ()) = tokio::join!(real.echo("x".to_owned()), replying);
    assert_eq!(ended, Ok("first".to_owned()));
    assert_eq!(queue.in_flight(), 0);
    let again = hasty("again").echo("x".to_owned()).await;
    assert_eq!(again, Err(Error::DeadlinePassed));
    assert_eq!(queue.in_flight(), 0);
}
