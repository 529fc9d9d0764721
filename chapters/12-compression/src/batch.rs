//! Batches, closed and open.

use record_batch::{BatchHeader, Codec, OpenError, layout};

use crate::codec::{compress, decompress};

/// The bits of the attributes that name the codec.
const CODEC_MASK: u8 = 0b111;
/// The byte of the attributes that has them: the second one, the attributes are big-endian.
const CODEC_BYTE: usize = layout::ATTRIBUTES + 1;

/// Returns the batch with its records decompressed: an uncompressed batch with the
/// same header, but for codec, length and CRC. `header` is that of `batch`, and `batch`
/// is nothing more. This is an [`OpenBatch`](record_batch::OpenBatch).
///
/// # Errors
/// [`OpenError::TooLarge`] when the records have more than `records_max` bytes, and
/// [`OpenError::Malformed`] when they are not what the codec writes, or no codec has
/// the number in the attributes.
///
/// # Panics
/// When `batch` is shorter than a header.
pub fn open_batch(
    header: &BatchHeader,
    batch: &[u8],
    records_max: usize,
) -> Result<Vec<u8>, OpenError> {
    let codec = header.codec().map_err(|_| OpenError::Malformed)?;
    let records = &batch[layout::RECORDS..];
    let mut open = batch[..layout::RECORDS].to_vec();
    if codec == Codec::None {
        if records.len() > records_max {
            return Err(OpenError::TooLarge { limit: records_max });
        }
        open.extend_from_slice(records);
    } else {
        decompress(codec, records, records_max, &mut open)?;
    }
    seal(&mut open, Codec::None);
    Ok(open)
}

/// Returns an uncompressed batch with its records compressed, and with the codec,
/// the length and the CRC that follow from that.
///
/// # Panics
/// When `batch` is shorter than a header.
#[must_use]
pub fn close_batch(batch: &[u8], codec: Codec) -> Vec<u8> {
    let mut closed = batch[..layout::RECORDS].to_vec();
    compress(codec, &batch[layout::RECORDS..], &mut closed);
    seal(&mut closed, codec);
    closed
}

/// Writes into the header what the records behind it ask for.
fn seal(batch: &mut [u8], codec: Codec) {
    batch[CODEC_BYTE] = batch[CODEC_BYTE] & !CODEC_MASK | number(codec);
    let length = i32::try_from(batch.len() - layout::LENGTH_OVERHEAD)
        .expect("a limit on the records keeps a batch below 2 GiB");
    batch[layout::BATCH_LENGTH..layout::PARTITION_LEADER_EPOCH]
        .copy_from_slice(&length.to_be_bytes());
    let crc = crc32c::crc32c(&batch[layout::ATTRIBUTES..]);
    batch[layout::CRC..layout::ATTRIBUTES].copy_from_slice(&crc.to_be_bytes());
}

fn number(codec: Codec) -> u8 {
    match codec {
        Codec::None => 0,
        Codec::Gzip => 1,
        Codec::Snappy => 2,
        Codec::Lz4 => 3,
        Codec::Zstd => 4,
    }
}
