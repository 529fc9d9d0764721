//! Messages that leave together, of which long pieces are not copied.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf, Bytes, BytesMut};

/// A piece of this length or more, in bytes, leaves from where it is. To copy a shorter one
/// costs less than to hand it over to the system by itself.
const UNCOPIED_MIN: usize = 2 * 1024;

/// Bytes that are to leave in one write: short pieces in one buffer, long ones where they are.
#[derive(Debug, Default)]
pub struct Gathered {
    /// No piece is empty.
    pieces: VecDeque<Bytes>,
    /// Short pieces behind the last one of `pieces`.
    short: BytesMut,
    remaining: usize,
}

impl Gathered {
    /// Puts `message` behind what is there.
    pub fn push(&mut self, message: Gathered) {
        self.remaining += message.remaining;
        if message.pieces.is_empty() {
            self.short.extend_from_slice(&message.short);
            return;
        }
        if !self.short.is_empty() {
            self.pieces.push_back(self.short.split().freeze());
        }
        self.pieces.extend(message.pieces);
        self.short = message.short;
    }
}

impl Buf for Gathered {
    fn remaining(&self) -> usize {
        self.remaining
    }

    fn chunk(&self) -> &[u8] {
        self.pieces.front().map_or(&self.short, |first| first)
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let pieces = self.pieces.iter().map(|piece| &piece[..]);
        let all = pieces.chain((!self.short.is_empty()).then_some(&self.short[..]));
        let mut count = 0;
        for (slice, piece) in slices.iter_mut().zip(all) {
            *slice = IoSlice::new(piece);
            count += 1;
        }
        count
    }

    fn advance(&mut self, mut count: usize) {
        self.remaining -= count;
        while let Some(first) = self.pieces.front_mut() {
            if count < first.len() {
                first.advance(count);
                return;
            }
            count -= first.len();
            self.pieces.pop_front();
        }
        self.short.advance(count);
    }
}

impl From<Bytes> for Gathered {
    fn from(piece: Bytes) -> Gathered {
        let mut gathered = Gathered {
            remaining: piece.len(),
            ..Gathered::default()
        };
        if piece.len() < UNCOPIED_MIN {
            gathered.short.extend_from_slice(&piece);
        } else {
            gathered.pieces.push_back(piece);
        }
        gathered
    }
}

impl From<Vec<u8>> for Gathered {
    fn from(bytes: Vec<u8>) -> Gathered {
        Bytes::from(bytes).into()
    }
}

impl From<Vec<Bytes>> for Gathered {
    fn from(pieces: Vec<Bytes>) -> Gathered {
        let mut gathered = Gathered::default();
        for piece in pieces {
            gathered.push(piece.into());
        }
        gathered
    }
}
