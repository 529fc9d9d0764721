//! A record as compaction sees it: what decides, and the rest as bytes.

use wire_protocol::{Malformed, Reader, put};

/// A record of an open batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RawRecord<'a> {
    pub(crate) timestamp_delta: i64,
    pub(crate) offset_delta: i32,
    pub(crate) key: Option<&'a [u8]>,
    pub(crate) has_value: bool,
    /// All of it.
    bytes: &'a [u8],
    attributes: i8,
    /// From the offset delta on.
    rest: &'a [u8],
}

impl<'a> RawRecord<'a> {
    /// Reads the record at the start of `bytes`; returns it and what is behind.
    ///
    /// # Errors
    /// When no record is there.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<(RawRecord<'a>, &'a [u8]), Malformed> {
        let mut reader = Reader::new(bytes);
        let body = take(&mut reader)?.ok_or(Malformed::UnexpectedNull)?;
        let (own, behind) = bytes.split_at(bytes.len() - reader.remaining());
        let mut reader = Reader::new(body);
        let attributes = reader.i8()?;
        let timestamp_delta = reader.varlong()?;
        let rest = &body[body.len() - reader.remaining()..];
        let offset_delta = reader.varint()?;
        let key = take(&mut reader)?;
        let value = take(&mut reader)?;
        let record = RawRecord {
            timestamp_delta,
            offset_delta,
            key,
            has_value: value.is_some(),
            bytes: own,
            attributes,
            rest,
        };
        Ok((record, behind))
    }

    /// Appends it to `out` as it is.
    pub(crate) fn copy(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.bytes);
    }

    /// Appends it to `out` with another timestamp delta.
    ///
    /// # Panics
    /// When it is 2 GiB or longer.
    pub(crate) fn write(&self, timestamp_delta: i64, out: &mut Vec<u8>) {
        let mut head = self.attributes.to_be_bytes().to_vec();
        put::varlong(&mut head, timestamp_delta);
        let length = i32::try_from(head.len() + self.rest.len());
        put::varint(out, length.expect("a record is below 2 GiB"));
        out.extend_from_slice(&head);
        out.extend_from_slice(self.rest);
    }
}

/// Bytes with a varint length in front; -1 is null.
fn take<'a>(reader: &mut Reader<'a>) -> Result<Option<&'a [u8]>, Malformed> {
    match reader.varint()? {
        -1 => Ok(None),
        length => {
            let length = usize::try_from(length).map_err(|_| Malformed::NegativeLength)?;
            reader.take(length).map(Some)
        }
    }
}
