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

/// What an allocation of `size` bytes takes from memory: with the C library of
/// Linux 8 bytes more, in steps of 16, and 32 at least.
pub(crate) fn block_size(size: usize) -> usize {
    match size {
        0 => 0,
        size => (size + 8).next_multiple_of(16).max(32),
    }
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
    fn put_string(&mut self, value: Option<&str>) {
        if self.form.flexible {
            put::compact_nullable_string(&mut self.bytes, value);
        } else {
            let cut = |text: &str| text.floor_char_boundary(STRING_SIZE_MAX);
            let value = value.map(|text| &text[..cut(text)]);
            put::nullable_string(&mut self.bytes, value);
        }
    }

    /// Ends a struct: a flexible version has tagged fields there, and we send none.
    pub fn end_struct(&mut self) {
        if self.form.flexible {
            put::no_tagged_fields(&mut self.bytes);
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

    fn array_length(&mut self, element_size_min: usize) -> Result<Option<usize>, Malformed> {
        if self.form.flexible {
            self.reader.compact_array_length(element_size_min)
        } else {
            self.reader.array_length(element_size_min)
        }
    }

    fn string(&mut self) -> Result<Option<&'a str>, Malformed> {
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
    pub fn end_struct(&mut self) -> Result<(), Malformed> {
        if self.form.flexible {
            self.reader.skip_tagged_fields()?;
        }
        Ok(())
    }
}

macro_rules! integers {
    ($($type:ident),*) => {$(
        impl Wire for $type {
            fn size_min(_form: Form) -> usize {
                size_of::<$type>()
            }
            fn encode(&self, out: &mut Encoder) {
                out.put(&self.to_be_bytes());
            }
            fn decode(input: &mut Decoder<'_>) -> Result<Self, Malformed> {
                input.reader.$type()
            }
            fn measure(input: &mut Decoder<'_>) -> Result<usize, Malformed> {
                $type::decode(input).map(|_| 0)
            }
        }
    )*};
}
integers!(i8, i16, i32, i64);

impl Wire for bool {
    fn size_min(_form: Form) -> usize {
        1
    }
    fn encode(&self, out: &mut Encoder) {
        out.put(&[u8::from(*self)]);
    }
    fn decode(input: &mut Decoder<'_>) -> Result<Self, Malformed> {
        input.reader.bool()
    }
    fn measure(input: &mut Decoder<'_>) -> Result<usize, Malformed> {
        bool::decode(input).map(|_| 0)
    }
}

impl Wire for String {
    fn size_min(form: Form) -> usize {
        if form.flexible { 1 } else { size_of::<i16>() }
    }
    fn encode(&self, out: &mut Encoder) {
        out.put_string(Some(self));
    }
    fn decode(input: &mut Decoder<'_>) -> Result<Self, Malformed> {
        input
            .string()?
            .map(str::to_owned)
            .ok_or(Malformed::UnexpectedNull)
    }
    fn measure(input: &mut Decoder<'_>) -> Result<usize, Malformed> {
        let text = input.string()?.ok_or(Malformed::UnexpectedNull)?;
        Ok(block_size(text.len()))
    }
}

impl Wire for Option<String> {
    fn size_min(form: Form) -> usize {
        if form.flexible { 1 } else { size_of::<i16>() }
    }
    fn encode(&self, out: &mut Encoder) {
        out.put_string(self.as_deref());
    }
    fn decode(input: &mut Decoder<'_>) -> Result<Self, Malformed> {
        Ok(input.string()?.map(str::to_owned))
    }
    fn measure(input: &mut Decoder<'_>) -> Result<usize, Malformed> {
        Ok(input.string()?.map_or(0, |text| block_size(text.len())))
    }
}

/// The fewest bytes of the length in front of an array or of bytes.
pub(crate) fn length_size_min(form: Form) -> usize {
    if form.flexible { 1 } else { size_of::<i32>() }
}

impl<T: Wire> Wire for Vec<T> {
    fn size_min(form: Form) -> usize {
        length_size_min(form)
    }
    fn encode(&self, out: &mut Encoder) {
        out.put_length(Some(self.len()));
        self.iter().for_each(|element| element.encode(out));
    }
    fn decode(input: &mut Decoder<'_>) -> Result<Self, Malformed> {
        Option::<Vec<T>>::decode(input)?.ok_or(Malformed::UnexpectedNull)
    }
    fn measure(input: &mut Decoder<'_>) -> Result<usize, Malformed> {
        measure_array::<T>(input)?.ok_or(Malformed::UnexpectedNull)
    }
}

impl<T: Wire> Wire for Option<Vec<T>> {
    fn size_min(form: Form) -> usize {
        length_size_min(form)
    }
    fn encode(&self, out: &mut Encoder) {
        match self {
            Some(elements) => elements.encode(out),
            None => out.put_length(None),
        }
    }
    fn decode(input: &mut Decoder<'_>) -> Result<Self, Malformed> {
        // ANCHOR: array
        let Some(count) = input.array_length(T::size_min(input.form))? else {
            return Ok(None);
        };
        let mut elements = Vec::with_capacity(count);
        for _ in 0..count {
            elements.push(T::decode(input)?);
        }
        Ok(Some(elements))
        // ANCHOR_END: array
    }
    fn measure(input: &mut Decoder<'_>) -> Result<usize, Malformed> {
        measure_array::<T>(input).map(Option::unwrap_or_default)
    }
}

/// What an array of `T` takes, with all that its elements take; `None` is null.
fn measure_array<T: Wire>(input: &mut Decoder<'_>) -> Result<Option<usize>, Malformed> {
    let Some(count) = input.array_length(T::size_min(input.form))? else {
        return Ok(None);
    };
    let mut size = block_size(count * size_of::<T>());
    for _ in 0..count {
        size += T::measure(input)?;
    }
    Ok(Some(size))
}
