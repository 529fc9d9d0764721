//! Writing the protocol's primitive types; the other half of [`Reader`](crate::Reader).

/// An unsigned varint, seven bits a byte, lowest first.
pub fn unsigned_varint(out: &mut Vec<u8>, value: u32) {
    varint_bits(out, u64::from(value));
}

/// A zigzag varint of 32 bits.
pub fn varint(out: &mut Vec<u8>, value: i32) {
    let stored = (value << 1) ^ (value >> 31);
    varint_bits(out, u64::from(stored.cast_unsigned()));
}

/// A zigzag varint of 64 bits.
pub fn varlong(out: &mut Vec<u8>, value: i64) {
    let stored = (value << 1) ^ (value >> 63);
    varint_bits(out, stored.cast_unsigned());
}

// ANCHOR: varint
fn varint_bits(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push((value & 0x7f) as u8);
}
// ANCHOR_END: varint

/// A string with an `i16` length in front; null is -1.
///
/// # Panics
/// When the string is longer than 32,767 bytes: what we send is shorter.
pub fn nullable_string(out: &mut Vec<u8>, value: Option<&str>) {
    let length = value.map_or(-1, |text| {
        i16::try_from(text.len()).expect("a string of the protocol is below 32 KiB")
    });
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(value.unwrap_or_default().as_bytes());
}

/// A string with length + 1 in front as an unsigned varint; null is 0.
///
/// # Panics
/// When the string is 4 GiB or longer.
pub fn compact_nullable_string(out: &mut Vec<u8>, value: Option<&str>) {
    compact_length(out, value.map(str::len));
    out.extend_from_slice(value.unwrap_or_default().as_bytes());
}

/// The `i32` length in front of bytes or of an array; null is -1.
///
/// # Panics
/// When the length is above `i32::MAX`.
pub fn length(out: &mut Vec<u8>, length: Option<usize>) {
    let length = length.map_or(-1, |length| {
        i32::try_from(length).expect("a length of the protocol is below 2 GiB")
    });
    out.extend_from_slice(&length.to_be_bytes());
}

/// The length of a flexible version: length + 1 as an unsigned varint; null is 0.
///
/// # Panics
/// When the length is 4 GiB or more.
pub fn compact_length(out: &mut Vec<u8>, length: Option<usize>) {
    let stored = length.map_or(0, |length| {
        u32::try_from(length + 1).expect("a length of the protocol is below 4 GiB")
    });
    unsigned_varint(out, stored);
}

/// The end of a struct of a flexible version: the tagged fields, each a tag and its
/// bytes, by ascending tag.
///
/// # Panics
/// When there are 2³² fields or more, or one is of 4 GiB or more.
pub fn tagged_fields<'a>(
    out: &mut Vec<u8>,
    fields: impl Iterator<Item = &'a (u32, Vec<u8>)> + Clone,
) {
    let short = |length| u32::try_from(length).expect("a message is below 4 GiB");
    unsigned_varint(out, short(fields.clone().count()));
    for (tag, bytes) in fields {
        unsigned_varint(out, *tag);
        unsigned_varint(out, short(bytes.len()));
        out.extend_from_slice(bytes);
    }
}
