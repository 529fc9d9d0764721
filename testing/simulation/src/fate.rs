//! At which operation of its disk a life of the broker ends.

use sim_disk::SimDisk;

use crate::plan::{Death, Moment};

/// At which operations of the disk something happens; `u64::MAX`: at none.
#[derive(Debug)]
pub(crate) struct Fate {
    after: u64,
    /// Before this one the power goes off.
    pub(crate) off_at: u64,
    /// This one fails.
    pub(crate) fails_at: u64,
    /// When the life ends whose disk has failed.
    pub(crate) until: Option<u64>,
}

impl Fate {
    /// Returns the fate of a life that begins now on `disk`.
    pub(crate) fn of(disk: &SimDisk, death: Option<(Death, Moment)>) -> Fate {
        let (off, fails, after) = match death {
            Some((Death::Kill | Death::PowerFailure, Moment::Operation(after))) => {
                (true, false, after)
            }
            Some((Death::DiskFailure, Moment::Operation(after))) => (false, true, after),
            _ => (false, false, 0),
        };
        let at = |happens: bool| match happens {
            true => disk.operations() + after,
            false => u64::MAX,
        };
        Fate {
            after,
            off_at: at(off),
            fails_at: at(fails),
            until: None,
        }
    }

    /// Counts from here on, and not from where the life began.
    pub(crate) fn begin_here(&mut self, disk: &SimDisk) {
        for at in [&mut self.off_at, &mut self.fails_at] {
            if *at != u64::MAX {
                *at = disk.operations() + self.after;
            }
        }
    }

    /// Tells the disk.
    pub(crate) fn arm(&self, disk: &SimDisk) {
        disk.power_off_at(self.off_at);
        disk.fail_at(self.fails_at);
    }

    /// Whether it has come.
    pub(crate) fn has_come(&self, disk: &SimDisk) -> bool {
        disk.operations() > self.off_at.min(self.fails_at)
    }
}
