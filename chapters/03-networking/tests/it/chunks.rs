//! Chunks on the wire: in order, whole, and few writes.

use std::io;
use std::os::fd::BorrowedFd;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use disk::ReadAt;
use networking::{Chunk, FileRange, write_chunks};
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWrite};

/// A file that gives at most 1000 bytes at a time; those in front of `cached`
/// are in memory, the others on a disk.
#[derive(Debug)]
struct Memory {
    bytes: Vec<u8>,
    cached: u64,
}

impl ReadAt for Memory {
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        let start = usize::try_from(position).unwrap().min(self.bytes.len());
        let count = buffer.len().min(1000).min(self.bytes.len() - start);
        buffer[..count].copy_from_slice(&self.bytes[start..start + count]);
        Ok(count)
    }

    fn read_cached_at(&self, buffer: &mut [u8], position: u64) -> io::Result<Option<usize>> {
        let cached = self.cached.saturating_sub(position);
        if cached == 0 && position < self.bytes.len() as u64 {
            return Ok(None);
        }
        let wanted = usize::try_from(cached).unwrap().min(buffer.len());
        self.read_at(&mut buffer[..wanted], position).map(Some)
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

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.to_vec()).collect();
        let count = bytes.len();
        self.0.push(bytes);
        Poll::Ready(Ok(count))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Reads like a lane would, without one.
async fn cold(range: FileRange) -> io::Result<Bytes> {
    let mut bytes = vec![0; range.length as usize];
    let count = range.file.read_at(&mut bytes, range.position)?;
    bytes.truncate(count);
    Ok(bytes.into())
}

fn write(chunks: Vec<Chunk>) -> io::Result<Vec<Vec<u8>>> {
    let mut writes = Writes::default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    runtime.block_on(write_chunks(&mut writes, chunks, Duration::MAX, &cold))?;
    Ok(writes.0)
}

/// A range of a file whose first `cached` bytes are in memory.
fn file(bytes: Vec<u8>, cached: u64, position: u64, length: u32) -> Chunk {
    Chunk::File(FileRange {
        file: Arc::new(Memory { bytes, cached }),
        position,
        length,
    })
}

#[test]
fn a_header_and_a_batch_behind_it_leave_in_one_write() {
    let chunks = |cached| {
        vec![
            Chunk::Bytes("prefix ".into()),
            Chunk::Bytes("header ".into()),
            file(b"0123batch6789".to_vec(), cached, 4, 5),
            Chunk::Bytes(" end".into()),
        ]
    };
    let length: usize = chunks(0).iter().map(Chunk::len).sum();
    for cached in [0, 6, 13] {
        let mut writes = write(chunks(cached)).unwrap();
        if cached == 6 {
            let rest = writes.pop().unwrap();
            writes[0].extend_from_slice(&rest);
        }
        assert_eq!(writes, [b"prefix header batch end"]);
        assert_eq!(length, writes[0].len());
    }
}

#[test]
fn what_is_in_memory_leaves_before_the_disk_is_asked() {
    let writes = write(vec![file((0..100).collect(), 30, 10, 90)]).unwrap();
    let expected: [Vec<u8>; 2] = [(10..30).collect(), (30..100).collect()];
    assert_eq!(writes, expected);
}

#[test]
fn a_file_that_ends_too_early_is_an_error() {
    for cached in [0, 7, 10] {
        let error = write(vec![file(vec![0; 10], cached, 5, 6)]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}

#[test]
fn a_large_reply_is_not_gathered_whole() {
    let chunks = vec![
        Chunk::Bytes(vec![1; 10].into()),
        file(vec![2; 1_000_000], 600_000, 0, 1_000_000),
        Chunk::Bytes(vec![3; 500_000].into()),
    ];
    let writes = write(chunks).unwrap();
    assert_eq!(writes.iter().map(Vec::len).sum::<usize>(), 1_500_010);
    assert!(
        writes
            .iter()
            .all(|bytes| bytes.len() <= 500_000 + 64 * 1024)
    );
    assert!(writes.len() > 10, "{}", writes.len());
}

/// A peer that takes nothing costs one piece of memory, and ends in time.
#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_nothing_is_given_up_and_little_is_read_for_it() {
    for cached in [0, 10_000_000] {
        let (mut here, _there) = tokio::io::duplex(1);
        let chunks = vec![file(vec![1; 10_000_000], cached, 0, 10_000_000)];
        let asked = AtomicUsize::new(0);
        let cold = |range: FileRange| {
            asked.fetch_add(range.length as usize, Ordering::Relaxed);
            cold(range)
        };
        let progress = Duration::from_secs(30);
        let began = tokio::time::Instant::now();
        let error = write_chunks(&mut here, chunks, progress, &cold).await;
        assert_eq!(error.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(began.elapsed(), progress);
        let asked = asked.into_inner();
        assert!(asked <= 64 * 1024, "{asked}");
    }
}

/// 70 KB a second for 3 MB, which takes longer than any single wait may.
#[tokio::test(start_paused = true)]
async fn a_slow_peer_has_all_the_time_that_it_needs() {
    let (mut here, mut there) = tokio::io::duplex(16 * 1024);
    let chunks = vec![
        Chunk::Bytes(vec![1; 1_000_000].into()),
        file(vec![2; 2_000_000], 1_000_000, 0, 2_000_000),
    ];
    let reading = tokio::spawn(async move {
        let mut buffer = vec![0; 7_000];
        let mut sum = 0;
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            match there.read(&mut buffer).await.unwrap() {
                0 => return sum,
                count => sum += count,
            }
        }
    });
    let written = write_chunks(&mut here, chunks, Duration::from_secs(1), &cold).await;
    written.unwrap();
    drop(here);
    assert_eq!(reading.await.unwrap(), 3_000_000);
}

fn chunk() -> impl Strategy<Value = Chunk> {
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        any::<u8>().prop_map(|byte| vec![byte; 40_000]),
    ];
    prop_oneof![
        bytes.clone().prop_map(|bytes| Chunk::Bytes(bytes.into())),
        (bytes, 0..100_u32, 0..200_u64).prop_map(|(bytes, skipped, cached)| {
            let length = u32::try_from(bytes.len()).unwrap();
            let start = skipped.min(length);
            file(bytes, cached, u64::from(start), length - start)
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
