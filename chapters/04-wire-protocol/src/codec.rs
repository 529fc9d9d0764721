//! Values to bytes and back, for one version of one message.

use networking::Chunk;

use crate::part::{Malformed, Reader, put};

/// The longest string that an `i16` length can announce, in bytes.
const STRING_SIZE_MAX: usize = 32_767;

/// How much memory decoding a message takes at most, as a multiple of the bytes that arrived.
///
/// The worst are arrays inside of arrays, each as long as what arrived allows,
/// the innermost of empty strings: 2 bytes each on the wire, 24 in memory.
/// `tests/memory.rs` searches for it with a counting allocator; it finds 20.3
/// for requests and 23.7 for responses (DescribeConfigs 1). A broker that bounds
/// the bytes of the requests in flight bounds their memory with this number.
pub const DECODED_SIZE_RATIO_MAX: usize = 32;

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
}

/// Where a message is written to: bytes, with ranges of files in between.
#[derive(Debug)]
pub struct Encoder {
    form: Form,
    bytes: Vec<u8>,
    /// What precedes `bytes`.
    chunks: Vec<Chunk>,
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

    /// Appends bytes as they are.
    pub fn put(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Appends chunks: ranges of files as they are, bytes in memory as a copy.
    pub fn put_chunks(&mut self, chunks: &[Chunk]) {
        if !self.bytes.is_empty() {
            self.chunks
                .push(Chunk::Bytes(std::mem::take(&mut self.bytes).into()));
        }
        self.chunks.extend_from_slice(chunks);
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

    /// What was written.
    #[must_use]
    pub fn finish(mut self) -> Vec<Chunk> {
        if !self.bytes.is_empty() {
            self.chunks.push(Chunk::Bytes(self.bytes.into()));
        }
        self.chunks
    }
}

/// What a message is read from.
#[derive(Debug)]
pub struct Decoder<'a> {
    form: Form,
    reader: Reader<'a>,
}

impl<'a> Decoder<'a> {
    /// Reads `version` from `reader`; `flexible` versions have compact lengths and tagged fields.
    #[must_use]
    pub fn new(reader: Reader<'a>, version: i16, flexible: bool) -> Decoder<'a> {
        Decoder {
            form: Form { version, flexible },
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
    ///
    /// # Errors
    /// When they are cut off.
    pub fn bytes(&mut self) -> Result<Option<&'a [u8]>, Malformed> {
        if self.form.flexible {
            self.reader.compact_nullable_bytes()
        } else {
            self.reader.nullable_bytes()
        }
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
}
