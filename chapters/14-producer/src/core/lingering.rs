//! Tests: a batch that lingers is sent when it is due, whatever happens meanwhile.

use std::time::Duration;

use bytes::Bytes;
use client::{PartitionMetadata, TopicMetadata};
use message_model::{BrokerId, Moment, Timestamp, TopicName};

use super::{Call, Core, Now, Offered};
use crate::held::Outgoing;
use crate::part::Answer;
use crate::record::Record;
use crate::settings::Settings;

fn at(millis: u64) -> Now {
    Now {
        moment: Moment::after_start(Duration::from_millis(millis)),
        wall: || Timestamp(0),
    }
}

/// Sends a record at this time; when something is due then.
fn send(core: &mut Core, topic: &TopicName, millis: u64) -> Option<Moment> {
    let call = Call {
        topic,
        record: Record::of_value(b"a"),
        admit_by: at(60_000).moment,
        deliver_by: at(120_000).moment,
        parked: None,
    };
    assert!(matches!(core.offer(at(millis), &call), Offered::Sent(_)));
    core.take_after().and_then(|after| after.deadline)
}

fn tick(core: &mut Core, millis: u64) -> Vec<Outgoing> {
    core.tick(at(millis).moment);
    core.take_after()
        .map_or_else(Vec::new, |after| after.outbox)
}

/// The second batch is begun while the first is in flight, and a tick comes before there is
/// room for it and before it is due. It has to be due again when the answer makes room.
#[test]
fn a_tick_without_room_forgets_no_batch() {
    let topic = TopicName::new("t").unwrap();
    let mut core = Core::new(&Settings::default(), None);
    let leader = PartitionMetadata {
        leader: Some(BrokerId(1)),
        leader_epoch: None,
    };
    let partitions = vec![leader];
    core.learn(at(0).moment, &topic, &TopicMetadata { partitions });
    assert_eq!(send(&mut core, &topic, 0), Some(at(5).moment));
    let sent = tick(&mut core, 5);
    assert_eq!(sent.len(), 1);
    assert_eq!(send(&mut core, &topic, 6), Some(at(11).moment));
    assert!(tick(&mut core, 7).is_empty());
    core.answered(at(8).moment, sent[0], Bytes::new(), Answer::Appended(None));
    let due = core.take_after().and_then(|after| after.deadline);
    assert_eq!(due, Some(at(11).moment));
    assert_eq!(tick(&mut core, 11).len(), 1);
}
