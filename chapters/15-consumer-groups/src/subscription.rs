//! What consumers say to the leader of their group, as far as it concerns the broker.

use std::collections::BTreeSet;

use wire_protocol::Reader;

use crate::part::{Description, State};

/// The protocol type of consumers. The metadata of other groups is never read.
const CONSUMER: &str = "consumer";

/// Which topics the members of a group read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Subscribed {
    /// These.
    To(BTreeSet<String>),
    /// It cannot be said.
    Unknown {
        /// Whether they are consumers.
        consumers: bool,
    },
}

impl Subscribed {
    /// Returns the topics that the members of `group` read.
    pub(crate) fn of(group: &Description) -> Subscribed {
        let consumers = &*group.protocol_type == CONSUMER;
        if group.members.is_empty() {
            return Subscribed::To(BTreeSet::new());
        }
        if !consumers || group.state != State::Stable {
            return Subscribed::Unknown { consumers };
        }
        let mut topics = BTreeSet::new();
        for member in &group.members {
            let Some(of_member) = read_topics(&member.metadata) else {
                return Subscribed::Unknown { consumers };
            };
            topics.extend(of_member);
        }
        Subscribed::To(topics)
    }

    /// Returns whether offsets of `topic` must stay, because members of the group read it.
    pub(crate) fn reads(&self, topic: &str) -> bool {
        match self {
            Subscribed::To(topics) => topics.contains(topic),
            Subscribed::Unknown { consumers } => *consumers,
        }
    }
}

/// The topics of a subscription: version `i16` | topic count `i32`, topics | and what the
/// broker does not look at. `None` if it is none.
fn read_topics(metadata: &[u8]) -> Option<Vec<String>> {
    let mut reader = Reader::new(metadata);
    let _version = reader.i16().ok()?;
    let count = reader.array_length(size_of::<i16>()).ok()??;
    let mut topics = Vec::new();
    for _ in 0..count {
        topics.push(reader.nullable_string().ok()??.to_owned());
    }
    Some(topics)
}
