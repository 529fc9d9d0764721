//! Snappy: a raw block, or blocks in the framing of the Java library, which Kafka's
//! producer writes.
//!
//! The framing: 8 bytes of magic, version and lowest compatible version as `i32`, then
//! per block its size as `i32` and a raw block. librdkafka sends a raw block alone.

use record_batch::OpenError;
use snap::raw::{Decoder, Encoder, decompress_len};

const MAGIC: &[u8; 8] = b"\x82SNAPPY\0";
/// Magic and the two versions, in bytes.
const HEADER_SIZE: usize = 16;
/// How much goes into a block, as the Java library does, in bytes.
const BLOCK_SIZE: usize = 32 * 1024;
/// Three bytes of a raw block make 64 at most.
const RATIO_MAX: usize = 22;

/// Appends `bytes` in blocks, with the Java library's framing.
pub(crate) fn compress(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&1_i32.to_be_bytes());
    out.extend_from_slice(&1_i32.to_be_bytes());
    let mut encoder = Encoder::new();
    for block in bytes.chunks(BLOCK_SIZE) {
        let block = encoder
            .compress_vec(block)
            .expect("a block of 32 KiB is not too large");
        let size = i32::try_from(block.len()).expect("so is what it becomes");
        out.extend_from_slice(&size.to_be_bytes());
        out.extend_from_slice(&block);
    }
}

/// Appends what `compressed` was made from, in either form.
pub(crate) fn decompress(
    compressed: &[u8],
    limit: usize,
    out: &mut Vec<u8>,
) -> Result<(), OpenError> {
    let mut decoder = Decoder::new();
    if !compressed.starts_with(MAGIC) {
        return append_block(&mut decoder, compressed, limit, out);
    }
    let end = out.len() + limit;
    let mut rest = compressed.get(HEADER_SIZE..).ok_or(OpenError::Malformed)?;
    while !rest.is_empty() {
        let (size, behind) = rest.split_first_chunk().ok_or(OpenError::Malformed)?;
        let size = usize::try_from(i32::from_be_bytes(*size)).map_err(|_| OpenError::Malformed)?;
        let (block, behind) = behind.split_at_checked(size).ok_or(OpenError::Malformed)?;
        append_block(&mut decoder, block, end - out.len(), out)
            .map_err(|error| error_of(error, limit))?;
        rest = behind;
    }
    Ok(())
}

/// A block says how large it is before it is opened: nothing is allocated for a lie.
fn append_block(
    decoder: &mut Decoder,
    block: &[u8],
    limit: usize,
    out: &mut Vec<u8>,
) -> Result<(), OpenError> {
    let size = decompress_len(block).map_err(|_| OpenError::Malformed)?;
    if size > block.len().saturating_mul(RATIO_MAX) {
        return Err(OpenError::Malformed);
    }
    if size > limit {
        return Err(OpenError::TooLarge { limit });
    }
    let start = out.len();
    out.resize(start + size, 0);
    decoder
        .decompress(block, &mut out[start..])
        .map_err(|_| OpenError::Malformed)?;
    Ok(())
}

/// The limit that a caller knows is that of the whole.
fn error_of(error: OpenError, limit: usize) -> OpenError {
    match error {
        OpenError::TooLarge { .. } => OpenError::TooLarge { limit },
        OpenError::Malformed => error,
    }
}
