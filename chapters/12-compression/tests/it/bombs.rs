//! Few bytes that claim to be many.

use compression::{compress, decompress};
use record_batch::{Codec, OpenError};

use crate::laws::CODECS;

const LIMIT: usize = 100_000;

/// 64 MiB of zeros, which gzip makes a thousand times smaller, twice over.
#[test]
fn a_bomb_ends_at_the_limit() {
    let zeros = vec![0; 64 << 20];
    for codec in &CODECS[1..] {
        let mut bomb = Vec::new();
        compress(*codec, &zeros, &mut bomb);
        let mut out = Vec::new();
        let answer = decompress(*codec, &bomb, LIMIT, &mut out);
        assert_eq!(
            answer,
            Err(OpenError::TooLarge { limit: LIMIT }),
            "{codec:?}"
        );
        assert!(out.capacity() <= 2 * LIMIT, "{codec:?}: {}", out.capacity());
    }
}

/// A snappy block begins with how large it says it is.
#[test]
fn a_claim_allocates_nothing() {
    // 4 GiB less one in the two bytes that follow.
    let claim = b"\xff\xff\xff\xff\x0f\x00a";
    let mut out = Vec::new();
    let answer = decompress(Codec::Snappy, claim, usize::MAX, &mut out);
    assert_eq!(answer, Err(OpenError::Malformed));
    assert_eq!(out.capacity(), 0);
}
