//! What a test lets go wrong on a disk.

use crate::disk::SimDisk;

impl SimDisk {
    /// Whether nothing of any file is in memory: `read_cached_at` returns `None`.
    pub fn set_cold(&self, is_cold: bool) {
        self.state().is_cold = is_cold;
    }

    /// Makes operation number `operation` fail (the first one ever is number 0).
    /// A write that fails has written a part; a sync that fails has lost what it
    /// did not write.
    pub fn fail_at(&self, operation: u64) {
        self.state().fails_at = Some(operation);
    }

    /// Cuts the power before operation number `operation`: that one and all
    /// later ones fail and change nothing.
    pub fn power_off_at(&self, operation: u64) {
        self.state().power_off_at = Some(operation);
    }

    /// From now on a failed sync spoils the sectors that it loses: what is written
    /// to the same place later is not made safe by any sync, as on ext4, until the
    /// file is cut off there. A new file has new sectors.
    pub fn spoil_at_failed_syncs(&self) {
        self.state().failed_syncs_spoil = true;
    }

    /// Lets files grow by `bytes` in all from now on; then the disk is full.
    /// `None` is without limit.
    pub fn set_space(&self, bytes: Option<u64>) {
        self.state().space = bytes;
    }

    /// How many calls that change nothing there were so far: opens, lists, lengths and
    /// reads, those that failed included.
    #[must_use]
    pub fn queries(&self) -> u64 {
        self.state().queries
    }

    /// Makes query number `query` fail (the first one ever is number 0). The next one works again.
    pub fn fail_query_at(&self, query: u64) {
        self.state().query_fails_at = Some(query);
    }

    /// A read returns at most `bytes` bytes from now on, and more than 0 before the end.
    ///
    /// # Panics
    /// When `bytes` is 0.
    pub fn limit_reads(&self, bytes: usize) {
        assert!(bytes > 0, "a read of 0 bytes is the end of the file");
        self.state().read_size_max = bytes;
    }
}
