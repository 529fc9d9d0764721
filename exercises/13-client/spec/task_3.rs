//! A connection that is made again.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_model::Clock;
use spec_harness::{case, expect, expect_eq, fail};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::part::{Backoff, Session, keep_connected};

const BACKOFF: Backoff = Backoff {
    first: Duration::from_millis(100),
    max: Duration::from_millis(300),
};

/// Why a dial of the script failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Refused(u32);

/// The client's end of a stream in memory.
#[derive(Debug)]
struct Stream {
    /// Which dial made it, from 1.
    number: u32,
    end: tokio::sync::Mutex<DuplexStream>,
}

impl Session for Stream {
    /// Reading finds out whether the broker's end is gone.
    fn is_closed(&self) -> bool {
        let Ok(mut end) = self.end.try_lock() else {
            return false;
        };
        let mut byte = [0];
        let mut read = std::pin::pin!(end.read(&mut byte));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        matches!(
            read.as_mut().poll(&mut context),
            std::task::Poll::Ready(Ok(0))
        )
    }
}

/// A broker that takes connections, or refuses them, as a script says.
struct Broker {
    /// Per dial how long it takes, and whether it succeeds; then it succeeds at once.
    script: VecDeque<(u64, bool)>,
    /// The broker's ends of the streams, by dial.
    streams: Vec<Option<DuplexStream>>,
    /// When each dial began, in milliseconds.
    dials: Vec<u64>,
    /// Dials that run; and the most that ever ran at a time.
    running: (u32, u32),
}

/// What a case plays with.
struct Play {
    clock: Clock,
    broker: Arc<Mutex<Broker>>,
    wants: mpsc::Sender<oneshot::Sender<Result<Arc<Stream>, Refused>>>,
    task: JoinHandle<()>,
}

/// A call that wants the stream.
type Call = oneshot::Receiver<Result<Arc<Stream>, Refused>>;

impl Play {
    fn new(script: &[(u64, bool)]) -> Play {
        let clock = Clock::start();
        let broker = Arc::new(Mutex::new(Broker {
            script: script.iter().copied().collect(),
            streams: Vec::new(),
            dials: Vec::new(),
            running: (0, 0),
        }));
        let (wants, wanted) = mpsc::channel(8);
        let dialled = Arc::clone(&broker);
        let dial = move || dial(Arc::clone(&dialled), clock);
        let task = tokio::spawn(keep_connected(wanted, dial, BACKOFF, clock, || 1.0));
        Play {
            clock,
            broker,
            wants,
            task,
        }
    }

    /// Begins a call.
    fn call(&self) -> Call {
        let (want, stream) = oneshot::channel();
        match self.wants.try_send(want) {
            Ok(()) => stream,
            Err(error) => fail("a call", "its want is taken in", &error.to_string()),
        }
    }

    /// How a call ends within a minute: the number of the dial that made its stream.
    async fn end(&self, call: Call) -> Result<u32, u32> {
        let minute = Duration::from_secs(60);
        match tokio::time::timeout(minute, call).await {
            Ok(Ok(Ok(stream))) => Ok(stream.number),
            Ok(Ok(Err(refused))) => Err(refused.0),
            other => fail("a call", "an end within a minute", &format!("{other:?}")),
        }
    }

    /// The broker closes the stream that a dial has made.
    fn close(&self, number: usize) {
        self.broker().streams[number - 1] = None;
    }

    async fn pass(&self, millis: u64) {
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }

    fn now(&self) -> u64 {
        millis(self.clock)
    }

    fn dials(&self) -> Vec<u64> {
        self.broker().dials.clone()
    }

    fn broker(&self) -> std::sync::MutexGuard<'_, Broker> {
        self.broker.lock().expect("no thread panicked with it")
    }
}

fn millis(clock: Clock) -> u64 {
    let now = clock.now().since(message_model::Moment::START);
    u64::try_from(now.as_millis()).expect("a short time")
}

async fn dial(broker: Arc<Mutex<Broker>>, clock: Clock) -> Result<Stream, Refused> {
    let ((takes, succeeds), number) = {
        let mut broker = broker.lock().expect("no thread panicked with it");
        broker.dials.push(millis(clock));
        broker.running.0 += 1;
        broker.running.1 = broker.running.1.max(broker.running.0);
        let number = u32::try_from(broker.dials.len()).expect("a few");
        (broker.script.pop_front().unwrap_or((0, true)), number)
    };
    tokio::time::sleep(Duration::from_millis(takes)).await;
    let mut broker = broker.lock().expect("no thread panicked with it");
    broker.running.0 -= 1;
    if !succeeds {
        broker.streams.push(None);
        return Err(Refused(number));
    }
    let (ours, theirs) = duplex(64);
    broker.streams.push(Some(theirs));
    Ok(Stream {
        number,
        end: tokio::sync::Mutex::new(ours),
    })
}

/// Runs a case in a runtime whose time is paused: sleeping takes none.
fn paused(case: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    runtime.expect("a runtime starts").block_on(case);
}

#[test]
fn nothing_is_dialled_before_a_call() {
    case!(
        "A connection that no call has asked for is not made.",
        || {
            paused(async {
                let play = Play::new(&[]);
                play.pass(1_000).await;
                expect_eq("dials without a call", play.dials(), vec![]);
                let call = play.call();
                expect_eq(
                    "the first call gets the stream of dial",
                    play.end(call).await,
                    Ok(1),
                );
                expect_eq("dials began at (ms)", play.dials(), vec![1_000]);
            });
        }
    );
}

#[test]
fn a_stream_that_lives_is_for_all() {
    case!(
        "While the stream lives, each call gets it at once, and it carries bytes.",
        || {
            paused(async {
                let play = Play::new(&[(50, true)]);
                let first = play.call().await;
                let Ok(Ok(stream)) = first else {
                    fail("the first call", "a stream", &format!("{first:?}"))
                };
                for _ in 0..3 {
                    let call = play.call();
                    expect_eq(
                        "a later call gets the stream of dial",
                        play.end(call).await,
                        Ok(1),
                    );
                }
                expect_eq("all ended at (ms)", play.now(), 50);
                let mut ours = stream.end.lock().await;
                let written = ours.write_all(b"ask").await;
                expect("the stream takes bytes", written.is_ok());
                let theirs = play.broker().streams[0].take();
                let mut theirs = theirs.expect("the broker has its end");
                let mut bytes = [0; 3];
                let read = theirs.read_exact(&mut bytes).await;
                expect("the broker reads them", read.is_ok() && bytes == *b"ask");
            });
        }
    );
}

#[test]
fn calls_that_wait_share_one_dial() {
    case!(
        "Calls that come while a dial runs wait for it, and all of them get what it brings.",
        || {
            paused(async {
                for succeeds in [true, false] {
                    let play = Play::new(&[(50, succeeds)]);
                    let mut calls = vec![play.call()];
                    for _ in 0..4 {
                        play.pass(10).await;
                        calls.push(play.call());
                    }
                    let expected = if succeeds { Ok(1) } else { Err(1) };
                    for call in calls {
                        expect_eq(
                            "a call that waited ends with dial",
                            play.end(call).await,
                            expected,
                        );
                    }
                    expect_eq("dials", play.dials().len(), 1);
                }
            });
        }
    );
}

#[test]
fn a_lost_stream_is_made_again() {
    case!(
        "After the broker has closed the stream, the next call gets another one, without a pause; before it, nothing is dialled.",
        || {
            paused(async {
                let play = Play::new(&[]);
                for number in 1..=4 {
                    let call = play.call();
                    expect_eq(
                        "the call gets the stream of dial",
                        play.end(call).await,
                        Ok(number),
                    );
                    play.close(usize::try_from(number).expect("a few"));
                    play.pass(10).await;
                    expect_eq(
                        "dials so far",
                        play.dials().len(),
                        usize::try_from(number).expect("a few"),
                    );
                }
                expect_eq("dials began at (ms)", play.dials(), vec![0, 10, 20, 30]);
            });
        }
    );
}

#[test]
fn a_failed_dial_is_followed_by_a_pause() {
    case!(
        "After a dial that failed, the next one waits: 100 ms from the failure, then 200, then 300, which is the longest. A call that comes in the pause waits too.",
        || {
            paused(async {
                let refuse = (5, false);
                let play = Play::new(&[refuse; 4]);
                for number in 1..=4 {
                    let call = play.call();
                    expect_eq("the call ends with dial", play.end(call).await, Err(number));
                }
                let call = play.call();
                expect_eq(
                    "the call gets the stream of dial",
                    play.end(call).await,
                    Ok(5),
                );
                expect_eq(
                    "dials began at (ms)",
                    play.dials(),
                    vec![0, 105, 310, 615, 920],
                );
            });
        }
    );
}

#[test]
fn a_pause_that_is_over_costs_nothing() {
    case!("A call that comes after the pause dials at once.", || {
        paused(async {
            let play = Play::new(&[(0, false)]);
            let call = play.call();
            expect_eq(
                "the first call ends with dial",
                play.end(call).await,
                Err(1),
            );
            play.pass(70).await;
            let call = play.call();
            expect_eq("a call in the pause", play.end(call).await, Ok(2));
            play.close(2);
            play.pass(500).await;
            let call = play.call();
            expect_eq("a call long after it", play.end(call).await, Ok(3));
            expect_eq("dials began at (ms)", play.dials(), vec![0, 100, 600]);
        });
    });
}

#[test]
fn success_makes_the_pauses_short_again() {
    case!("The pauses begin anew after a dial that succeeded.", || {
        paused(async {
            let script = [(0, false), (0, false), (0, true), (0, false), (0, true)];
            let play = Play::new(&script);
            for expected in [Err(1), Err(2), Ok(3)] {
                let call = play.call();
                expect_eq("the call ends with dial", play.end(call).await, expected);
            }
            play.close(3);
            for expected in [Err(4), Ok(5)] {
                let call = play.call();
                expect_eq(
                    "after the loss, the call ends with dial",
                    play.end(call).await,
                    expected,
                );
            }
            expect_eq(
                "dials began at (ms)",
                play.dials(),
                vec![0, 100, 300, 300, 400],
            );
        });
    });
}

#[test]
fn a_call_that_gives_up_stops_no_dial() {
    case!(
        "The first call gives up while its dial runs: those that wait for the same dial get its stream.",
        || {
            paused(async {
                let play = Play::new(&[(50, true)]);
                let first = play.call();
                play.pass(10).await;
                let second = play.call();
                drop(first);
                expect_eq(
                    "the second call gets the stream of dial",
                    play.end(second).await,
                    Ok(1),
                );
                expect_eq("it ended at (ms)", play.now(), 50);
                expect_eq("the most dials at a time", play.broker().running.1, 1);
            });
        }
    );
}

#[test]
fn nothing_is_dialled_for_calls_that_gave_up() {
    case!(
        "A pause in which all calls gave up is followed by no dial. The next call dials, and so does one of several that did not give up.",
        || {
            paused(async {
                let play = Play::new(&[(0, false)]);
                let call = play.call();
                expect_eq(
                    "the first call ends with dial",
                    play.end(call).await,
                    Err(1),
                );
                let gone = play.call();
                play.pass(10).await;
                drop(gone);
                play.pass(500).await;
                expect_eq("dials after a pause without calls", play.dials(), vec![0]);
                let gone = play.call();
                let stays = play.call();
                drop(gone);
                expect_eq(
                    "a call behind one that gave up",
                    play.end(stays).await,
                    Ok(2),
                );
                expect_eq("dials began at (ms)", play.dials(), vec![0, 510]);
            });
        }
    );
}

#[test]
fn it_ends_with_its_callers() {
    case!(
        "When all senders are gone it returns, and drops the stream.",
        || {
            paused(async {
                let play = Play::new(&[]);
                let call = play.call();
                expect_eq(
                    "the call gets the stream of dial",
                    play.end(call).await,
                    Ok(1),
                );
                let Play {
                    wants,
                    task,
                    broker,
                    ..
                } = play;
                drop(wants);
                let ended = tokio::time::timeout(Duration::from_secs(60), task).await;
                expect("it has returned within a minute", ended.is_ok());
                let theirs = broker.lock().expect("no thread panicked with it").streams[0].take();
                let mut theirs = theirs.expect("the broker has its end");
                let read = theirs.read(&mut [0]).await;
                expect(
                    "the broker sees the end of the stream",
                    matches!(read, Ok(0)),
                );
            });
        }
    );
}
