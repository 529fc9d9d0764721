//! Buffers in which values are encoded, used again and again.

use std::cell::Cell;

/// A buffer up to this size is kept, in bytes.
const KEPT: usize = 64 * 1024;

thread_local! {
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Returns an empty buffer. Give it back afterwards, or keep it.
pub(crate) fn take() -> Vec<u8> {
    let mut buffer = BUFFER.take();
    buffer.clear();
    buffer
}

/// Gives a buffer back, on whichever thread.
pub(crate) fn give_back(buffer: Vec<u8>) {
    if buffer.capacity() <= KEPT {
        BUFFER.set(buffer);
    }
}
