//! Which partition of `__consumer_offsets` a group belongs to.

/// Returns the partition, of `partitions`, in which Kafka keeps the group: by Java's hash of
/// the group's id, so that a data directory means the same to both.
///
/// # Panics
/// When `partitions` is 0.
// ANCHOR: partition_of
#[must_use]
pub fn partition_of(group: &str, partitions: usize) -> usize {
    let units = group.encode_utf16();
    let hash = units.fold(0_i32, |hash, unit| {
        hash.wrapping_mul(31).wrapping_add(i32::from(unit))
    });
    // `i32::MIN` has no positive counterpart; Kafka takes 0 for it.
    let positive = hash.checked_abs().unwrap_or(0);
    positive.unsigned_abs() as usize % partitions
}
// ANCHOR_END: partition_of
