//! Where a group is, with what belongs to it there.

use std::collections::BTreeMap;

use bytes::Bytes;
use message_model::Moment;

use crate::nouns::{MemberId, StoreId};
use crate::standing::State;

/// What a group is waiting for, with all that belongs to that.
#[derive(Debug, Clone)]
pub(crate) enum Phase {
    /// It has no members.
    Empty,
    /// JoinGroup calls are parked until every member has joined.
    Preparing {
        /// When the members that have not joined are left behind.
        until: Moment,
        /// Present if the group was empty: then all have joined, and more may come.
        initial: Option<Initial>,
    },
    /// SyncGroup calls are parked until the leader's is stored.
    Completing {
        /// When the members that have not synced are removed.
        until: Moment,
        /// The shares that the leader has sent, until they are stored.
        shares: Option<Shares>,
    },
    /// Each member has its share.
    Stable {
        /// When the members that have not synced are removed, if there are any.
        until: Option<Moment>,
    },
    /// It is deleted.
    Dead,
}

/// The wait of a group that was empty.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Initial {
    /// Up to when newcomers may make it longer.
    pub(crate) bound: Moment,
    /// Whether another member has joined since it began, or was made longer.
    pub(crate) has_newcomer: bool,
}

/// The leader's assignment, while it is being stored.
#[derive(Debug, Clone)]
pub(crate) struct Shares {
    /// The store that it waits for.
    pub(crate) store: StoreId,
    /// The bytes of each member's share.
    pub(crate) assignments: BTreeMap<MemberId, Bytes>,
}

impl Phase {
    /// Returns the state's name without what belongs to it.
    pub(crate) fn state(&self) -> State {
        match self {
            Phase::Empty => State::Empty,
            Phase::Preparing { .. } => State::PreparingRebalance,
            Phase::Completing { .. } => State::CompletingRebalance,
            Phase::Stable { .. } => State::Stable,
            Phase::Dead => State::Dead,
        }
    }

    /// Returns when the phase ends, if nothing ends it before.
    pub(crate) fn until(&self) -> Option<Moment> {
        match self {
            Phase::Preparing { until, .. } | Phase::Completing { until, .. } => Some(*until),
            Phase::Stable { until } => *until,
            Phase::Empty | Phase::Dead => None,
        }
    }

    /// Returns about how many bytes of memory it costs.
    pub(crate) fn bytes(&self) -> usize {
        let Phase::Completing {
            shares: Some(shares),
            ..
        } = self
        else {
            return 0;
        };
        shares.assignments.values().map(Bytes::len).sum()
    }
}
