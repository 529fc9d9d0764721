//! The primitive types of the records, in both forms.

use wire_protocol::{Malformed, Reader, put};

/// The longest string that a record can hold, in bytes.
pub(crate) const STRING_MAX: usize = 32_767;

/// Why a record of `__consumer_offsets` cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is cut off, or a length in it is wrong.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// Its value is of a version that does not exist yet.
    #[error("the value has version {0}, which is not known")]
    Version(i16),
    /// It names a topic that cannot exist.
    #[error("no topic can have such a name")]
    TopicName,
}

/// Appends a string with an `i16` length; null is -1.
///
/// # Panics
/// When it is longer than [`STRING_MAX`]: what a client sends is checked before.
pub(crate) fn put_string(out: &mut Vec<u8>, value: Option<&str>) {
    let length = value.map_or(0, str::len);
    assert!(length <= STRING_MAX, "a string of {length} bytes");
    put::nullable_string(out, value);
}

/// Appends bytes with an `i32` length.
pub(crate) fn put_bytes(out: &mut Vec<u8>, value: &[u8]) {
    put::length(out, Some(value.len()));
    out.extend_from_slice(value);
}

/// Reads values of a key, or of a value in one of its two forms.
pub(crate) struct Input<'a> {
    reader: Reader<'a>,
    flexible: bool,
}

impl<'a> Input<'a> {
    /// Returns what reads a key, or a value that has no compact lengths.
    pub(crate) fn new(bytes: &'a [u8]) -> Input<'a> {
        Input {
            reader: Reader::new(bytes),
            flexible: false,
        }
    }

    /// Reads the version that a value begins with. The last known one has compact lengths
    /// and tagged fields.
    pub(crate) fn version(&mut self, last: i16) -> Result<i16, Unreadable> {
        let version = self.i16()?;
        if !(0..=last).contains(&version) {
            return Err(Unreadable::Version(version));
        }
        self.flexible = version == last;
        Ok(version)
    }

    pub(crate) fn i16(&mut self) -> Result<i16, Malformed> {
        self.reader.i16()
    }

    pub(crate) fn i32(&mut self) -> Result<i32, Malformed> {
        self.reader.i32()
    }

    pub(crate) fn i64(&mut self) -> Result<i64, Malformed> {
        self.reader.i64()
    }

    pub(crate) fn nullable_string(&mut self) -> Result<Option<&'a str>, Malformed> {
        match self.flexible {
            true => self.reader.compact_nullable_string(),
            false => self.reader.nullable_string(),
        }
    }

    pub(crate) fn string(&mut self) -> Result<&'a str, Malformed> {
        self.nullable_string()?.ok_or(Malformed::UnexpectedNull)
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let bytes = match self.flexible {
            true => self.reader.compact_nullable_bytes(),
            false => self.reader.nullable_bytes(),
        };
        bytes?.ok_or(Malformed::UnexpectedNull)
    }

    /// Reads how many elements follow, each of at least `size_min` bytes.
    pub(crate) fn count(&mut self, size_min: usize) -> Result<usize, Malformed> {
        let count = match self.flexible {
            true => self.reader.compact_array_length(size_min),
            false => self.reader.array_length(size_min),
        };
        count?.ok_or(Malformed::UnexpectedNull)
    }

    /// Reads past the tagged fields that end a struct.
    pub(crate) fn end_struct(&mut self) -> Result<(), Malformed> {
        match self.flexible {
            true => self.reader.skip_tagged_fields(),
            false => Ok(()),
        }
    }
}
