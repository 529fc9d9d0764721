//! Reading the protocol's primitive types from bytes that a stranger sent.

/// Why bytes are not what they were read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// A value needs more bytes than are left.
    #[error("the input ends inside a value: {needed} more bytes needed, {remaining} left")]
    Truncated {
        /// How many bytes the value needs.
        needed: usize,
        /// How many are left.
        remaining: usize,
    },
    /// A varint goes on after the last byte that its type can have, or has too large a value.
    #[error("a varint is longer than its type allows")]
    VarintTooLong,
    /// A length below -1, or -1 (null) where null is not allowed.
    #[error("a length is negative where it must not be")]
    NegativeLength,
    /// Null where the field has no null.
    #[error("a null where none is allowed")]
    UnexpectedNull,
    /// A string that is not UTF-8.
    #[error("a string is not UTF-8")]
    NotUtf8,
    /// An array announced more elements than the bytes that are left can hold.
    #[error("an array announced {count} elements, more than the {remaining} bytes left can hold")]
    ArrayTooLong {
        /// How many elements were announced.
        count: usize,
        /// How many bytes are left.
        remaining: usize,
    },
    /// Tagged fields whose tags do not strictly ascend.
    #[error("tagged fields are not in ascending order")]
    TagOrder,
}

/// A cursor over bytes from the network or from disk. Nothing it returns was
/// allocated: strings and byte ranges point into the input.
///
/// All integers are big-endian. Lengths are checked against what is left before they are used.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads from the start of `input`.
    #[inline]
    #[must_use]
    pub fn new(input: &'a [u8]) -> Reader<'a> {
        Reader { rest: input }
    }

    /// How many bytes are left.
    #[inline]
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// The next `count` bytes.
    ///
    /// # Errors
    /// [`Malformed::Truncated`] when fewer are left.
    #[inline]
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self
            .rest
            .split_at_checked(count)
            .ok_or(Malformed::Truncated {
                needed: count,
                remaining: self.rest.len(),
            })?;
        self.rest = rest;
        Ok(taken)
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let mut bytes = [0; N];
        bytes.copy_from_slice(self.take(N)?);
        Ok(bytes)
    }

    /// One byte; 0 is false, all else true.
    ///
    /// # Errors
    /// When the input is at its end.
    #[inline]
    pub fn bool(&mut self) -> Result<bool, Malformed> {
        Ok(self.i8()? != 0)
    }

    /// # Errors
    /// When the input is at its end.
    #[inline]
    pub fn i8(&mut self) -> Result<i8, Malformed> {
        Ok(i8::from_be_bytes(self.array()?))
    }

    /// # Errors
    /// When fewer than 2 bytes are left.
    #[inline]
    pub fn i16(&mut self) -> Result<i16, Malformed> {
        Ok(i16::from_be_bytes(self.array()?))
    }

    /// # Errors
    /// When fewer than 4 bytes are left.
    #[inline]
    pub fn i32(&mut self) -> Result<i32, Malformed> {
        Ok(i32::from_be_bytes(self.array()?))
    }

    /// # Errors
    /// When fewer than 4 bytes are left.
    #[inline]
    pub fn u32(&mut self) -> Result<u32, Malformed> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    /// # Errors
    /// When fewer than 8 bytes are left.
    #[inline]
    pub fn i64(&mut self) -> Result<i64, Malformed> {
        Ok(i64::from_be_bytes(self.array()?))
    }

    /// An unsigned varint of up to `bits` bits (32 or 64): seven bits a byte,
    /// lowest first; a byte with its top bit set is not the last one. Zeros on
    /// top are allowed, up to the last byte that the type can have.
    ///
    /// # Errors
    /// [`Malformed::VarintTooLong`] when the value does not fit into `bits`
    /// bits, as soon as that is clear; [`Malformed::Truncated`] at the end of the input.
    #[inline]
    fn varint_bits(&mut self, bits: u32) -> Result<u64, Malformed> {
        // task 4.1: put the value together, seven bits a byte, lowest first
        todo!("4.1: put the value together, seven bits a byte, lowest first")
        // end
    }

    /// An unsigned varint of at most 5 bytes.
    ///
    /// # Errors
    /// When it is cut off or does not fit.
    #[inline]
    pub fn unsigned_varint(&mut self) -> Result<u32, Malformed> {
        let value = self.varint_bits(u32::BITS)?;
        u32::try_from(value).map_err(|_| Malformed::VarintTooLong)
    }

    /// A zigzag varint of at most 5 bytes: 0, -1, 1, -2, 2 … are stored as 0, 1, 2, 3, 4 …
    ///
    /// # Errors
    /// When it is cut off or does not fit.
    #[inline]
    pub fn varint(&mut self) -> Result<i32, Malformed> {
        let stored = self.unsigned_varint()?;
        Ok((stored >> 1).cast_signed() ^ -((stored & 1).cast_signed()))
    }

    /// A zigzag varint of at most 10 bytes.
    ///
    /// # Errors
    /// When it is cut off or does not fit.
    #[inline]
    pub fn varlong(&mut self) -> Result<i64, Malformed> {
        let stored = self.varint_bits(u64::BITS)?;
        Ok((stored >> 1).cast_signed() ^ -((stored & 1).cast_signed()))
    }

    /// A string with an `i16` length in front; -1 is null.
    ///
    /// # Errors
    /// When it is cut off, has a length below -1, or is not UTF-8.
    pub fn nullable_string(&mut self) -> Result<Option<&'a str>, Malformed> {
        match self.i16()? {
            -1 => Ok(None),
            length => self.text(usize::try_from(length).map_err(|_| Malformed::NegativeLength)?),
        }
    }

    /// A string of the flexible versions: an unsigned varint in front says
    /// length + 1, so that 0 can say null.
    ///
    /// # Errors
    /// When it is cut off or is not UTF-8.
    pub fn compact_nullable_string(&mut self) -> Result<Option<&'a str>, Malformed> {
        // task 4.2: a length + 1 in front; 0 is null, 1 is the empty string
        todo!("4.2: a length + 1 in front; 0 is null, 1 is the empty string")
        // end
    }

    fn text(&mut self, length: usize) -> Result<Option<&'a str>, Malformed> {
        let bytes = self.take(length)?;
        std::str::from_utf8(bytes)
            .map(Some)
            .map_err(|_| Malformed::NotUtf8)
    }

    /// Bytes with an `i32` length in front; -1 is null.
    ///
    /// # Errors
    /// When they are cut off or have a length below -1.
    pub fn nullable_bytes(&mut self) -> Result<Option<&'a [u8]>, Malformed> {
        match self.i32()? {
            -1 => Ok(None),
            length => {
                let length = usize::try_from(length).map_err(|_| Malformed::NegativeLength)?;
                self.take(length).map(Some)
            }
        }
    }

    /// Bytes of the flexible versions: an unsigned varint in front says length + 1; 0 is null.
    ///
    /// # Errors
    /// When they are cut off.
    pub fn compact_nullable_bytes(&mut self) -> Result<Option<&'a [u8]>, Malformed> {
        match self.unsigned_varint()? {
            0 => Ok(None),
            stored => self.take(stored as usize - 1).map(Some),
        }
    }

    /// How many elements an array has, from the `i32` in front of it; -1 is null.
    ///
    /// `element_size_min` is the fewest bytes that one element takes; 0 counts as 1.
    ///
    /// # Errors
    /// When it is cut off, below -1, or more than what is left can hold.
    pub fn array_length(&mut self, element_size_min: usize) -> Result<Option<usize>, Malformed> {
        match self.i32()? {
            -1 => Ok(None),
            count => {
                let count = usize::try_from(count).map_err(|_| Malformed::NegativeLength)?;
                self.bounded(count, element_size_min).map(Some)
            }
        }
    }

    /// The same from a flexible version's unsigned varint, which says count + 1; 0 is null.
    ///
    /// # Errors
    /// When it is cut off, or more than what is left can hold.
    pub fn compact_array_length(
        &mut self,
        element_size_min: usize,
    ) -> Result<Option<usize>, Malformed> {
        match self.unsigned_varint()? {
            0 => Ok(None),
            stored => self
                .bounded(stored as usize - 1, element_size_min)
                .map(Some),
        }
    }

    /// `count`, if the bytes left can hold that many elements of at least
    /// `element_size_min` bytes (0 counts as 1). Callers allocate for as many as it allows.
    ///
    /// # Errors
    /// [`Malformed::ArrayTooLong`] otherwise.
    fn bounded(&self, count: usize, element_size_min: usize) -> Result<usize, Malformed> {
        // task 4.3: believe a count only as far as the bytes that arrived
        todo!("4.3: believe a count only as far as the bytes that arrived")
        // end
    }

    /// Reads past the tagged fields that end every struct of a flexible version:
    /// a count, then (tag, size, that many bytes) each, by ascending tag; the
    /// numbers are unsigned varints. We know none of the fields, and a field that
    /// we do not know is not an error.
    ///
    /// # Errors
    /// When they are cut off or their tags do not strictly ascend.
    pub fn skip_tagged_fields(&mut self) -> Result<(), Malformed> {
        // task 4.4: step over each field by its size, whatever is inside
        todo!("4.4: step over each field by its size, whatever is inside")
        // end
    }
}
