//! The clients of a simulation.

mod in_flight;
mod member;
mod member_reader;
mod reader;
mod transactional;
mod transactor;
mod transform;
mod writer;

use crate::network::Network;
use crate::record::Recorder;
use crate::sim::Sim;
use std::cell::Cell;
use std::rc::Rc;

pub(crate) use member::read_offsets;
pub(crate) use member_reader::read_in_group;
pub(crate) use reader::{Isolation, read, read_to_the_end};
pub(crate) use transactor::transact;
pub(crate) use transform::transform;
pub(crate) use writer::write;

/// What clients share.
#[derive(Clone)]
pub(crate) struct Setting {
    pub(crate) sim: Sim,
    pub(crate) network: Network,
    pub(crate) recorder: Recorder,
    pub(crate) pause_once_in: u64,
    /// No new work begins, and nothing goes wrong any more.
    pub(crate) is_calm: Rc<Cell<bool>>,
}

impl Setting {
    /// Lets some time pass: a little, or so much that others take the client for dead.
    pub(crate) async fn linger(&self) {
        let is_paused = !self.is_calm.get() && self.sim.once_in(self.pause_once_in);
        let millis = match is_paused {
            true => self.sim.pick(100..1_500),
            false => self.sim.pick(0..4),
        };
        self.sim.sleep(millis).await;
    }

    /// Waits before something is tried again.
    pub(crate) async fn back_off(&self) {
        self.sim.sleep(self.sim.pick(2..20)).await;
    }
}
