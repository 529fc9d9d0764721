//! Chunks on the wire: in order, whole, and few writes.

use std::io;
use std::os::fd::BorrowedFd;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use disk::ReadAt;
use networking::{Chunk, FileRange, write_chunks};
use proptest::prelude::*;
use tokio::io::AsyncWrite;

/// A file in memory that gives at most 1000 bytes at a time.
#[derive(Debug)]
struct Memory(Vec<u8>);

impl ReadAt for Memory {
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        let start = usize::try_from(position).unwrap().min(self.0.len());
        let count = buffer.len().min(1000).min(self.0.len() - start);
        buffer[..count].copy_from_slice(&self.0[start..start + count]);
        Ok(count)
    }

    fn read_cached_at(&self, _buffer: &mut [u8], _position: u64) -> io::Result<Option<usize>> {
        Ok(None)
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}

/// Every write as it came.
#[derive(Default)]
struct Writes(Vec<Vec<u8>>);

impl AsyncWrite for Writes {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0.push(bytes.to_vec());
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn write(chunks: Vec<Chunk>) -> io::Result<Vec<Vec<u8>>> {
    let mut writes = Writes::default();
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(write_chunks(&mut writes, chunks))?;
    Ok(writes.0)
}

fn file(bytes: Vec<u8>, position: u64, length: u32) -> Chunk {
    Chunk::File(FileRange {
        file: Arc::new(Memory(bytes)),
        position,
        length,
    })
}

#[test]
fn a_header_and_a_batch_behind_it_leave_in_one_write() {
    let chunks = vec![
        Chunk::Bytes("prefix ".into()),
        Chunk::Bytes("header ".into()),
        file(b"0123batch6789".to_vec(), 4, 5),
        Chunk::Bytes(" end".into()),
    ];
    let length: usize = chunks.iter().map(Chunk::len).sum();
    let writes = write(chunks).unwrap();
    assert_eq!(writes, [b"prefix header batch end"]);
    assert_eq!(length, writes[0].len());
}

#[test]
fn a_file_that_ends_too_early_is_an_error() {
    let error = write(vec![file(vec![0; 10], 5, 6)]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
}

#[test]
fn a_large_reply_is_not_gathered_whole() {
    let chunks = vec![
        Chunk::Bytes(vec![1; 10].into()),
        file(vec![2; 1_000_000], 0, 1_000_000),
        Chunk::Bytes(vec![3; 500_000].into()),
    ];
    let writes = write(chunks).unwrap();
    assert_eq!(writes.iter().map(Vec::len).sum::<usize>(), 1_500_010);
    assert!(writes.iter().all(|bytes| bytes.len() <= 500_000));
    assert!(writes.len() > 10, "{}", writes.len());
}

fn chunk() -> impl Strategy<Value = Chunk> {
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        any::<u8>().prop_map(|byte| vec![byte; 40_000]),
    ];
    prop_oneof![
        bytes.clone().prop_map(|bytes| Chunk::Bytes(bytes.into())),
        (bytes, 0..100_u32).prop_map(|(bytes, skipped)| {
            let length = u32::try_from(bytes.len()).unwrap();
            let start = skipped.min(length);
            file(bytes, u64::from(start), length - start)
        }),
    ]
}

fn content(chunk: &Chunk) -> Vec<u8> {
    match chunk {
        Chunk::Bytes(bytes) => bytes.to_vec(),
        Chunk::File(range) => {
            let mut all = Vec::new();
            let mut buffer = [0; 1000];
            while all.len() < range.length as usize {
                let position = range.position + all.len() as u64;
                let count = range.file.read_at(&mut buffer, position).unwrap();
                all.extend_from_slice(&buffer[..count]);
            }
            all
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_the_chunks_in_order(chunks in prop::collection::vec(chunk(), 0..10)) {
        let expected: Vec<u8> = chunks.iter().flat_map(content).collect();
        prop_assert_eq!(write(chunks).unwrap().concat(), expected);
    }
}
