//! Buffers in which values are encoded, used again and again.

use std::cell::RefCell;

/// How many buffers a thread keeps, and up to which size, in bytes.
const COUNT_MAX: usize = 512;
const KEPT: usize = 4 * 1024;

thread_local! {
    static BUFFERS: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Returns an empty buffer. Give it back afterwards, or keep it.
pub(crate) fn take() -> Vec<u8> {
    BUFFERS.with_borrow_mut(Vec::pop).unwrap_or_default()
}

/// Gives a buffer back, on whichever thread.
pub(crate) fn give_back(mut buffer: Vec<u8>) {
    buffer.clear();
    BUFFERS.with_borrow_mut(|buffers| {
        if buffer.capacity() <= KEPT && buffers.len() < COUNT_MAX {
            buffers.push(buffer);
        }
    });
}
