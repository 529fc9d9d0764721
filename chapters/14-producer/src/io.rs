//! The producer's task: it sends what the sender wants to be sent, and brings the answers.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use client::{Error, Target};
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use message_model::{BrokerId, Moment, ProducerEpoch, ProducerId, TopicName, TopicPartition};
use tokio::sync::mpsc;
use wire_protocol::message::{
    InitProducerIdRequest, ProducePartition, ProduceRequest, ProduceResponse, ProduceTopic,
};
use wire_protocol::{ErrorCode, Records};

use crate::answers::{of_error, of_partition};
use crate::batch_buffer::Make;
use crate::held::Outgoing;
use crate::part::{Answer, Failure, Identity, Slot};
use crate::settings::Acks;
use crate::shared::Shared;

/// What the task is asked to do.
pub(crate) enum Work {
    /// Send these batches, in this order.
    Send(Vec<Outgoing>),
    /// Get an identity, which comes after this one.
    Renew(Option<Identity>),
}

/// A batch that is ready to be sent.
struct Parcel {
    outgoing: Outgoing,
    to: TopicPartition,
    bytes: Bytes,
}

type Running = Pin<Box<dyn Future<Output = Ended> + Send>>;

/// What a piece of work brought.
enum Ended {
    Sent(Vec<(Parcel, Answer)>),
    Identity(Result<Identity, Failure>),
    /// These partitions are in the transaction, or are not.
    Enlisted(Vec<Slot>, Result<(), ErrorCode>),
}

/// Batches of partitions that are not in the transaction yet.
#[derive(Default)]
struct Unlisted {
    batches: Vec<Outgoing>,
    /// Some of the partitions are on their way into it.
    is_asking: bool,
}

/// Carries out work until the producer is gone. The first poll of a request puts it into
/// its connection's queue, so requests leave in the order of the work.
// ANCHOR: run
pub(crate) async fn run(shared: Arc<Shared>, mut work: mpsc::UnboundedReceiver<Work>) {
    let mut running: FuturesUnordered<Running> = FuturesUnordered::new();
    let mut unlisted = Unlisted::default();
    loop {
        tokio::select! {
            biased;
            Some(ended) = running.next(), if !running.is_empty() => match ended {
                Ended::Enlisted(slots, ended) => {
                    unlisted.is_asking = false;
                    enlisted(&shared, slots, ended);
                    let batches = std::mem::take(&mut unlisted.batches);
                    enlist_and_send(&shared, batches, (&mut unlisted, &mut running));
                }
                ended => finish(&shared, ended),
            },
            next = work.recv() => match next {
                Some(Work::Send(batches)) if shared.transaction.is_some() => {
                    enlist_and_send(&shared, batches, (&mut unlisted, &mut running));
                }
                Some(Work::Send(batches)) => send(&shared, batches, &mut running),
                Some(Work::Renew(last)) => {
                    running.push(Box::pin(renew(Arc::clone(&shared), last)));
                }
                None => return,
            },
        }
    }
}
// ANCHOR_END: run

fn finish(shared: &Shared, ended: Ended) {
    match ended {
        Ended::Sent(parcels) => shared.with(|core, now| {
            for (parcel, answer) in parcels {
                core.answered(now.moment, parcel.outgoing, parcel.bytes, answer);
            }
        }),
        Ended::Identity(Ok(identity)) => {
            shared.with(|core, now| core.identify(now.moment, identity))
        }
        Ended::Identity(Err(failure)) => shared.with(|core, now| core.stop(now.moment, failure)),
        Ended::Enlisted(..) => unreachable!("the loop looks at them itself"),
    }
}

fn enlisted(shared: &Shared, slots: Vec<Slot>, ended: Result<(), ErrorCode>) {
    shared.with(|core, now| match ended {
        Ok(()) => {
            if let Some(transaction) = core.transaction() {
                transaction.slots.extend(slots);
            }
        }
        Err(code) => core.stop(now.moment, Failure::Refused(code)),
    });
}

/// Sends those batches whose partitions are in the transaction. The others wait for their
/// partitions, which are added all together.
fn enlist_and_send(
    shared: &Arc<Shared>,
    batches: Vec<Outgoing>,
    (unlisted, running): (&mut Unlisted, &mut FuturesUnordered<Running>),
) {
    let (ready, waiting) = shared.with(|core, _| {
        let slots = core.transaction().map(|one| &one.slots);
        let is_in = |one: &Outgoing| slots.is_some_and(|slots| slots.contains(&one.slot));
        batches.into_iter().partition::<Vec<_>, _>(is_in)
    });
    send(shared, ready, running);
    unlisted.batches.extend(waiting);
    let Some(transaction) = &shared.transaction else {
        return;
    };
    if unlisted.is_asking || unlisted.batches.is_empty() {
        return;
    }
    let slots: BTreeSet<Slot> = unlisted.batches.iter().map(|one| one.slot).collect();
    let slots: Vec<Slot> = slots.into_iter().collect();
    let partitions =
        shared.with(|core, _| slots.iter().map(|slot| core.partition(*slot)).collect());
    let asking = transaction.enlist(partitions);
    unlisted.is_asking = true;
    running.push(Box::pin(
        async move { Ended::Enlisted(slots, asking.await) },
    ));
}

/// Makes requests of the batches: those for one broker go together, as long as the
/// request does not become too large.
fn send(shared: &Arc<Shared>, batches: Vec<Outgoing>, running: &mut FuturesUnordered<Running>) {
    let taken = shared.with(|core, _| {
        let take = |one: Outgoing| {
            let contents = core.take_contents(one.batch)?;
            let to = core.partition(one.slot);
            Some((one, to, core.topics.leader(one.slot), contents))
        };
        batches.into_iter().filter_map(take).collect::<Vec<_>>()
    });
    let mut requests: BTreeMap<Option<BrokerId>, (usize, Vec<Parcel>)> = BTreeMap::new();
    for (outgoing, to, leader, contents) in taken {
        let make = Make {
            codec: shared.settings.codec,
            is_transactional: shared.transaction.is_some(),
        };
        let Some(bytes) = contents.seal(outgoing.number, make) else {
            continue;
        };
        let length = bytes.len();
        let parcel = Parcel {
            outgoing,
            to,
            bytes,
        };
        let (size, parcels) = requests.entry(leader).or_default();
        let has_its_partition = parcels.iter().any(|one| one.to == parcel.to);
        let is_full = *size + length > shared.settings.request_bytes && !parcels.is_empty();
        // A request has one batch of a partition; without a leader each is looked up.
        if is_full || has_its_partition || (leader.is_none() && !parcels.is_empty()) {
            let full = std::mem::take(parcels);
            *size = 0;
            running.push(Box::pin(produce(Arc::clone(shared), leader, full)));
        }
        *size += length;
        parcels.push(parcel);
    }
    for (leader, (_, parcels)) in requests {
        running.push(Box::pin(produce(Arc::clone(shared), leader, parcels)));
    }
}

/// One request with these batches. All are for the broker, or there is one whose leader
/// is looked up first.
async fn produce(shared: Arc<Shared>, leader: Option<BrokerId>, parcels: Vec<Parcel>) -> Ended {
    let now = shared.clock.now();
    let deadline = now.plus(shared.settings.request_timeout);
    let last = parcels.iter().map(|one| one.outgoing.deliver_by).max();
    let deadline = deadline.min(last.unwrap_or(deadline));
    let target = match leader {
        Some(leader) => Target::Node(leader),
        None => {
            let to = parcels[0].to.clone();
            if let Err(error) = look_up(&shared, &to.topic, deadline).await {
                let answer = of_error(&error);
                return Ended::Sent(parcels.into_iter().map(|one| (one, answer)).collect());
            }
            Target::Leader(to)
        }
    };
    let request = request(&shared, &parcels, deadline.since(now));
    let answers = if shared.settings.acks == Acks::None {
        let sent = shared.client.send(&target, &request, deadline).await;
        let answer = sent.map_or_else(|error| of_error(&error), |()| Answer::Appended(None));
        vec![answer; parcels.len()]
    } else {
        match shared.client.call(&target, &request, deadline).await {
            Ok(response) => parcels.iter().map(|one| find(&response, &one.to)).collect(),
            Err(error) => vec![of_error(&error); parcels.len()],
        }
    };
    let sent: Vec<(Parcel, Answer)> = parcels.into_iter().zip(answers).collect();
    forget_stale(&shared, &sent);
    Ended::Sent(sent)
}

pub(crate) async fn look_up(
    shared: &Shared,
    topic: &TopicName,
    deadline: Moment,
) -> Result<(), Error> {
    let metadata = shared.client.topic(topic, deadline).await?;
    shared.with(|core, now| core.learn(now.moment, topic, &metadata));
    Ok(())
}

/// Looks all topics up again as often as `metadata.max.age.ms` says, until the producer is
/// gone: a topic may have more partitions than it had. One that was looked up in between is
/// at most twice as old.
pub(crate) async fn refresh(shared: Arc<Shared>) {
    loop {
        let now = shared.clock.now();
        let next = now.plus(shared.client.settings().metadata_max_age);
        shared.clock.sleep_until(next).await;
        let topics = shared.with(|core, _| core.topics.names());
        let deadline = next.plus(shared.settings.request_timeout);
        let look_ups = topics.iter().map(|topic| look_up(&shared, topic, deadline));
        // What cannot be looked up now stays as it is known.
        join_all(look_ups).await;
    }
}

fn request(shared: &Shared, parcels: &[Parcel], patience: std::time::Duration) -> ProduceRequest {
    let mut topics: Vec<ProduceTopic> = Vec::new();
    for parcel in parcels {
        let name = parcel.to.topic.as_str();
        let partition = ProducePartition {
            index: parcel.to.partition.0,
            records: Records::from_bytes(parcel.bytes.clone()),
        };
        match topics.iter_mut().find(|topic| topic.name == name) {
            Some(topic) => topic.partitions.push(partition),
            None => topics.push(ProduceTopic {
                name: name.to_owned(),
                partitions: vec![partition],
            }),
        }
    }
    ProduceRequest {
        transactional_id: shared.transaction.as_ref().map(|one| one.id.clone()),
        acks: shared.settings.acks.to_wire(),
        timeout_ms: i32::try_from(patience.as_millis()).unwrap_or(i32::MAX),
        topics,
    }
}

fn find(response: &ProduceResponse, to: &TopicPartition) -> Answer {
    let topics = response.topics.iter();
    let topic = topics.filter(|topic| topic.name == to.topic.as_str());
    let mut partitions = topic.flat_map(|topic| &topic.partitions);
    let its = partitions.find(|partition| partition.index == to.partition.0);
    its.map_or(Answer::Lost, of_partition)
}

/// What may have led to the wrong broker is looked up before the next attempt.
fn forget_stale(shared: &Shared, sent: &[(Parcel, Answer)]) {
    let is_stale = |answer: &Answer| match answer {
        Answer::NotNow(code) => Error::Broker(*code).is_stale_route(),
        Answer::Lost => true,
        _ => false,
    };
    for (parcel, _) in sent.iter().filter(|one| is_stale(&one.1)) {
        shared.client.forget(&Target::Leader(parcel.to.clone()));
        shared.with(|core, _| core.topics.forget_leader(parcel.outgoing.slot));
    }
}

/// The next epoch, or a new producer id if there is none.
async fn renew(shared: Arc<Shared>, last: Option<Identity>) -> Ended {
    if let Some(last) = last
        && let Some(epoch) = last.epoch.0.checked_add(1)
    {
        // No broker needs to be asked: those that know the producer learn it from a batch.
        let epoch = ProducerEpoch(epoch);
        return Ended::Identity(Ok(Identity { epoch, ..last }));
    }
    loop {
        // Batches that wait for it have deadlines of their own, so this may take for ever.
        let deadline = shared.clock.now().plus(shared.settings.request_timeout);
        match ask_for_identity(&shared, deadline).await {
            Ok(identity) => return Ended::Identity(Ok(identity)),
            Err(error) if error.is_retriable() => {
                tokio::time::sleep(shared.settings.backoff).await;
            }
            Err(error) => {
                let code = error.code().unwrap_or(ErrorCode::UNSUPPORTED_VERSION);
                return Ended::Identity(Err(Failure::Fatal(code)));
            }
        }
    }
}

async fn ask_for_identity(shared: &Shared, deadline: Moment) -> Result<Identity, Error> {
    let request = InitProducerIdRequest {
        // Without a transaction it means nothing; it must be positive.
        transaction_timeout_ms: 60_000,
        ..InitProducerIdRequest::default()
    };
    let answer = shared.client.call(&Target::Any, &request, deadline).await?;
    match answer.error_code {
        ErrorCode::NONE => Ok(Identity {
            id: ProducerId(answer.producer_id),
            epoch: ProducerEpoch(answer.producer_epoch),
        }),
        code => Err(Error::Broker(code)),
    }
}
