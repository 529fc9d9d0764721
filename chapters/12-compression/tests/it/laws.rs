//! What holds for all bytes.

use compression::{compress, decompress};
use proptest::collection::vec;
use proptest::prelude::*;
use record_batch::{Codec, OpenError};

pub(crate) const CODECS: [Codec; 5] = [
    Codec::None,
    Codec::Gzip,
    Codec::Snappy,
    Codec::Lz4,
    Codec::Zstd,
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_was_compressed_comes_back(
        codec in prop::sample::select(&CODECS[..]),
        bytes in vec(prop_oneof![Just(7), any::<u8>()], 0..5_000),
    ) {
        let mut closed = Vec::new();
        compress(codec, &bytes, &mut closed);
        let mut open = b"before".to_vec();
        prop_assert_eq!(decompress(codec, &closed, bytes.len(), &mut open), Ok(()));
        prop_assert_eq!(&open[6..], &bytes[..]);
    }

    #[test]
    fn one_byte_more_than_the_limit_is_too_large(
        codec in prop::sample::select(&CODECS[..]),
        bytes in vec(any::<u8>(), 1..3_000),
    ) {
        let mut closed = Vec::new();
        compress(codec, &bytes, &mut closed);
        let limit = bytes.len() - 1;
        let answer = decompress(codec, &closed, limit, &mut Vec::new());
        prop_assert_eq!(answer, Err(OpenError::TooLarge { limit }));
    }

    #[test]
    fn any_bytes_are_opened_or_refused_within_the_limit(
        codec in prop::sample::select(&CODECS[..]),
        bytes in vec(any::<u8>(), 0..2_000),
        spoiled in vec(any::<u8>(), 0..2_000),
        at in any::<prop::sample::Index>(),
        flip in 1..=255_u8,
    ) {
        let limit = 10_000;
        let mut open = Vec::new();
        let _ = decompress(codec, &bytes, limit, &mut open);
        let mut closed = Vec::new();
        compress(codec, &spoiled, &mut closed);
        if !closed.is_empty() {
            let at = at.index(closed.len());
            closed[at] ^= flip;
            let _ = decompress(codec, &closed, limit, &mut open);
        }
        prop_assert!(open.len() <= 2 * limit);
    }
}
