//! Values to bytes and back, for one version of one message.

use networking::Chunk;

use crate::part::{Malformed, Reader, put};

/// A type that has a place on the wire.
pub trait Wire: Sized {
    /// The fewest bytes that a value takes, in any version; bounds arrays of it.
    fn size_min() -> usize;

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
    version: i16,
    flexible: bool,
    bytes: Vec<u8>,
    /// What precedes `bytes`.
    chunks: Vec<Chunk>,
}

impl Encoder {
    /// Writes `version`; `flexible` versions have compact lengths and tagged fields.
    #[must_use]
    pub fn new(version: i16, flexible: bool) -> Encoder {
        Encoder {
            version,
            flexible,
            bytes: Vec::new(),
            chunks: Vec::new(),
        }
    }

    /// The version that is being written.
    #[must_use]
    pub fn version(&self) -> i16 {
        self.version
    }

    /// Appends bytes as they are.
    pub fn put(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Appends chunks without copying them.
    pub fn put_chunks(&mut self, chunks: &[Chunk]) {
        if !self.bytes.is_empty() {
            self.chunks
                .push(Chunk::Bytes(std::mem::take(&mut self.bytes)));
        }
        self.chunks.extend_from_slice(chunks);
    }

    /// The length in front of an array or of bytes, as this version writes it.
    pub fn put_length(&mut self, length: Option<usize>) {
        if self.flexible {
            put::compact_length(&mut self.bytes, length);
        } else {
            put::length(&mut self.bytes, length);
        }
    }

    fn put_string(&mut self, value: Option<&str>) {
        if self.flexible {
            put::compact_nullable_string(&mut self.bytes, value);
        } else {
            put::nullable_string(&mut self.bytes, value);
        }
    }

    /// Ends a struct: a flexible version has tagged fields there, and we send none.
    pub fn end_struct(&mut self) {
        if self.flexible {
            put::no_tagged_fields(&mut self.bytes);
        }
    }

    /// What was written.
    #[must_use]
    pub fn finish(mut self) -> Vec<Chunk> {
        if !self.bytes.is_empty() {
            self.chunks.push(Chunk::Bytes(self.bytes));
        }
        self.chunks
    }
}

/// What a message is read from.
#[derive(Debug)]
pub struct Decoder<'a> {
    version: i16,
    flexible: bool,
    reader: Reader<'a>,
}

impl<'a> Decoder<'a> {
    /// Reads `version` from `reader`; `flexible` versions have compact lengths and tagged fields.
    #[must_use]
    pub fn new(reader: Reader<'a>, version: i16, flexible: bool) -> Decoder<'a> {
        Decoder {
            version,
            flexible,
            reader,
        }
    }

    /// The version that is being read.
    #[must_use]
    pub fn version(&self) -> i16 {
        self.version
    }

    fn array_length(&mut self, element_size_min: usize) -> Result<Option<usize>, Malformed> {
        if self.flexible {
            self.reader.compact_array_length(element_size_min)
        } else {
            self.reader.array_length(element_size_min)
        }
    }

    fn string(&mut self) -> Result<Option<&'a str>, Malformed> {
        if self.flexible {
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
        if self.flexible {
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
        if self.flexible {
            self.reader.skip_tagged_fields()?;
        }
        Ok(())
    }
}

macro_rules! integers {
    ($($type:ident),*) => {$(
        impl Wire for $type {
            fn size_min() -> usize {
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
    fn size_min() -> usize {
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
    fn size_min() -> usize {
        1
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
    fn size_min() -> usize {
        1
    }
    fn encode(&self, out: &mut Encoder) {
        out.put_string(self.as_deref());
    }
    fn decode(input: &mut Decoder<'_>) -> Result<Self, Malformed> {
        Ok(input.string()?.map(str::to_owned))
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn size_min() -> usize {
        1
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
    fn size_min() -> usize {
        1
    }
    fn encode(&self, out: &mut Encoder) {
        match self {
            Some(elements) => elements.encode(out),
            None => out.put_length(None),
        }
    }
    fn decode(input: &mut Decoder<'_>) -> Result<Self, Malformed> {
        let Some(count) = input.array_length(T::size_min())? else {
            return Ok(None);
        };
        let mut elements = Vec::with_capacity(count);
        for _ in 0..count {
            elements.push(T::decode(input)?);
        }
        Ok(Some(elements))
    }
}
