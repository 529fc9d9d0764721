//! Null in place of a list or a name that must be there: no client's library can write
//! that, so the requests are bytes.

use kafka_protocol::messages::ApiKey;

use crate::parity::exchange::{Exchange, Step};

/// The length of a null.
const NULL: [u8; 4] = [0xff; 4];
/// A string of no letters, and one of a letter.
const EMPTY: [u8; 2] = [0, 0];
const LETTER: [u8; 3] = [0, 1, b'g'];
/// A number of four bytes.
const NUMBER: [u8; 4] = [0, 0, 0x75, 0x30];

pub(super) fn all() -> Vec<Exchange> {
    vec![records_and_topics(), groups(), group_ids()]
}

/// What is in front of the list, the null, and what is behind it.
fn step(api: ApiKey, version: i16, before: &[&[u8]], behind: &[u8]) -> Step {
    let body = [before.concat(), NULL.to_vec(), behind.to_vec()].concat();
    Step::raw(api as i16, version, &body)
}

fn records_and_topics() -> Exchange {
    Exchange::new(
        "null-lists",
        "Null in place of a list of topics, partitions or resources.",
        vec![
            step(ApiKey::Produce, 3, &[&[0xff, 0xff, 0, 1], &NUMBER], &[]),
            step(
                ApiKey::Fetch,
                4,
                &[&NULL, &NUMBER, &NUMBER, &NUMBER, &[0]],
                &[],
            ),
            step(ApiKey::ListOffsets, 1, &[&NULL], &[]),
            step(ApiKey::Metadata, 0, &[], &[]),
            step(ApiKey::CreateTopics, 2, &[], &[0, 0, 0x75, 0x30, 0]),
            step(ApiKey::DeleteTopics, 1, &[], &NUMBER),
            step(ApiKey::DeleteRecords, 0, &[], &NUMBER),
            step(ApiKey::OffsetForLeaderEpoch, 2, &[], &[]),
            step(ApiKey::DescribeConfigs, 1, &[], &[0]),
            step(ApiKey::AlterConfigs, 0, &[], &[0]),
            step(ApiKey::CreatePartitions, 0, &[], &[0, 0, 0x75, 0x30, 0]),
            step(ApiKey::IncrementalAlterConfigs, 0, &[], &[0]),
        ],
    )
}

fn groups() -> Exchange {
    Exchange::new(
        "null-lists-of-groups",
        "Null in place of a list of topics, protocols, shares or members.",
        vec![
            step(
                ApiKey::OffsetCommit,
                2,
                &[&LETTER, &NULL, &EMPTY, &NULL, &NULL],
                &[],
            ),
            step(ApiKey::OffsetFetch, 1, &[&LETTER], &[]),
            step(
                ApiKey::JoinGroup,
                0,
                &[&LETTER, &NUMBER, &EMPTY, &LETTER],
                &[],
            ),
            step(ApiKey::SyncGroup, 0, &[&LETTER, &NUMBER, &EMPTY], &[]),
            step(ApiKey::LeaveGroup, 3, &[&LETTER], &[]),
            step(ApiKey::OffsetDelete, 0, &[&LETTER], &[]),
        ],
    )
}

fn group_ids() -> Exchange {
    let null = [0xff, 0xff];
    let of = |api: ApiKey, version, behind: &[&[u8]]| {
        let body = [null.to_vec(), behind.concat()].concat();
        Step::raw(api as i16, version, &body)
    };
    let none = [0; 4];
    Exchange::new(
        "null-groups",
        "Null in place of a group's id, and of a member's.",
        vec![
            of(ApiKey::OffsetFetch, 1, &[&none]),
            of(ApiKey::SyncGroup, 0, &[&NUMBER, &EMPTY, &none]),
            of(ApiKey::Heartbeat, 0, &[&NUMBER, &EMPTY]),
            of(ApiKey::LeaveGroup, 0, &[&EMPTY]),
            of(ApiKey::OffsetDelete, 0, &[&none]),
            Step::raw(
                ApiKey::Heartbeat as i16,
                0,
                &[&LETTER[..], &NUMBER, &null].concat(),
            ),
            Step::raw(ApiKey::LeaveGroup as i16, 0, &[&LETTER[..], &null].concat()),
        ],
    )
}
