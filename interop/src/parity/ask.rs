//! Sends an exchange and collects what comes back.

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{ApiKey, BrokerId, ListOffsetsRequest, MetadataRequest, TopicName};
use kafka_protocol::protocol::StrBytes;
use serde_json::{Value, json};

use super::answer::answer;
use super::exchange::Step;
use crate::connection::Connection;

/// How long an answer may take. Longer than any wait that a step asks for, unless
/// the step is there to show that it does not wait.
const PATIENCE: Duration = Duration::from_secs(8);

/// Between two looks at whether a topic is there, or gone, after an answer said so.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// 20 s of looks.
const LOOKS_MAX: u32 = 4_000;

/// The answers to `steps`, in their order, each normalised: the fields of the
/// response, or `"closed"`, `"no answer"`, or null where none is asked for.
///
/// Topics that a step has created or deleted are waited for: Kafka answers
/// before each of its parts knows.
///
/// # Errors
/// When the broker cannot be reached.
pub fn ask<'a>(
    address: SocketAddr,
    steps: impl IntoIterator<Item = &'a Step>,
) -> Result<Vec<Value>> {
    let mut answers = Vec::new();
    let mut stream = None;
    for step in steps {
        let mut open = match stream.take() {
            Some(open) => open,
            None => Connection::open(address, PATIENCE)?,
        };
        open.send(&step.frame)?;
        if !step.answered {
            answers.push(Value::Null);
            stream = Some(open);
            continue;
        }
        let found = match open.receive() {
            Ok(Some(frame)) => {
                let found = answer(step.api, step.version, &frame)
                    .unwrap_or_else(|error| json!(format!("cannot be read: {error}")));
                stream = Some(open);
                found
            }
            Ok(None) => json!("closed"),
            Err(error) if Connection::timed_out(&error) => json!("no answer"),
            Err(error) => return Err(error).context("reading an answer"),
        };
        settle(address, step, &found)?;
        answers.push(found);
    }
    Ok(answers)
}

/// Waits until every part of the broker knows what a creation or a deletion answered.
fn settle(address: SocketAddr, step: &Step, found: &Value) -> Result<()> {
    let list = match step.api {
        api if api == ApiKey::CreateTopics as i16 => "topics",
        api if api == ApiKey::DeleteTopics as i16 => "responses",
        _ => return Ok(()),
    };
    if step.fields["validate_only"] == true {
        return Ok(());
    }
    for topic in found[list].as_array().into_iter().flatten() {
        let (Some(name), true) = (topic["name"].as_str(), topic["error_code"] == 0) else {
            continue;
        };
        let mut looks = 1;
        while !settled(address, name, list == "topics")? {
            ensure!(looks < LOOKS_MAX, "{name} does not settle");
            looks += 1;
            thread::sleep(LOOK_EVERY);
        }
    }
    Ok(())
}

/// Whether the topic is served, or gone. Kafka's Metadata knows of a partition
/// before the broker leads it, which a look-up shows.
fn settled(address: SocketAddr, name: &str, created: bool) -> Result<bool> {
    let name = TopicName(StrBytes::from_string(name.to_owned()));
    let topic = MetadataRequestTopic::default().with_name(Some(name.clone()));
    let request = MetadataRequest::default()
        .with_topics(Some(vec![topic]))
        .with_allow_auto_topic_creation(false);
    let seen = look(address, &Step::new(4, &request))?;
    let topic = &seen["topics"][0];
    if !created {
        return Ok(topic["error_code"] == 3);
    }
    let count = topic["partitions"].as_array().map_or(0, Vec::len);
    let partitions = (0..i32::try_from(count)?).map(|index| {
        ListOffsetsPartition::default()
            .with_partition_index(index)
            .with_timestamp(-1)
    });
    let topic = ListOffsetsTopic::default()
        .with_name(name)
        .with_partitions(partitions.collect());
    let request = ListOffsetsRequest::default()
        .with_replica_id(BrokerId(-1))
        .with_topics(vec![topic]);
    let seen = look(address, &Step::new(2, &request))?;
    let partitions = seen["topics"][0]["partitions"].as_array();
    let led = |partition: &Value| partition["error_code"] == 0;
    Ok(partitions.is_some_and(|all| !all.is_empty() && all.iter().all(led)))
}

fn look(address: SocketAddr, step: &Step) -> Result<Value> {
    let frame = Connection::open(address, PATIENCE)?.exchange(step)?;
    answer(step.api, step.version, &frame)
}
