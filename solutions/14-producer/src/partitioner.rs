//! To which partition of its topic a record goes.

use message_model::PartitionIndex;

/// The seed of the hash, as the Java client has it.
const SEED: u32 = 0x9747_b28c;
const MULTIPLIER: u32 = 0x5bd1_e995;

/// Returns the 32-bit hash of a key, as the Java client computes it: MurmurHash2, of
/// which each four bytes are one little-endian number.
///
/// With `h` for the hash so far and `m` for `MULTIPLIER`, all modulo 2³²:
///
/// - `h` begins as `SEED` `xor` the number of bytes;
/// - each whole number `k` of four bytes: `k = k·m`, `k = k xor (k >> 24)`, `k = k·m`,
///   `h = h·m`, `h = h xor k`;
/// - if one to three bytes are left: `h = h xor` them (the first one lowest), then
///   `h = h·m`;
/// - at the end `h = h xor (h >> 13)`, `h = h·m`, `h = h xor (h >> 15)`.
#[must_use]
pub fn murmur2(key: &[u8]) -> u32 {
    // task 14.1: the hash that the Java client computes of a key
    let (numbers, rest) = key.as_chunks::<4>();
    #[expect(clippy::cast_possible_truncation, reason = "all is modulo 2³²")]
    let mut hash = SEED ^ key.len() as u32;
    for number in numbers {
        let mut k = u32::from_le_bytes(*number).wrapping_mul(MULTIPLIER);
        k ^= k >> 24;
        hash = hash.wrapping_mul(MULTIPLIER) ^ k.wrapping_mul(MULTIPLIER);
    }
    if !rest.is_empty() {
        let mut last = [0; 4];
        last[..rest.len()].copy_from_slice(rest);
        hash = (hash ^ u32::from_le_bytes(last)).wrapping_mul(MULTIPLIER);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(MULTIPLIER);
    hash ^ (hash >> 15)
    // end
}

/// Returns the partition of a record with a key, in a topic with `partitions` partitions.
///
/// The Java client takes the lower 31 bits of the hash (not its absolute value), modulo
/// the number of partitions. Other clients may choose otherwise: librdkafka does unless
/// its `partitioner` is `murmur2_random`. The remainder always fits into the `i32` of a
/// [`PartitionIndex`].
///
/// # Panics
/// If there is no partition.
#[must_use]
pub fn partition_of_key(key: &[u8], partitions: u32) -> PartitionIndex {
    // task 14.1: the partition that the Java client chooses for a key
    let positive = murmur2(key) & 0x7fff_ffff;
    let index = positive % partitions;
    PartitionIndex(i32::try_from(index).expect("it is below 2³¹"))
    // end
}

/// A partition that has a leader, and how many batches wait for it in the producer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// The partition's index in its topic.
    pub partition: PartitionIndex,
    /// How many of its batches are not sent yet.
    pub queued: u32,
}

/// Returns the partition that records without a key go to next.
///
/// Each partition of `loads` has the weight *most queued + 1 − its own queued*, so the
/// partition whose broker is slowest has weight 1, and equal queues have equal weights.
/// `random`, modulo the sum of the weights, counts through the weights in their order:
/// with the weights 1, 6 and 3 the remainder 0 is the first partition, 1 to 6 are the
/// second one, 7 to 9 are the third one.
///
/// If all have equal queues, `random` modulo their number is the place of the partition.
///
/// # Panics
/// If `loads` is empty.
#[must_use]
pub fn choose(loads: &[Load], random: u32) -> PartitionIndex {
    // task 14.1: the less a partition has waiting, the more often it is chosen
    let most = loads.iter().map(|load| load.queued).max();
    let most = most.expect("there is a partition");
    let weight = |load: &Load| u64::from(most - load.queued) + 1;
    let sum: u64 = loads.iter().map(weight).sum();
    let mut left = u64::from(random) % sum;
    for load in loads {
        match left.checked_sub(weight(load)) {
            Some(less) => left = less,
            None => return load.partition,
        }
    }
    unreachable!("the remainder is below the sum of the weights")
    // end
}

/// Keeps records without a key in one partition until that has about one batch more.
///
/// Record by record in turn would fill a batch of each partition slowly: small batches,
/// each sent when its linger has passed. One partition at a time fills one batch fast.
/// Over time every partition gets the same number of *bytes*, however slow its broker
/// is (Kafka 3.3 and later, KIP-794).
#[derive(Debug)]
pub struct Sticky {
    /// A partition gets this many bytes before there is a change.
    bytes: usize,
    current: Option<PartitionIndex>,
    /// How many bytes it got since it was chosen.
    produced: usize,
}

impl Sticky {
    /// No partition is chosen; each gets at least `bytes` bytes, the size of a batch.
    #[must_use]
    pub fn new(bytes: usize) -> Sticky {
        Sticky {
            bytes,
            current: None,
            produced: 0,
        }
    }

    /// Returns the partition for the next record without a key; `choose` is called if
    /// there must be a new one.
    pub fn partition(&mut self, choose: impl FnOnce() -> PartitionIndex) -> PartitionIndex {
        *self.current.get_or_insert_with(choose)
    }

    /// A record of `bytes` bytes went into the partition. `is_between_batches`: no batch
    /// of this partition is half full, so a change now leaves no small batch behind.
    ///
    /// The next record gets a new partition in two cases: the partition got a batch's
    /// bytes and is between batches, or it got the bytes of two.
    pub fn produced(&mut self, bytes: usize, is_between_batches: bool) {
        // task 14.1: when it is another partition's turn
        self.produced += bytes;
        let enough = self.produced >= self.bytes && is_between_batches;
        if enough || self.produced >= 2 * self.bytes {
            self.current = None;
            self.produced = 0;
        }
        // end
    }
}
