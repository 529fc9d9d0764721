//! A group with its members.
//!
//! # On disk
//! version 3: protocol type string | generation `i32` | protocol, nullable string | leader,
//! nullable string | state since `i64` | member count `i32` | per member: id string |
//! instance id, nullable string | client id string | client host string | rebalance timeout
//! `i32` | session timeout `i32` | subscription bytes | assignment bytes. Timeouts are
//! milliseconds, bytes have an `i32` length.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use message_model::Timestamp;

use super::codec::{Input, Unreadable, put_bytes, put_string};
use crate::part::{Client, InstanceId, MemberId, StoredGroup, StoredMember};

/// The last version that is known; it is flexible.
const LAST: i16 = 4;
/// The fewest bytes of a member: four empty strings, a timeout, two empty byte strings,
/// each in its shorter form.
const MEMBER_SIZE_MIN: usize = 9;

/// A group as it was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupValue {
    /// Its generation and its members.
    pub group: StoredGroup,
    /// Since when it is in its state; [`Timestamp::NONE`] if that is not known.
    pub since: Timestamp,
}

impl GroupValue {
    pub(super) fn encode(&self) -> Vec<u8> {
        let group = &self.group;
        let mut out = Vec::new();
        out.extend(3_i16.to_be_bytes());
        put_string(&mut out, Some(&group.protocol_type));
        out.extend(group.generation.to_be_bytes());
        put_string(&mut out, group.protocol.as_deref());
        put_string(&mut out, group.leader.as_ref().map(|id| &*id.0));
        out.extend(self.since.0.to_be_bytes());
        wire_protocol::put::length(&mut out, Some(group.members.len()));
        for member in &group.members {
            put_string(&mut out, Some(&member.member.0));
            put_string(&mut out, member.instance.as_ref().map(|id| &*id.0));
            put_string(&mut out, Some(&member.client.id));
            put_string(&mut out, Some(&member.client.host));
            out.extend(to_millis(member.rebalance_timeout).to_be_bytes());
            out.extend(to_millis(member.session_timeout).to_be_bytes());
            put_bytes(&mut out, &member.metadata);
            put_bytes(&mut out, &member.assignment);
        }
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<GroupValue, Unreadable> {
        let mut input = Input::new(bytes);
        let version = input.version(LAST)?;
        let protocol_type = input.string()?.into();
        let generation = input.i32()?;
        let protocol = input.nullable_string()?.map(Arc::from);
        let leader = input.nullable_string()?.map(MemberId::new);
        let since = match version {
            2.. => Timestamp(input.i64()?),
            _ => Timestamp::NONE,
        };
        let count = input.count(MEMBER_SIZE_MIN)?;
        let mut members = Vec::new();
        for _ in 0..count {
            members.push(decode_member(&mut input, version)?);
        }
        input.end_struct()?;
        Ok(GroupValue {
            group: StoredGroup {
                generation,
                protocol_type,
                protocol,
                leader,
                members,
            },
            since,
        })
    }
}

fn decode_member(input: &mut Input<'_>, version: i16) -> Result<StoredMember, Unreadable> {
    let member = MemberId::new(input.string()?);
    let instance = match version {
        3.. => input.nullable_string()?.map(InstanceId::new),
        _ => None,
    };
    let client = Client {
        id: input.string()?.into(),
        host: input.string()?.into(),
    };
    let rebalance_timeout = if version >= 1 { input.i32()? } else { -1 };
    let session_timeout = from_millis(input.i32()?);
    let stored = StoredMember {
        member,
        instance,
        client,
        session_timeout,
        // Version 0 has none: the session timeout was used for both.
        rebalance_timeout: match rebalance_timeout {
            ..0 => session_timeout,
            millis => from_millis(millis),
        },
        metadata: Bytes::copy_from_slice(input.bytes()?),
        assignment: Bytes::copy_from_slice(input.bytes()?),
    };
    input.end_struct()?;
    Ok(stored)
}

fn to_millis(duration: Duration) -> i32 {
    i32::try_from(duration.as_millis()).unwrap_or(i32::MAX)
}

fn from_millis(millis: i32) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}
