//! Sends an exchange and collects what comes back.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{
    ApiKey, BrokerId, DescribeGroupsRequest, DescribeTransactionsRequest, GroupId,
    ListOffsetsRequest, MetadataRequest, TopicName, TransactionalId,
};
use kafka_protocol::protocol::StrBytes;
use serde_json::{Value, json};

use super::answer::{answer, as_it_is};
use super::exchange::{GroupIs, Step};
use super::members::Members;
use super::normal::{keep_own, normalise};
use super::producers::Producers;
use crate::connection::Connection;

/// How long an answer may take. Longer than any wait that a step asks for, unless
/// the step is there to show that it does not wait.
const PATIENCE: Duration = Duration::from_secs(8);

/// What Kafka answers while it makes its topic of offsets.
const COORDINATOR_NOT_AVAILABLE: i64 = 15;

/// What is answered about a transactional id that its coordinator does not know.
const TRANSACTIONAL_ID_NOT_FOUND: i64 = 105;

/// Between two looks at whether the broker is as far as the exchange needs it.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// 20 s of looks.
const LOOKS_MAX: u32 = 4_000;

/// The answers to `steps` of `exchange`, in their order, each normalised: the fields of
/// the response, or `"closed"`, `"no answer"`, or null where none is asked for.
///
/// Topics that a step has created or deleted are waited for, groups and transactional ids whose
/// coordinator a step has asked for, and the markers of a transaction that a step ends: Kafka
/// answers before each of its parts knows.
///
/// # Errors
/// When the broker cannot be reached, a group does not come into the state that a step
/// waits for, or a parked answer is never read.
pub fn ask(address: SocketAddr, exchange: &str, steps: &[Step]) -> Result<Vec<Value>> {
    let mut asking = Asking {
        address,
        exchange,
        connections: BTreeMap::new(),
        parked: BTreeMap::new(),
        members: Members::default(),
        producers: Producers::default(),
    };
    let mut answers = vec![Value::Null; steps.len()];
    for (number, step) in steps.iter().enumerate() {
        let course = &step.course;
        let parked = asking.parked.entry(&course.connection).or_default();
        // Brokers answer a connection's requests in their order.
        ensure!(parked.is_empty(), "step {number} is behind a parked one");
        if course.parked {
            parked.push_back(number);
        }
        asking.send(step)?;
        if course.parked {
            // A later step reads the answer.
        } else if step.answered {
            answers[number] = asking.receive(step)?;
        }
        if let Some(until) = &course.until {
            wait_for(address, until)?;
        }
        for name in &course.reads {
            let parked = asking.parked.get_mut(name.as_str());
            let number = parked.and_then(VecDeque::pop_front);
            let number = number.with_context(|| format!("nothing is parked on {name:?}"))?;
            answers[number] = asking.receive(&steps[number])?;
        }
    }
    let is_read = asking.parked.values().all(VecDeque::is_empty);
    ensure!(is_read, "an answer is parked in the end");
    Ok(answers)
}

/// An exchange on its way.
struct Asking<'a> {
    address: SocketAddr,
    exchange: &'a str,
    connections: BTreeMap<&'a str, Connection>,
    /// The numbers of the steps whose answers are not read yet, by their connection.
    parked: BTreeMap<&'a str, VecDeque<usize>>,
    members: Members,
    producers: Producers,
}

impl<'a> Asking<'a> {
    fn send(&mut self, step: &'a Step) -> Result<()> {
        let mut frame = self.members.fill(step);
        self.producers.fill(step.api, &mut frame);
        let connection = match self.connections.entry(&step.course.connection) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(Connection::open(self.address, PATIENCE)?),
        };
        connection.send(&frame)
    }

    /// The next answer on the connection of `step`, which is taken to be the one to it.
    fn receive(&mut self, step: &Step) -> Result<Value> {
        let name = step.course.connection.as_str();
        let connection = self.connections.get_mut(name);
        let connection = connection.context("the connection is gone")?;
        let found = match connection.receive() {
            Ok(Some(frame)) => self
                .read(step, &frame)
                .unwrap_or_else(|error| json!(format!("cannot be read: {error}"))),
            Ok(None) => {
                self.connections.remove(name);
                json!("closed")
            }
            Err(error) if Connection::timed_out(&error) => {
                self.connections.remove(name);
                json!("no answer")
            }
            Err(error) => return Err(error).context("reading an answer"),
        };
        settle(self.address, step, &found)?;
        Ok(found)
    }

    fn read(&mut self, step: &Step, frame: &[u8]) -> Result<Value> {
        let api = ApiKey::try_from(step.api)
            .ok()
            .context("an API of Kafka's")?;
        let mut value = as_it_is(step.api, step.version, frame)?;
        self.members.learn(step, &value);
        self.members.name(&mut value);
        self.producers.learn(step, &value);
        self.producers.number(&mut value);
        keep_own(api, self.exchange, &step.fields, &mut value);
        let mut value = normalise(api, value);
        // Those in the headers of batches, which are fields from here on.
        self.producers.number(&mut value);
        Ok(value)
    }
}

/// Looks at a group until it is as `until` says.
fn wait_for(address: SocketAddr, until: &GroupIs) -> Result<()> {
    repeat(|| {
        let group = described(address, &until.group)?;
        let members = group["members"].as_array().map_or(0, Vec::len);
        Ok(group["group_state"] == until.state.as_str() && members == until.members)
    })
    .with_context(|| format!("waiting until {until:?}"))
}

fn described(address: SocketAddr, group: &str) -> Result<Value> {
    let group = GroupId(StrBytes::from_string(group.to_owned()));
    let request = DescribeGroupsRequest::default().with_groups(vec![group]);
    Ok(look(address, &Step::new(0, &request))?["groups"][0].take())
}

/// Looks until `is_so`.
fn repeat(mut is_so: impl FnMut() -> Result<bool>) -> Result<()> {
    let mut looks = 1;
    while !is_so()? {
        ensure!(looks < LOOKS_MAX, "it does not come");
        looks += 1;
        thread::sleep(LOOK_EVERY);
    }
    Ok(())
}

/// Waits until every part of the broker knows what a creation or a deletion answered.
fn settle(address: SocketAddr, step: &Step, found: &Value) -> Result<()> {
    let list = match step.api {
        api if api == ApiKey::CreateTopics as i16 => "topics",
        api if api == ApiKey::DeleteTopics as i16 => "responses",
        api if api == ApiKey::FindCoordinator as i16 => {
            return settle_coordinators(address, step, found);
        }
        api if api == ApiKey::EndTxn as i16 || api == ApiKey::InitProducerId as i16 => {
            return settle_transaction(address, step);
        }
        _ => return Ok(()),
    };
    if step.fields["validate_only"] == true {
        return Ok(());
    }
    for topic in found[list].as_array().into_iter().flatten() {
        let (Some(name), true) = (topic["name"].as_str(), topic["error_code"] == 0) else {
            continue;
        };
        repeat(|| settled(address, name, list == "topics"))
            .with_context(|| format!("waiting for the topic {name}"))?;
    }
    Ok(())
}

/// Waits until no markers of the transactional id of `step` are on their way: Kafka answers
/// before they are written.
fn settle_transaction(address: SocketAddr, step: &Step) -> Result<()> {
    let id = step.fields["transactional_id"].as_str().unwrap_or_default();
    if id.is_empty() {
        return Ok(());
    }
    repeat(|| {
        let state = described_transaction(address, id)?["transaction_state"].take();
        let state = state.as_str().unwrap_or_default();
        Ok(!state.starts_with("Prepare"))
    })
    .with_context(|| format!("waiting for the markers of {id}"))
}

fn described_transaction(address: SocketAddr, id: &str) -> Result<Value> {
    let id = TransactionalId(StrBytes::from_string(id.to_owned()));
    let request = DescribeTransactionsRequest::default().with_transactional_ids(vec![id]);
    Ok(look(address, &Step::new(0, &request))?["transaction_states"][0].take())
}

/// Waits until the coordinator of the groups or transactional ids that `step` asks for serves
/// them.
fn settle_coordinators(address: SocketAddr, step: &Step, found: &Value) -> Result<()> {
    let listed = found["coordinators"].as_array().into_iter().flatten();
    let listed = listed.map(|one| (&one["key"], &one["error_code"]));
    let one = (&step.fields["key"], &found["error_code"]);
    for (group, code) in listed.chain([one]) {
        let is_made = *code == 0 || *code == COORDINATOR_NOT_AVAILABLE;
        let group = group.as_str().unwrap_or_default();
        let kind = step.fields["key_type"].as_i64();
        if is_made && !group.is_empty() && matches!(kind, Some(0 | 1)) {
            repeat(|| match kind {
                Some(0) => Ok(described(address, group)?["error_code"] == 0),
                _ => {
                    let code = described_transaction(address, group)?["error_code"].take();
                    Ok(code == 0 || code == TRANSACTIONAL_ID_NOT_FOUND)
                }
            })
            .with_context(|| format!("waiting for the coordinator of {group}"))?;
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
