//! Bytes that other programs wrote, or would have to read.

use compression::{compress, decompress};
use record_batch::{Codec, OpenError};

use crate::laws::CODECS;

const TEXT: &[u8] = b"hello hello hello hello hello hello hello hello";

fn open(codec: Codec, bytes: &[u8]) -> Result<Vec<u8>, OpenError> {
    let mut out = Vec::new();
    decompress(codec, bytes, 1_000, &mut out).map(|()| out)
}

fn closed(codec: Codec, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    compress(codec, bytes, &mut out);
    out
}

/// librdkafka sends a block of snappy as it is, the Java client frames its blocks.
#[test]
fn snappy_with_and_without_a_frame() {
    // The length 47 as a varint; a literal of 6 bytes; a copy of 41 bytes from 6 bytes back.
    let raw = b"\x2f\x14hello \xa2\x06\x00";
    assert_eq!(open(Codec::Snappy, raw).as_deref(), Ok(TEXT));
    let mut framed = b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01".to_vec();
    for _ in 0..2 {
        framed.extend_from_slice(&u32::try_from(raw.len()).unwrap().to_be_bytes());
        framed.extend_from_slice(raw);
    }
    assert_eq!(open(Codec::Snappy, &framed), Ok(TEXT.repeat(2)));
    assert!(closed(Codec::Snappy, TEXT).starts_with(&framed[..16]));
}

/// The magic numbers by which consumers know a format.
#[test]
fn what_is_written_begins_as_the_format_says() {
    assert!(closed(Codec::Gzip, TEXT).starts_with(b"\x1f\x8b"));
    assert!(closed(Codec::Lz4, TEXT).starts_with(b"\x04\x22\x4d\x18"));
    assert!(closed(Codec::Zstd, TEXT).starts_with(b"\x28\xb5\x2f\xfd"));
}

/// Two gzip members in a row are one text, as for every gunzip.
#[test]
fn gzip_in_two_members() {
    let two = [closed(Codec::Gzip, TEXT), closed(Codec::Gzip, TEXT)].concat();
    assert_eq!(open(Codec::Gzip, &two), Ok(TEXT.repeat(2)));
}

#[test]
fn a_cut_end_is_an_error() {
    for codec in &CODECS[1..] {
        let whole = closed(*codec, TEXT);
        for cut in 1..whole.len() {
            let opened = open(*codec, &whole[..cut]);
            assert_ne!(opened.as_deref(), Ok(TEXT), "{codec:?} cut at {cut}");
        }
    }
}

/// What follows the end mark is left alone, as the Java client does.
#[test]
fn bytes_behind_an_lz4_frame() {
    let behind = [&closed(Codec::Lz4, TEXT)[..], b"more"].concat();
    assert_eq!(open(Codec::Lz4, &behind).as_deref(), Ok(TEXT));
}
