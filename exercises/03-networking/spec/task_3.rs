//! Many messages, few writes.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use spec_harness::{case, expect, expect_bytes, expect_eq, fail};
use tokio::io::AsyncWrite;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::part::{Gathered, write_coalesced};

/// What a connection's other end would see.
#[derive(Default)]
struct Seen {
    /// Each write, and when it came.
    writes: Vec<(Vec<u8>, Instant)>,
    /// Whether there was no write after the last flush.
    is_flushed: bool,
}

/// A connection that remembers what is written to it.
#[derive(Clone)]
struct Recorder {
    seen: Arc<Mutex<Seen>>,
    /// How many bytes it takes at a time.
    takes: usize,
    /// Whether it is broken.
    fails: bool,
    /// Whether it takes bytes and cannot pass them on.
    flush_fails: bool,
    /// Whether it takes nothing.
    is_stuck: bool,
    /// Whether it takes one piece of memory at a time, as a writer may that encrypts.
    is_piecewise: bool,
}

impl Recorder {
    fn new() -> Recorder {
        Recorder {
            seen: Arc::default(),
            takes: usize::MAX,
            fails: false,
            flush_fails: false,
            is_stuck: false,
            is_piecewise: false,
        }
    }

    fn writes(&self) -> Vec<Vec<u8>> {
        let seen = self.seen.lock().expect("no thread panicked with it");
        seen.writes.iter().map(|(bytes, _)| bytes.clone()).collect()
    }
}

impl AsyncWrite for Recorder {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.fails {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if self.is_stuck {
            return Poll::Pending;
        }
        let taken = &bytes[..bytes.len().min(self.takes)];
        let mut seen = self.seen.lock().expect("no thread panicked with it");
        seen.writes.push((taken.to_vec(), Instant::now()));
        seen.is_flushed = false;
        Poll::Ready(Ok(taken.len()))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.to_vec()).collect();
        self.poll_write(context, &bytes)
    }

    fn is_write_vectored(&self) -> bool {
        !self.is_piecewise
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.flush_fails {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        self.seen
            .lock()
            .expect("no thread panicked with it")
            .is_flushed = true;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Runs `work` on a clock that jumps ahead whenever everything waits.
fn with_paused_time(work: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime can be built")
        .block_on(work);
}

/// A queue that holds `messages`, and has no sender.
fn queue_of(messages: &[Vec<u8>]) -> mpsc::Receiver<Gathered> {
    let (sender, queue) = mpsc::channel(messages.len().max(1));
    for message in messages {
        sender
            .try_send(message.clone().into())
            .expect("there is room");
    }
    queue
}

/// Writes all of `messages` with batches of `batch_bytes`.
async fn write_all(
    messages: &[Vec<u8>],
    mut writer: Recorder,
    batch_bytes: usize,
) -> io::Result<()> {
    let work = write_coalesced(&mut queue_of(messages), &mut writer, batch_bytes).await;
    work.map_err(|error| io::Error::new(error.kind(), "see the kind"))
}

/// `count` messages of ten bytes, each different.
fn messages(count: usize) -> Vec<Vec<u8>> {
    (0..count)
        .map(|number| format!("message{number:03}").into_bytes())
        .collect()
}

#[test]
fn a_lone_message_is_one_write_too() {
    case!(
        "One message is one write: its length and its payload must not travel in packets of their own.",
        || with_paused_time(async {
            let writer = Recorder::new();
            let _ = write_all(&messages(1), writer.clone(), 65_536).await;
            let written: Vec<_> = writer
                .writes()
                .into_iter()
                .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
                .collect();
            expect_eq("the writes", written, vec!["message000".to_owned()]);
        })
    );
}

#[test]
fn the_order_is_kept_and_nothing_is_lost() {
    case!(
        "Messages arrive in the order in which they were queued, each once.",
        || with_paused_time(async {
            for batch_bytes in [1, 10, 25, 100, 10_000] {
                let writer = Recorder::new();
                let _ = write_all(&messages(50), writer.clone(), batch_bytes).await;
                let what = format!("all bytes written, with batches of {batch_bytes}");
                let (got, expected) = (writer.writes().concat(), messages(50).concat());
                expect_bytes(&what, &got, &expected, &[]);
            }
        })
    );
}

#[test]
fn what_has_queued_up_leaves_in_one_write() {
    case!(
        "A hundred messages that wait already cost one write, not a hundred.",
        || with_paused_time(async {
            let writer = Recorder::new();
            let done = write_all(&messages(100), writer.clone(), 65_536).await;
            expect("write_coalesced ends with Ok", done.is_ok());
            expect_eq("writes for 100 messages", writer.writes().len(), 1);
        })
    );
}

#[test]
fn a_write_is_bounded() {
    case!(
        "A write takes no further message along once it has `batch_bytes`: memory stays bounded.",
        || with_paused_time(async {
            let writer = Recorder::new();
            let _ = write_all(&messages(100), writer.clone(), 100).await;
            let longest = writer.writes().iter().map(Vec::len).max().unwrap_or(0);
            let what = format!(
                "with batch_bytes = 100 and messages of 10, a write has at most 109 bytes (the longest has {longest})"
            );
            expect(&what, longest <= 109);
            let count = writer.writes().len();
            let what = format!("1000 bytes take at most 20 writes (they took {count})");
            expect(&what, count <= 20);
        })
    );
}

#[test]
fn a_message_above_the_bound_still_goes() {
    case!(
        "A single message that is longer than `batch_bytes` is written all the same.",
        || with_paused_time(async {
            let writer = Recorder::new();
            let long = vec![vec![1; 10], vec![2; 1000], vec![3; 10]];
            let _ = write_all(&long, writer.clone(), 100).await;
            expect_bytes(
                "all bytes written",
                &writer.writes().concat(),
                &long.concat(),
                &[],
            );
        })
    );
}

#[test]
fn a_writer_that_takes_three_bytes_at_a_time_gets_everything() {
    case!(
        "A socket may take fewer bytes than it was given; the rest follows.",
        || with_paused_time(async {
            let mut writer = Recorder::new();
            writer.takes = 3;
            let _ = write_all(&messages(5), writer.clone(), 65_536).await;
            let (got, expected) = (writer.writes().concat(), messages(5).concat());
            expect_bytes("all bytes written", &got, &expected, &[]);
        })
    );
}

#[test]
fn long_and_short_messages_keep_their_places() {
    case!(
        "A message of many records leaves between the short ones around it, whatever the socket takes at a time.",
        || with_paused_time(async {
            let lengths = [10, 5_000, 5_000, 10, 10, 3_000, 10];
            let all: Vec<Vec<u8>> = (1..)
                .zip(lengths)
                .map(|(n, length)| vec![n; length])
                .collect();
            for batch_bytes in [1, 5_100, 65_536] {
                for takes in [7, 4_999, usize::MAX] {
                    let mut writer = Recorder::new();
                    writer.takes = takes;
                    let _ = write_all(&all, writer.clone(), batch_bytes).await;
                    let what = format!(
                        "all bytes written, with batches of {batch_bytes} and a socket that takes {takes}"
                    );
                    expect_bytes(&what, &writer.writes().concat(), &all.concat(), &[]);
                }
            }
            piece_by_piece(&all).await;
        })
    );
}

/// One message of all pieces, and a writer that takes no two pieces in one write.
async fn piece_by_piece(pieces: &[Vec<u8>]) {
    let mut writer = Recorder::new();
    writer.is_piecewise = true;
    let message: Vec<Bytes> = pieces.iter().cloned().map(Bytes::from).collect();
    let (sender, mut queue) = mpsc::channel(1);
    sender.try_send(message.into()).expect("there is room");
    drop(sender);
    let _ = write_coalesced(&mut queue, &mut writer.clone(), 65_536).await;
    expect_bytes(
        "all bytes of a message of seven pieces, on a writer that takes one piece at a time",
        &writer.writes().concat(),
        &pieces.concat(),
        &[],
    );
}

#[test]
fn it_does_not_wait_for_company() {
    case!(
        "A lone message leaves at once, flushed, although the queue stays open and others may come.",
        || with_paused_time(async {
            let writer = Recorder::new();
            let (sender, mut queue) = mpsc::channel(10);
            let mut target = writer.clone();
            let task =
                tokio::spawn(async move { write_coalesced(&mut queue, &mut target, 65_536).await });
            for number in 0..3 {
                let sent = Instant::now();
                let message = vec![number; 10];
                sender
                    .send(message.clone().into())
                    .await
                    .expect("the queue is open");
                tokio::time::sleep(Duration::from_secs(1)).await;
                still_running(&task);
                let seen = writer.seen.lock().expect("no thread panicked with it");
                match seen.writes.get(usize::from(number)) {
                    Some((bytes, _)) => expect_bytes("the write", bytes, &message, &[]),
                    None => fail("writes after one second", "one per lone message", "fewer"),
                }
                let waited = seen.writes[usize::from(number)].1 - sent;
                expect_eq("how long the message waited", waited, Duration::ZERO);
                expect("it was flushed", seen.is_flushed);
            }
        })
    );
}

fn still_running(task: &tokio::task::JoinHandle<io::Result<()>>) {
    if task.is_finished() {
        fail(
            "write_coalesced while a sender is there",
            "it waits for the next message",
            "it has ended",
        );
    }
}

#[test]
fn it_ends_when_all_senders_are_gone() {
    case!(
        "When no sender is left, it writes what is queued and ends with Ok.",
        || with_paused_time(async {
            let writer = Recorder::new();
            let three = messages(3);
            let work = write_all(&three, writer.clone(), 65_536);
            let ended = tokio::time::timeout(Duration::from_secs(60), work).await;
            expect("it ended within a minute", ended.is_ok());
            expect("it ended with Ok", ended.is_ok_and(|result| result.is_ok()));
            let (got, expected) = (writer.writes().concat(), messages(3).concat());
            expect_bytes("what was still queued", &got, &expected, &[]);
        })
    );
}

#[test]
fn an_error_of_the_writer_comes_out() {
    case!(
        "When the connection breaks, the error comes out: the owner of the connection must know.",
        || with_paused_time(async {
            let mut writer = Recorder::new();
            writer.fails = true;
            let result = write_all(&messages(3), writer, 65_536).await;
            let kind = result.map_err(|error| error.kind());
            expect_eq("the result", kind, Err(io::ErrorKind::BrokenPipe));
        })
    );
}

#[test]
fn an_error_of_the_flush_comes_out() {
    case!(
        "A writer with a buffer of its own may fail only when it is flushed; that is an error of the connection, too.",
        || with_paused_time(async {
            let mut writer = Recorder::new();
            writer.flush_fails = true;
            let result = write_all(&messages(3), writer, 65_536).await;
            let kind = result.map_err(|error| error.kind());
            expect_eq("the result", kind, Err(io::ErrorKind::BrokenPipe));
        })
    );
}

#[test]
fn a_stuck_writer_leaves_the_queue_its_bound() {
    case!(
        "While the peer takes nothing, the queue fills up and stops the senders: only one batch has left it.",
        || with_paused_time(async {
            let mut writer = Recorder::new();
            writer.is_stuck = true;
            let (sender, mut queue) = mpsc::channel(50);
            let task =
                tokio::spawn(async move { write_coalesced(&mut queue, &mut writer, 100).await });
            let mut sent = 0;
            let message = b"message000".to_vec();
            while sent < 1_000
                && tokio::time::timeout(Duration::from_secs(1), sender.send(message.clone().into()))
                    .await
                    .is_ok()
            {
                sent += 1;
            }
            still_running(&task);
            let what = format!(
                "a queue for 50 messages and a batch of 10 take 60 messages at most (they took {sent})"
            );
            expect(&what, sent <= 60);
        })
    );
}
