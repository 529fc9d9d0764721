//! A reader of all partitions, outside of every group.

use std::collections::BTreeMap;

use history::Action;
use wire_protocol::ErrorCode;
use wire_protocol::message::{FetchPartition, FetchRequest, FetchTopic};

use super::Setting;
use crate::batch::consume;
use crate::network::Link;
use crate::node::{PARTITIONS, TOPICS};
use crate::record::{place, polled};
use crate::request::{Request, Response};

/// What a reader sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Isolation {
    Committed,
    Uncommitted,
}

/// Where a reader is.
pub(super) type Positions = BTreeMap<(&'static str, i32), i64>;

/// Reads until it is calm.
pub(crate) async fn read(setting: Setting, isolation: Isolation) {
    let mut link = Link::new(&setting.network, false);
    let mut positions = all();
    let process = begin(&setting, &positions);
    while !setting.is_calm.get() {
        let _read = poll(&setting, &mut link, (process, isolation), &mut positions).await;
        setting.linger().await;
        setting.sim.sleep(setting.sim.pick(0..60)).await;
    }
}

/// Reads everything from the start to the end that there is now.
pub(crate) async fn read_to_the_end(setting: Setting, isolation: Isolation) {
    let mut link = Link::new(&setting.network, false);
    let mut positions = all();
    let process = begin(&setting, &positions);
    loop {
        let read = poll(&setting, &mut link, (process, isolation), &mut positions).await;
        match read {
            Some(true) => return,
            Some(false) => {}
            None => setting.back_off().await,
        }
    }
}

fn all() -> Positions {
    let of = |topic| (0..PARTITIONS).map(move |index| ((topic, index), 0));
    TOPICS.into_iter().flat_map(of).collect()
}

fn begin(setting: &Setting, positions: &Positions) -> u32 {
    let process = setting.recorder.process();
    let partitions = positions.keys().map(|(topic, index)| place(topic, *index));
    setting
        .recorder
        .done(process, Action::Assign(partitions.collect()));
    process
}

/// Reads on. Returns whether it was at the end of all partitions; `None` if there was no answer.
async fn poll(
    setting: &Setting,
    link: &mut Link,
    (process, isolation): (u32, Isolation),
    positions: &mut Positions,
) -> Option<bool> {
    let request = fetch_request(positions, isolation, 0);
    let Ok(Response::Fetch(all)) = link.call(request).await else {
        return None;
    };
    let mut is_at_end = true;
    let mut records = Vec::new();
    for fetched in all {
        if fetched.error_code != ErrorCode::NONE {
            is_at_end = false;
            continue;
        }
        let at = positions
            .iter_mut()
            .find(|((topic, index), _)| *topic == fetched.topic && *index == fetched.partition);
        let Some((_, at)) = at else { continue };
        let consumed = consume(&fetched, *at);
        *at = consumed.next.unwrap_or(*at);
        is_at_end &= *at >= fetched.high_watermark;
        match isolation {
            Isolation::Committed => {
                records.extend(polled(&fetched.topic, fetched.partition, &consumed.records));
            }
            Isolation::Uncommitted => {
                let partition = place(&fetched.topic, fetched.partition);
                for (offset, value) in consumed.records {
                    setting.recorder.saw(&partition, offset, value);
                }
            }
        }
    }
    setting.recorder.done(process, Action::Poll(records));
    Some(is_at_end)
}

/// Returns the request that reads on from `positions`.
pub(super) fn fetch_request(positions: &Positions, isolation: Isolation, wait: i32) -> Request {
    let mut topics: Vec<FetchTopic> = Vec::new();
    for ((topic, index), at) in positions {
        let partition = FetchPartition {
            partition: *index,
            fetch_offset: *at,
            partition_max_bytes: 2_000,
            ..FetchPartition::default()
        };
        match topics.last_mut().filter(|last| last.topic == *topic) {
            Some(last) => last.partitions.push(partition),
            None => topics.push(FetchTopic {
                topic: (*topic).to_owned(),
                partitions: vec![partition],
            }),
        }
    }
    Request::Fetch(FetchRequest {
        max_wait_ms: wait,
        min_bytes: i32::from(wait > 0),
        isolation_level: i8::from(isolation == Isolation::Committed),
        topics,
        ..FetchRequest::default()
    })
}
