//! Reading to the end, or to a limit.

use std::io::Read;

use record_batch::OpenError;

/// What is read at a time, in bytes.
const PIECE: usize = 64 * 1024;

/// Appends all that `input` gives to `out`, which grows as the bytes come and not
/// by what they claim.
///
/// # Errors
/// [`OpenError::TooLarge`] at the first byte beyond `limit`, [`OpenError::Malformed`]
/// when `input` fails.
pub(crate) fn read_all(
    mut input: impl Read,
    limit: usize,
    out: &mut Vec<u8>,
) -> Result<(), OpenError> {
    let start = out.len();
    let mut piece = vec![0; PIECE];
    loop {
        let count = input.read(&mut piece).map_err(|_| OpenError::Malformed)?;
        if count == 0 {
            return Ok(());
        }
        if out.len() - start + count > limit {
            return Err(OpenError::TooLarge { limit });
        }
        out.extend_from_slice(&piece[..count]);
    }
}
