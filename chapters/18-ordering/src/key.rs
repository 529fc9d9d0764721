//! Which records must keep their order.

use client::ConsumedRecord;

use crate::part::Key;

/// Returns the order that the record belongs to: that of its key, by the hash that also
/// chose its partition. A record without a key belongs to none.
#[must_use]
pub fn key_of(record: &ConsumedRecord) -> Option<Key> {
    let key = record.key.as_deref()?;
    Some(Key(u64::from(producer::murmur2(key))))
}
