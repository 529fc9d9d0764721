//! Answers that peers take too slowly, while others wait for room.

use std::io;
use std::time::Duration;

use networking::{Answers, ByteBudget, Chunk, ChunkWriter, RequestReader, Requests, frame};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::LIMIT;
use crate::serving::{cold, limits};

const ROOM: usize = 10_000;
const ANSWER: usize = 1_000_000;

/// A connection whose request has an answer that takes more room than there is. It is given
/// back when the answer is written or given up.
async fn asked(budget: &ByteBudget) -> (DuplexStream, JoinHandle<io::Result<()>>) {
    let (here, mut there) = tokio::io::duplex(1024);
    there.write_all(&frame(b"everything")).await.unwrap();
    let (reader, writer) = tokio::io::split(here);
    let mut requests = RequestReader::new(reader, limits(budget));
    let mut request = requests.next(LIMIT).await.unwrap().unwrap();
    request.share.grow(ANSWER);
    let mut answers = ChunkWriter::new(writer, LIMIT, budget.clone(), cold);
    let written = tokio::spawn(async move {
        let answer = vec![Chunk::Bytes(vec![1; ANSWER].into())];
        let written = answers.write(answer).await;
        drop(request);
        written
    });
    (there, written)
}

/// Whether a request of somebody else is read within a time.
async fn is_served(budget: &ByteBudget, within: Duration) -> bool {
    let (here, mut there) = tokio::io::duplex(1024);
    there.write_all(&frame(b"small")).await.unwrap();
    let mut requests = RequestReader::new(here, limits(budget));
    let next = tokio::time::timeout(within, requests.next(LIMIT)).await;
    next.is_ok_and(|next| next.unwrap().unwrap().payload == b"small"[..])
}

/// Takes so many bytes ten times a second; returns how many there were.
fn take(mut there: DuplexStream, count: usize) -> JoinHandle<usize> {
    tokio::spawn(async move {
        let mut buffer = vec![0; count];
        let mut sum = 0;
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            match there.read_exact(&mut buffer).await {
                Ok(count) => sum += count,
                Err(_) => return sum,
            }
        }
    })
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_nothing_or_little_is_given_up_for_others() {
    for taken in [None, Some(100)] {
        let budget = ByteBudget::new(ROOM);
        let (there, written) = asked(&budget).await;
        let _kept = match taken {
            Some(count) => Ok(take(there, count)),
            None => Err(there),
        };
        assert!(
            is_served(&budget, Duration::from_secs(3)).await,
            "{taken:?}"
        );
        let error = written.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut, "{taken:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn with_nobody_waiting_it_has_all_its_time() {
    let budget = ByteBudget::new(ROOM);
    let (_there, written) = asked(&budget).await;
    let began = Instant::now();
    let error = written.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert_eq!(began.elapsed(), LIMIT);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_enough_gets_everything_also_while_others_wait() {
    let budget = ByteBudget::new(ROOM);
    let (there, written) = asked(&budget).await;
    let taking = take(there, 8_000);
    assert!(!is_served(&budget, LIMIT / 2).await);
    assert!(is_served(&budget, LIMIT / 2).await);
    written.await.unwrap().unwrap();
    assert_eq!(taking.await.unwrap(), ANSWER);
}
