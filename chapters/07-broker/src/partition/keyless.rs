//! Records that a compacted topic cannot take.

use record_batch::{BatchHeader, layout};
use wire_protocol::{Malformed, Reader};

/// So many records without a key are named at most: the answer stays small.
const NAMED_MAX: usize = 100;

/// The records without a key of an open batch that was walked, counted from 0; the
/// first 100 at most.
pub(super) fn keyless(header: &BatchHeader, batch: &[u8]) -> Vec<i32> {
    let mut reader = Reader::new(&batch[layout::RECORDS..]);
    let mut found = Vec::new();
    for index in 0..header.record_count {
        // The batch was walked, so none of its records is malformed.
        let Ok(has_key) = has_key(&mut reader) else {
            break;
        };
        if !has_key {
            found.push(index);
        }
        if found.len() == NAMED_MAX {
            break;
        }
    }
    found
}

/// Whether the next record has a key.
fn has_key(reader: &mut Reader<'_>) -> Result<bool, Malformed> {
    let length = usize::try_from(reader.varint()?).map_err(|_| Malformed::NegativeLength)?;
    let mut record = Reader::new(reader.take(length)?);
    record.i8()?;
    record.varlong()?;
    record.varint()?;
    Ok(record.varint()? != -1)
}
