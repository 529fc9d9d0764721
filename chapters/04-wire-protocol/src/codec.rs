//! Values to bytes and back, for one version of one message.

use bytes::Bytes;
use networking::Chunk;

use crate::part::{Malformed, Reader, put};

/// The longest string that an `i16` length can announce, in bytes.
const STRING_SIZE_MAX: usize = 32_767;

/// In which of its forms a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Form {
    /// The version of its API.
    pub version: i16,
    /// Whether that version has compact lengths and tagged fields.
    pub flexible: bool,
}

/// A type that has a place on the wire.
pub trait Wire: Sized {
    /// The fewest bytes that a value takes (0: it may take none); bounds arrays of it.
    ///
    /// The larger it is, the less memory a stranger's count can claim.
    fn size_min(form: Form) -> usize;

    /// Appends the value.
    fn encode(&self, out: &mut Encoder);

    /// Reads a value.
    ///
    /// # Errors
    /// When the bytes are not such a value.
    fn decode(input: &mut Decoder<'_>) -> Result<Self, Malformed>;

    /// How many bytes [`Wire::decode`] takes from the allocator for the next
    /// value, which is read past. Nothing is allocated here, and the same bytes are errors.
    ///
    /// # Errors
    /// As [`Wire::decode`].
    fn measure(input: &mut Decoder<'_>) -> Result<usize, Malformed>;
}

/// Where a message is written to: bytes, with chunks in between that are not copied.
#[derive(Debug)]
pub struct Encoder {
    form: Form,
    /// Everything but the chunks.
    bytes: Vec<u8>,
    /// Each with its place in `bytes`.
    chunks: Vec<(usize, Chunk)>,
}

impl Encoder {
    /// Writes `version`; `flexible` versions have compact lengths and tagged fields.
    #[must_use]
    pub fn new(version: i16, flexible: bool) -> Encoder {
        Encoder {
            form: Form { version, flexible },
            bytes: Vec::new(),
            chunks: Vec::new(),
        }
    }

    /// The version that is being written.
    #[must_use]
    pub fn version(&self) -> i16 {
        self.form.version
    }

    /// Appends a copy of `bytes`.
    pub fn put(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Appends chunks as they are.
    pub fn put_chunks(&mut self, chunks: &[Chunk]) {
        let at = self.bytes.len();
        let placed = chunks.iter().map(|chunk| (at, chunk.clone()));
        self.chunks.extend(placed);
    }

    /// The length in front of an array or of bytes, as this version writes it.
    pub fn put_length(&mut self, length: Option<usize>) {
        if self.form.flexible {
            put::compact_length(&mut self.bytes, length);
        } else {
            put::length(&mut self.bytes, length);
        }
    }

    /// A string that is too long for its `i16` length is cut: an error message
    /// that quotes a peer's long name must not become our panic.
    pub(crate) fn put_string(&mut self, value: Option<&str>) {
        if self.form.flexible {
            put::compact_nullable_string(&mut self.bytes, value);
        } else {
            let cut = |text: &str| text.floor_char_boundary(STRING_SIZE_MAX);
            let value = value.map(|text| &text[..cut(text)]);
            put::nullable_string(&mut self.bytes, value);
        }
    }

    /// Whether the structs of this version end with tagged fields.
    pub(crate) fn has_tagged_fields(&self) -> bool {
        self.form.flexible
    }

    /// The bytes of a tagged field.
    ///
    /// # Panics
    /// When `value` has records: no tagged field has any.
    pub(crate) fn apart(&self, value: &impl Wire) -> Vec<u8> {
        let mut out = Encoder::new(self.form.version, self.form.flexible);
        value.encode(&mut out);
        assert!(out.chunks.is_empty(), "a tagged field has no records");
        out.bytes
    }

    /// Ends a struct: a flexible version has tagged fields there, of which those
    /// that are `None` are left out. Each is its tag and its bytes, by ascending tag.
    pub(crate) fn end_struct(&mut self, fields: &[Option<(u32, Vec<u8>)>]) {
        if self.form.flexible {
            put::tagged_fields(&mut self.bytes, fields.iter().flatten());
        }
    }

    /// How many bytes were written, those of the chunks included.
    #[must_use]
    pub fn size(&self) -> usize {
        let chunks = self.chunks.iter().map(|(_, chunk)| chunk.len());
        self.bytes.len() + chunks.sum::<usize>()
    }

    /// Writes `bytes` over the first ones, which [`Encoder::put`] had put there.
    pub(crate) fn overwrite_start(&mut self, bytes: &[u8]) {
        self.bytes[..bytes.len()].copy_from_slice(bytes);
    }

    // ANCHOR: finish
    /// What was written. The chunks are those that were put, and the pieces
    /// between them are slices of one buffer: nothing is copied.
    #[must_use]
    pub fn finish(self) -> Vec<Chunk> {
        let bytes = Bytes::from(self.bytes);
        let mut all = Vec::with_capacity(2 * self.chunks.len() + 1);
        let mut done = 0;
        for (at, chunk) in self.chunks {
            if at > done {
                all.push(Chunk::Bytes(bytes.slice(done..at)));
            }
            all.push(chunk);
            done = at;
        }
        if bytes.len() > done {
            all.push(Chunk::Bytes(bytes.slice(done..)));
        }
        all
    }
    // ANCHOR_END: finish
}

/// What a message is read from: a frame, whose bytes are shared and not copied.
#[derive(Debug, Clone)]
pub struct Decoder<'a> {
    form: Form,
    frame: &'a Bytes,
    /// Reads `frame`.
    reader: Reader<'a>,
}

impl<'a> Decoder<'a> {
    /// Reads `version` from the start of `frame`; `flexible` versions have
    /// compact lengths and tagged fields.
    #[must_use]
    pub fn new(frame: &'a Bytes, version: i16, flexible: bool) -> Decoder<'a> {
        Decoder::behind(frame, Reader::new(frame), Form { version, flexible })
    }

    /// Reads what `reader` has not read of `frame`.
    pub(crate) fn behind(frame: &'a Bytes, reader: Reader<'a>, form: Form) -> Decoder<'a> {
        Decoder {
            form,
            frame,
            reader,
        }
    }

    /// The version that is being read.
    #[must_use]
    pub fn version(&self) -> i16 {
        self.form.version
    }

    /// How many bytes of the message were not read yet.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.reader.remaining()
    }

    pub(crate) fn form(&self) -> Form {
        self.form
    }

    pub(crate) fn reader(&mut self) -> &mut Reader<'a> {
        &mut self.reader
    }

    pub(crate) fn array_length(
        &mut self,
        element_size_min: usize,
    ) -> Result<Option<usize>, Malformed> {
        if self.form.flexible {
            self.reader.compact_array_length(element_size_min)
        } else {
            self.reader.array_length(element_size_min)
        }
    }

    pub(crate) fn string(&mut self) -> Result<Option<&'a str>, Malformed> {
        if self.form.flexible {
            self.reader.compact_nullable_string()
        } else {
            self.reader.nullable_string()
        }
    }

    /// Bytes with a length in front, as this version writes it; `None` is null.
    /// They are a slice of the frame, which stays in memory until the slice is dropped.
    ///
    /// # Errors
    /// When they are cut off.
    pub fn bytes(&mut self) -> Result<Option<Bytes>, Malformed> {
        let found = if self.form.flexible {
            self.reader.compact_nullable_bytes()?
        } else {
            self.reader.nullable_bytes()?
        };
        Ok(found.map(|bytes| self.frame.slice_ref(bytes)))
    }

    /// Ends a struct: reads past the tagged fields of a flexible version.
    ///
    /// # Errors
    /// When they are cut off or out of order.
    pub(crate) fn end_struct(&mut self) -> Result<(), Malformed> {
        if self.form.flexible {
            self.reader.skip_tagged_fields()?;
        }
        Ok(())
    }

    /// Ends a struct, and hands the tagged fields of a flexible version to `read`,
    /// which need not read the ones that it does not know.
    ///
    /// # Errors
    /// When they are cut off or out of order, and those of `read`.
    pub(crate) fn tagged_fields(
        &mut self,
        mut read: impl FnMut(u32, &mut Decoder<'a>) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        if !self.form.flexible {
            return Ok(());
        }
        let mut fields = self.reader.clone();
        // None is read before all are known to be there and in order.
        self.reader.skip_tagged_fields()?;
        for _ in 0..fields.unsigned_varint()? {
            let tag = fields.unsigned_varint()?;
            let size = fields.unsigned_varint()?;
            let reader = Reader::new(fields.take(size as usize)?);
            read(tag, &mut Decoder::behind(self.frame, reader, self.form))?;
        }
        Ok(())
    }
}
