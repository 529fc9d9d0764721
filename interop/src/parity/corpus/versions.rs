//! Every version.

use std::fmt::Debug;
use std::ops::RangeInclusive;

use kafka_protocol::messages::{BrokerId, ProduceRequest};
use kafka_protocol::protocol::Request;

use crate::parity::batch::{Batch, TIMESTAMP};
use crate::parity::exchange::{Exchange, Step};
use crate::requests::{
    create_plain, creation, deletion, fetch_partition, fetching, listing, metadata_request,
    production, topic,
};

fn each<R: Request + Debug>(
    versions: RangeInclusive<i16>,
    request: impl Fn(i16) -> R,
) -> Vec<Step> {
    versions
        .map(|version| Step::new(version, &request(version)))
        .collect()
}

pub(super) fn all() -> Vec<Exchange> {
    let batch = Batch::of(&["a"]).bytes();
    let produced = |_| -> ProduceRequest { production("versions", 1, &[(0, Some(&batch))]) };
    let steps = |steps: Vec<Step>| [vec![create_plain(&["versions"])], steps].concat();
    vec![
        Exchange::new("produce", "Produce 3 to 9.", steps(each(3..=9, produced))),
        Exchange::new(
            "fetch",
            "Fetch 4 to 12.",
            each(4..=12, |version| {
                let partition = fetch_partition(0, 0);
                let partition = match version {
                    ..9 => partition.with_current_leader_epoch(-1),
                    _ => partition,
                };
                fetching("versions", vec![partition])
            }),
        ),
        Exchange::new(
            "list-offsets",
            "ListOffsets 1 to 9.",
            each(1..=9, |_| listing("versions", &[(0, TIMESTAMP)])),
        ),
        Exchange::new(
            "metadata",
            "Metadata 0 to 9. Before version 4 a client cannot forbid a creation.",
            each(0..=9, |version| {
                metadata_request(&["versions"]).with_allow_auto_topic_creation(version < 4)
            }),
        ),
        Exchange::new(
            "create-topics",
            "CreateTopics 2 to 4.",
            each(2..=4, |version| {
                creation(vec![topic(&format!("create-{version}"), 1, 1)])
            }),
        ),
        Exchange::new(
            "delete-topics",
            "DeleteTopics 1 to 3.",
            each(1..=3, |version| {
                deletion(&[&format!("create-{}", version + 1)])
            }),
        ),
        Exchange::new(
            "followers",
            "ListOffsets by a replica, which no client is.",
            vec![Step::new(
                2,
                &listing("versions", &[(0, -1)]).with_replica_id(BrokerId(0)),
            )],
        ),
    ]
}
