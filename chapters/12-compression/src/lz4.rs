//! Where an LZ4 frame ends.
//!
//! The library takes the end of its input for the end of a frame. Kafka's Java client
//! does not: it wants the end mark, and a batch without one stops its consumers.
//! Source: the LZ4 frame format description, 1.6.4.

const MAGIC: [u8; 4] = 0x184d_2204_u32.to_le_bytes();
/// Flags of the third field.
const BLOCK_CHECKSUM: u8 = 1 << 4;
const CONTENT_SIZE: u8 = 1 << 3;
const CONTENT_CHECKSUM: u8 = 1 << 2;
const DICTIONARY: u8 = 1;
/// The bit of a block's size that says that the block is not compressed.
const PLAIN: u32 = 1 << 31;

/// Returns the frame at the start of `bytes`, from its magic number to its end mark
/// and checksum; `None` when it is cut off. Whether the frame can be decoded is not asked.
pub(crate) fn whole_frame(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes.strip_prefix(&MAGIC)?;
    let flags = take(&mut rest, 2)?[0];
    let has = |flag: u8, size: usize| if flags & flag == 0 { 0 } else { size };
    let header_checksum = 1;
    take(
        &mut rest,
        has(CONTENT_SIZE, 8) + has(DICTIONARY, 4) + header_checksum,
    )?;
    loop {
        let size = take(&mut rest, 4)?;
        let size = u32::from_le_bytes(size.try_into().ok()?) & !PLAIN;
        if size == 0 {
            take(&mut rest, has(CONTENT_CHECKSUM, 4))?;
            return Some(&bytes[..bytes.len() - rest.len()]);
        }
        take(
            &mut rest,
            usize::try_from(size).ok()? + has(BLOCK_CHECKSUM, 4),
        )?;
    }
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, behind) = rest.split_at_checked(count)?;
    *rest = behind;
    Some(taken)
}
