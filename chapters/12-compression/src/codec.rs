//! The four codecs, as Kafka's clients use them.

use std::io::Write as _;

use flate2::Compression as GzipLevel;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use lz4_flex::frame::{BlockMode, BlockSize, FrameDecoder, FrameEncoder, FrameInfo};
use record_batch::{Codec, OpenError};

use crate::limited::read_all;
use crate::lz4;
use crate::snappy;

/// Kafka's default for zstd.
const ZSTD_LEVEL: i32 = 3;
/// Appends `records` to `out`, compressed as Kafka's own producer does by default.
///
/// # Panics
/// When a codec fails without a reason: it writes into memory.
pub fn compress(codec: Codec, records: &[u8], out: &mut Vec<u8>) {
    let done = match codec {
        Codec::None => {
            out.extend_from_slice(records);
            Ok(())
        }
        Codec::Gzip => {
            let mut encoder = GzEncoder::new(out, GzipLevel::default());
            encoder
                .write_all(records)
                .and_then(|()| encoder.finish().map(drop))
        }
        Codec::Snappy => {
            snappy::compress(records, out);
            Ok(())
        }
        Codec::Lz4 => {
            let info = FrameInfo::new()
                .block_size(BlockSize::Max64KB)
                .block_mode(BlockMode::Independent);
            let mut encoder = FrameEncoder::with_frame_info(info, out);
            encoder
                .write_all(records)
                .and_then(|()| encoder.finish().map(drop).map_err(std::io::Error::from))
        }
        Codec::Zstd => zstd::stream::copy_encode(records, out, ZSTD_LEVEL),
    };
    done.expect("a codec that writes into memory does not fail");
}

/// Appends what `compressed` was made from to `out`.
///
/// # Errors
/// [`OpenError::TooLarge`] when there are more than `limit` bytes; no more than
/// `limit` and a little are in memory then. [`OpenError::Malformed`] when `compressed`
/// is not what `codec` writes.
pub fn decompress(
    codec: Codec,
    compressed: &[u8],
    limit: usize,
    out: &mut Vec<u8>,
) -> Result<(), OpenError> {
    match codec {
        Codec::None => read_all(compressed, limit, out),
        Codec::Gzip => read_all(MultiGzDecoder::new(compressed), limit, out),
        Codec::Snappy => snappy::decompress(compressed, limit, out),
        Codec::Lz4 => {
            let frame = lz4::whole_frame(compressed).ok_or(OpenError::Malformed)?;
            read_all(FrameDecoder::new(frame), limit, out)
        }
        Codec::Zstd => {
            // A frame may ask for a window of 128 MiB. The decoder reserves it, and
            // touches as much as the records fill.
            let decoder = zstd::stream::read::Decoder::with_buffer(compressed)
                .map_err(|_| OpenError::Malformed)?;
            read_all(decoder, limit, out)
        }
    }
}
