//! A committed offset.
//!
//! # On disk
//! version 3: offset `i64` | leader epoch `i32` | metadata string | committed at `i64`.
//! version 1, if the client has said how long to keep it: offset `i64` | metadata string |
//! committed at `i64` | expires at `i64`. Times are milliseconds since 1970.

use std::sync::Arc;

use message_model::Timestamp;

use super::codec::{Input, Unreadable, put_string};

/// The last version that is known; it is flexible.
const LAST: i16 = 4;

/// What was committed for a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OffsetValue {
    /// The next offset to read.
    pub offset: i64,
    /// The leader epoch of the record before it; -1 if the client has not said it.
    pub leader_epoch: i32,
    /// Whatever the client wants to keep with it.
    pub metadata: Arc<str>,
    /// When it was committed.
    pub committed_at: Timestamp,
    /// When it expires, if the client has said so.
    pub expires_at: Option<Timestamp>,
}

impl OffsetValue {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let version: i16 = if self.expires_at.is_some() { 1 } else { 3 };
        out.extend(version.to_be_bytes());
        out.extend(self.offset.to_be_bytes());
        if version >= 3 {
            out.extend(self.leader_epoch.to_be_bytes());
        }
        put_string(&mut out, Some(&self.metadata));
        out.extend(self.committed_at.0.to_be_bytes());
        if let Some(expires_at) = self.expires_at {
            out.extend(expires_at.0.to_be_bytes());
        }
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<OffsetValue, Unreadable> {
        let mut input = Input::new(bytes);
        let version = input.version(LAST)?;
        let value = OffsetValue {
            offset: input.i64()?,
            leader_epoch: if version >= 3 { input.i32()? } else { -1 },
            metadata: input.string()?.into(),
            committed_at: Timestamp(input.i64()?),
            expires_at: match version {
                1 => Some(Timestamp(input.i64()?)).filter(|at| *at != Timestamp::NONE),
                _ => None,
            },
        };
        input.end_struct()?;
        Ok(value)
    }
}
