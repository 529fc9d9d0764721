//! Who is killed when.

/// How many members a group has at most. It has at least one.
pub(crate) const SLOTS: usize = 4;
/// How many it begins with.
pub(crate) const FIRST: usize = 3;

/// Something that happens to the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// SIGKILL to the broker, which is started again.
    KillBroker,
    /// SIGKILL to the member of this group in this slot.
    KillMember(usize, usize),
    /// The member leaves in order.
    Leave(usize, usize),
    /// A new member comes.
    Join(usize, usize),
}

/// What happens, in order, with the pause before each act in milliseconds. It has no end, and
/// it follows from the seed.
#[derive(Debug)]
pub(crate) struct Plan {
    random: fastrand::Rng,
    present: [[bool; SLOTS]; 2],
    /// Until the broker is killed, in milliseconds.
    broker_in: u64,
}

impl Plan {
    pub(crate) fn new(seed: u64) -> Plan {
        Plan {
            random: fastrand::Rng::with_seed(seed),
            present: [std::array::from_fn(|slot| slot < FIRST); 2],
            broker_in: 2_500,
        }
    }
}

impl Iterator for Plan {
    type Item = (u64, Act);

    fn next(&mut self) -> Option<(u64, Act)> {
        let pause = self.random.u64(500..1_500);
        if pause >= self.broker_in {
            let pause = self.broker_in;
            self.broker_in = self.random.u64(2_500..5_000);
            return Some((pause, Act::KillBroker));
        }
        self.broker_in -= pause;
        let group = self.random.usize(0..2);
        let slot = self.random.usize(0..SLOTS);
        let present = &mut self.present[group];
        if !present[slot] {
            present[slot] = true;
            return Some((pause, Act::Join(group, slot)));
        }
        if present.iter().filter(|present| **present).count() == 1 {
            let slot = (slot + 1) % SLOTS;
            present[slot] = true;
            return Some((pause, Act::Join(group, slot)));
        }
        present[slot] = false;
        let leaves = self.random.u8(0..10) < 3;
        let act = if leaves { Act::Leave } else { Act::KillMember };
        Some((pause, act(group, slot)))
    }
}
