//! A group that reads `in` and commits its offsets outside of transactions.

use history::{Action, Record};
use wire_protocol::ErrorCode;
use wire_protocol::message::{OffsetCommitPartition, OffsetCommitRequest, OffsetCommitTopic};

use super::Setting;
use super::member::Member;
use super::reader::{Isolation, Positions, fetch_request};
use crate::batch::consume;
use crate::network::Link;
use crate::record::{place, polled};
use crate::request::{Request, Response};

/// The group.
pub(crate) const GROUP: &str = "readers";

/// Reads as a member of the group until it is calm, with members that come and go.
pub(crate) async fn read_in_group(setting: Setting) {
    while !setting.is_calm.get() {
        let process = setting.recorder.process();
        let mut member = Member::new(&setting, GROUP);
        loop {
            let positions = member.join().await;
            begin(&setting, process, &positions);
            if !read(&setting, process, &mut member, positions).await {
                break;
            }
        }
        // Others hear of it, or its session ends.
        if setting.sim.once_in(2) || setting.is_calm.get() {
            member.leave().await;
        }
        setting.linger().await;
    }
}

/// A member's consumer begins anew.
pub(super) fn begin(setting: &Setting, process: u32, positions: &Positions) {
    let recorder = &setting.recorder;
    recorder.done(process, Action::Subscribe(vec!["in".to_owned()]));
    for ((topic, index), at) in positions {
        let seek = Action::Seek {
            partition: place(topic, *index),
            offset: Some(*at),
        };
        recorder.done(process, seek);
    }
}

/// Reads in a generation. Returns whether the member joins again.
async fn read(
    setting: &Setting,
    process: u32,
    member: &mut Member,
    mut positions: Positions,
) -> bool {
    loop {
        if setting.is_calm.get() || setting.sim.once_in(40) {
            return false;
        }
        if member.beat().await.is_err() {
            return true;
        }
        let before = positions.clone();
        let read = fetch(&mut member.link, &mut positions, 30).await;
        let records: Vec<Record> = read
            .iter()
            .flat_map(|(index, records)| polled("in", *index, records))
            .collect();
        if !records.is_empty() {
            setting.recorder.done(process, Action::Poll(records));
        }
        setting.linger().await;
        if before != positions && commit(member, &positions).await.is_err() {
            return true;
        }
    }
}

/// Reads on, and returns the records of each partition. Without an answer there are none.
pub(super) async fn fetch(
    link: &mut Link,
    positions: &mut Positions,
    wait: i32,
) -> Vec<(i32, Vec<(i64, u64)>)> {
    let mut read = Vec::new();
    if positions.is_empty() {
        link.sim.sleep(20).await;
        return read;
    }
    let request = fetch_request(positions, Isolation::Committed, wait);
    let Ok(Response::Fetch(all)) = link.call(request).await else {
        return read;
    };
    for fetched in all.iter().filter(|one| one.error_code == ErrorCode::NONE) {
        if let Some(at) = positions.get_mut(&("in", fetched.partition)) {
            let consumed = consume(fetched, *at);
            *at = consumed.next.unwrap_or(*at);
            read.push((fetched.partition, consumed.records));
        }
    }
    read
}

async fn commit(member: &mut Member, positions: &Positions) -> Result<(), ()> {
    let partition = |((_, index), at): (&(&str, i32), &i64)| OffsetCommitPartition {
        partition_index: *index,
        committed_offset: *at,
        ..OffsetCommitPartition::default()
    };
    let request = Request::OffsetCommit(OffsetCommitRequest {
        group_id: GROUP.to_owned(),
        generation_id: member.generation,
        member_id: member.id.clone(),
        topics: vec![OffsetCommitTopic {
            name: "in".to_owned(),
            partitions: positions.iter().map(partition).collect(),
        }],
        ..OffsetCommitRequest::default()
    });
    match member.link.call(request).await {
        Ok(Response::Done(code)) => member.judge(code),
        // It may be committed, or not. It joins again, and hears.
        _ => Err(()),
    }
}
