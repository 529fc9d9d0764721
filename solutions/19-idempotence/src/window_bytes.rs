//! A window in a snapshot.
//!
//! # Layout
//! version `i8` | epoch `i16` | number of batches `i8` | for each batch, the oldest first:
//! first `i32` | last `i32` | base offset `i64` | timestamp `i64`; all big-endian.

use std::collections::VecDeque;

use message_model::{Offset, ProducerEpoch, Timestamp};
use wire_protocol::Reader;

use crate::unreadable::Unreadable;
use crate::window::{BATCHES_MAX, Remembered, Window};

const VERSION: i8 = 0;

impl Window {
    /// Appends the window, with all its batches, to `bytes`.
    pub fn put(&self, bytes: &mut Vec<u8>) {
        // task 19.3: version, epoch, and all batches
        bytes.extend(VERSION.to_be_bytes());
        bytes.extend(self.epoch.0.to_be_bytes());
        // At most five.
        let count = i8::try_from(self.batches.len()).unwrap_or(i8::MAX);
        bytes.extend(count.to_be_bytes());
        for batch in &self.batches {
            bytes.extend(batch.first.to_be_bytes());
            bytes.extend(batch.last.to_be_bytes());
            bytes.extend(batch.base_offset.0.to_be_bytes());
            bytes.extend(batch.timestamp.0.to_be_bytes());
        }
        // end
    }

    /// Reads a window that [`put`](Window::put) has written, and nothing behind it.
    ///
    /// # Errors
    /// [`Unreadable::Length`] if the bytes end within it, [`Unreadable::Version`] if its version
    /// is another one, [`Unreadable::Value`] if the number of batches is not 0 to
    /// [`BATCHES_MAX`], or if a sequence number or an offset is negative. The epoch is what the
    /// producer has said, so any epoch is right.
    pub fn take(bytes: &mut Reader<'_>) -> Result<Window, Unreadable> {
        // task 19.3: read it back, and believe nothing
        let version = bytes.i8()?;
        if version != VERSION {
            return Err(Unreadable::Version(version));
        }
        let epoch = ProducerEpoch(bytes.i16()?);
        let count = usize::try_from(bytes.i8()?).map_err(|_| Unreadable::Value)?;
        if count > BATCHES_MAX {
            return Err(Unreadable::Value);
        }
        let mut batches = VecDeque::with_capacity(count);
        for _ in 0..count {
            let batch = Remembered {
                first: bytes.i32()?,
                last: bytes.i32()?,
                base_offset: Offset(bytes.i64()?),
                timestamp: Timestamp(bytes.i64()?),
            };
            if batch.first < 0 || batch.last < 0 || batch.base_offset < Offset::ZERO {
                return Err(Unreadable::Value);
            }
            batches.push_back(batch);
        }
        Ok(Window { epoch, batches })
        // end
    }
}
