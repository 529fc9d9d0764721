//! The types of fields, to bytes and back.

use bytes::Bytes;

use crate::codec::{Decoder, Encoder, Form, Wire};
use crate::part::Malformed;

/// What an allocation of `size` bytes takes from memory: with the C library of
/// Linux 8 bytes more, in steps of 16, and 32 at least.
pub(crate) fn block_size(size: usize) -> usize {
    match size {
        0 => 0,
        size => (size + 8).next_multiple_of(16).max(32),
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
                input.reader().$type()
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
        input.reader().bool()
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

/// A slice of the frame, which stays in memory until the slice is dropped.
impl Wire for Bytes {
    fn size_min(form: Form) -> usize {
        length_size_min(form)
    }
    fn encode(&self, out: &mut Encoder) {
        out.put_length(Some(self.len()));
        out.put(self);
    }
    fn decode(input: &mut Decoder<'_>) -> Result<Self, Malformed> {
        input.bytes()?.ok_or(Malformed::UnexpectedNull)
    }
    fn measure(input: &mut Decoder<'_>) -> Result<usize, Malformed> {
        Bytes::decode(input).map(|_| 0)
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
        let Some(count) = input.array_length(T::size_min(input.form()))? else {
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
    let Some(count) = input.array_length(T::size_min(input.form()))? else {
        return Ok(None);
    };
    let mut size = block_size(count * size_of::<T>());
    for _ in 0..count {
        size += T::measure(input)?;
    }
    Ok(Some(size))
}
