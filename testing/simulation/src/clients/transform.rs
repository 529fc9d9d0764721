//! A transform: reads `in`, writes to `out`, and commits both in one transaction.

use std::collections::BTreeSet;

use history::{Action, Step};
use wire_protocol::message::{
    TxnOffsetCommitRequest, TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};

use super::Setting;
use super::member::Member;
use super::member_reader::{begin, fetch};
use super::reader::Positions;
use super::transactional::{Transactional, Trouble};
use crate::node::PARTITIONS;
use crate::record::{Begun, polled};
use crate::request::Request;

/// The group of the transforms.
pub(crate) const GROUP: &str = "transforms";

/// What was read of each partition.
type Read = Vec<(i32, Vec<(i64, u64)>)>;

/// How a generation ended for a member.
enum Ended {
    JoinsAgain,
    /// It leaves, or another instance has its transactional id.
    Over,
}

/// Transforms until it is calm and all is read, with members that come and go. All of them
/// have the transactional id `id`.
pub(crate) async fn transform(setting: Setting, id: String) {
    loop {
        let Some(mut producer) = Transactional::init(&setting, &id).await else {
            setting.back_off().await;
            continue;
        };
        let process = setting.recorder.process();
        let mut member = Member::new(&setting, GROUP);
        loop {
            let positions = member.join().await;
            begin(&setting, process, &positions);
            match generation(&mut producer, &mut member, process, positions).await {
                Ended::JoinsAgain => {}
                Ended::Over => break,
            }
        }
        if setting.is_calm.get() {
            member.leave().await;
            return;
        }
        if setting.sim.once_in(2) {
            member.leave().await;
        }
        setting.linger().await;
    }
}

async fn generation(
    producer: &mut Transactional,
    member: &mut Member,
    process: u32,
    mut positions: Positions,
) -> Ended {
    let setting = producer.setting.clone();
    let mut idle = 0;
    loop {
        if member.beat().await.is_err() {
            return Ended::JoinsAgain;
        }
        let wait = if setting.is_calm.get() { 100 } else { 30 };
        let read = fetch(&mut member.link, &mut positions, wait).await;
        let is_idle = read.iter().all(|(_, records)| records.is_empty());
        idle = if is_idle { idle + 1 } else { 0 };
        match setting.is_calm.get() {
            true if idle > 9 => return Ended::Over,
            false if setting.sim.once_in(40) => return Ended::Over,
            _ if is_idle => continue,
            _ => {}
        }
        let action = Action::Transaction {
            steps: Vec::new(),
            ending: None,
        };
        let begun = setting.recorder.begin(process, action);
        let done = one(producer, member, begun, (&read, &positions)).await;
        if done == Err(Trouble::Fenced) {
            return Ended::Over;
        }
        let commits = done.is_ok() && (setting.is_calm.get() || !setting.sim.once_in(6));
        if !producer.end(begun, commits).await {
            return Ended::Over;
        }
        if !commits {
            // What was read is read again, from where the group is.
            return Ended::JoinsAgain;
        }
        setting.linger().await;
    }
}

/// All of a transaction but its end.
async fn one(
    producer: &mut Transactional,
    member: &mut Member,
    begun: Begun,
    (read, positions): (&Read, &Positions),
) -> Result<(), Trouble> {
    let setting = producer.setting.clone();
    let mut outputs: Vec<(i32, u64)> = Vec::new();
    for (index, records) in read {
        let step = Step::Poll(polled("in", *index, records));
        setting.recorder.step(begun, step);
        for (offset, _) in records {
            let value = setting.recorder.value();
            setting.recorder.makes(value, (*index, *offset));
            let to = i32::try_from(setting.sim.pick(0..2)).unwrap_or(0) % PARTITIONS;
            outputs.push((to, value));
        }
    }
    let partitions: BTreeSet<_> = outputs.iter().map(|(to, _)| ("out", *to)).collect();
    producer.enlist(&partitions).await?;
    for (to, value) in outputs {
        producer.add(begun, ("out", to), vec![value]);
    }
    let is_first = setting.sim.once_in(2);
    if is_first {
        commit_offsets(producer, member, positions).await?;
        setting.linger().await;
    }
    producer.flush().await?;
    setting.linger().await;
    if !is_first {
        commit_offsets(producer, member, positions).await?;
        setting.linger().await;
    }
    Ok(())
}

async fn commit_offsets(
    producer: &mut Transactional,
    member: &Member,
    positions: &Positions,
) -> Result<(), Trouble> {
    producer.enlist_offsets(GROUP).await?;
    let partition = |((_, index), at): (&(&str, i32), &i64)| TxnOffsetCommitRequestPartition {
        partition_index: *index,
        committed_offset: *at,
        ..TxnOffsetCommitRequestPartition::default()
    };
    let instance = producer.batches.instance;
    let request = Request::TxnOffsetCommit(TxnOffsetCommitRequest {
        transactional_id: producer.id.clone(),
        group_id: GROUP.to_owned(),
        producer_id: instance.id,
        producer_epoch: instance.epoch,
        generation_id: member.generation,
        member_id: member.id.clone(),
        topics: vec![TxnOffsetCommitRequestTopic {
            name: "in".to_owned(),
            partitions: positions.iter().map(partition).collect(),
        }],
        ..TxnOffsetCommitRequest::default()
    });
    producer.call(request).await
}
