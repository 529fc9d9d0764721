//! Fetching ahead.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use message_model::Offset;
use spec_harness::{case, expect, expect_eq};
use tokio::time::{Instant, sleep, timeout};

use super::part::{Chunk, FetchBuffer, Fetched, Want, fetch_loop};

/// What records are here: their text.
type Buffer = FetchBuffer<&'static str, String>;

const PAUSE: Duration = Duration::from_millis(100);
/// How long the broker waits for new records.
const MAX_WAIT: Duration = Duration::from_millis(500);

/// When a request came, and for what.
type Request = (Duration, Vec<Want<&'static str>>);

/// A broker in memory. Each record is one byte; an answer brings up to `size` of a
/// partition, and takes `takes`.
#[derive(Clone)]
struct Broker {
    ends: Rc<RefCell<BTreeMap<&'static str, i64>>>,
    /// Each request: when it came, and for what.
    asked: Rc<RefCell<Vec<Request>>>,
    is_down: Rc<RefCell<bool>>,
    started: Instant,
    size: i64,
    takes: Duration,
}

impl Broker {
    fn new(ends: &[(&'static str, i64)], size: i64) -> Broker {
        Broker {
            ends: Rc::new(RefCell::new(ends.iter().copied().collect())),
            asked: Rc::default(),
            is_down: Rc::default(),
            started: Instant::now(),
            size,
            takes: Duration::from_millis(10),
        }
    }

    async fn fetch(
        self,
        wants: Vec<Want<&'static str>>,
    ) -> Option<Vec<Fetched<&'static str, String>>> {
        let now = self.started.elapsed();
        self.asked.borrow_mut().push((now, wants.clone()));
        sleep(self.takes).await;
        if *self.is_down.borrow() {
            return None;
        }
        let fetched = self.answers(wants.clone());
        if !fetched.is_empty() {
            return Some(fetched);
        }
        sleep(MAX_WAIT).await;
        Some(self.answers(wants))
    }

    fn answers(&self, wants: Vec<Want<&'static str>>) -> Vec<Fetched<&'static str, String>> {
        let answer = |want: Want<&'static str>| {
            let Some(end) = self.ends.borrow().get(want.partition).copied() else {
                return Some(Fetched {
                    want,
                    records: "no such partition".to_owned(),
                    bytes: 0,
                    next: None,
                });
            };
            let to = end.min(want.from.0 + self.size);
            let count = usize::try_from(to - want.from.0).ok()?;
            (count > 0).then(|| Fetched {
                records: format!("{}..{to}", want.from),
                bytes: count,
                next: Some(Offset(to)),
                want,
            })
        };
        wants.into_iter().filter_map(answer).collect()
    }

    fn requests(&self) -> usize {
        self.asked.borrow().len()
    }
}

/// Runs `body` beside a loop that fetches from `broker`, which is node 1. Time passes only
/// while all of it waits.
fn beside_loop<F: Future<Output = ()>>(
    ends: &[(&'static str, i64)],
    size: i64,
    bytes_max: usize,
    body: impl FnOnce(Rc<Buffer>, Broker) -> F,
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let broker = Broker::new(ends, size);
        let buffer = Rc::new(Buffer::new(bytes_max));
        let serve = fetch_loop(&buffer, 1, PAUSE, |wants| broker.clone().fetch(wants));
        let play = async {
            body(buffer.clone(), broker.clone()).await;
            buffer.close();
            Instant::now()
        };
        let both = async { tokio::join!(serve, play) };
        let ((), closed) = timeout(Duration::from_secs(3600), both)
            .await
            .expect("the case, and the loop, end within an hour of paused time");
        expect_eq(
            "time from the close to the end of the loop",
            closed.elapsed(),
            Duration::ZERO,
        );
    });
}

fn text(chunk: Option<Chunk<&'static str, String>>) -> String {
    chunk.map_or("nothing".to_owned(), |chunk| {
        format!("{} {}", chunk.partition, chunk.records)
    })
}

/// Waits until nothing happens any more, except for requests that wait at the broker.
async fn settle() {
    sleep(Duration::from_millis(200)).await;
}

#[test]
fn records_come() {
    case!(
        "What the partition has comes, in order, fetch by fetch.",
        || {
            beside_loop(&[("a", 25)], 10, 1000, |buffer, _| async move {
                buffer.add("a", 1, Offset(0));
                for expected in ["a 0..10", "a 10..20", "a 20..25"] {
                    expect_eq("take", text(buffer.take().await), expected.to_owned());
                }
            });
        }
    );
}

#[test]
fn it_fetches_ahead() {
    case!(
        "While the application is busy with one answer the next ones are fetched: they are there when it asks.",
        || {
            beside_loop(&[("a", 30)], 10, 1000, |buffer, _| async move {
                buffer.add("a", 1, Offset(0));
                let _first = buffer.take().await;
                settle().await;
                let now = Instant::now();
                expect_eq("take", text(buffer.take().await), "a 10..20".to_owned());
                expect_eq("take", text(buffer.take().await), "a 20..30".to_owned());
                expect_eq("time that it took", now.elapsed(), Duration::ZERO);
            });
        }
    );
}

#[test]
fn it_stops_at_the_bound() {
    case!(
        "With 30 bytes allowed and answers of 10, an application that takes nothing makes it stop at three answers; it goes on when there is room.",
        || {
            beside_loop(&[("a", 1000)], 10, 30, |buffer, broker| async move {
                buffer.add("a", 1, Offset(0));
                sleep(Duration::from_secs(60)).await;
                expect_eq("bytes that wait", buffer.bytes(), 30);
                expect_eq("requests", broker.requests(), 3);
                let _one = buffer.take().await;
                settle().await;
                expect_eq("bytes that wait", buffer.bytes(), 30);
                expect_eq("requests", broker.requests(), 4);
            });
        }
    );
}

#[test]
fn it_asks_for_nothing_while_nothing_is_wanted() {
    case!(
        "Without partitions nothing is asked. A partition that comes later is fetched at once, without a wait.",
        || {
            beside_loop(&[("a", 5)], 10, 1000, |buffer, broker| async move {
                sleep(Duration::from_secs(60)).await;
                expect_eq("requests", broker.requests(), 0);
                buffer.add("other", 2, Offset(0));
                settle().await;
                expect_eq(
                    "requests for another broker's partition",
                    broker.requests(),
                    0,
                );
                sleep(PAUSE / 3).await;
                let now = Instant::now();
                buffer.add("a", 1, Offset(0));
                expect_eq("take", text(buffer.take().await), "a 0..5".to_owned());
                expect_eq("time that it took", now.elapsed(), broker.takes);
            });
        }
    );
}

#[test]
fn a_seek_drops_what_was_fetched() {
    case!(
        "After a seek nothing comes that was fetched for the old place, neither what waited nor what was on its way.",
        || {
            beside_loop(&[("a", 100)], 10, 1000, |buffer, broker| async move {
                buffer.add("a", 1, Offset(0));
                settle().await;
                expect("answers wait", buffer.bytes() > 10);
                buffer.seek(&"a", Offset(70));
                expect_eq("bytes that wait", buffer.bytes(), 0);
                expect_eq("take", text(buffer.take().await), "a 70..80".to_owned());
                // Now one is on its way again, and one moment later it is of no use.
                sleep(broker.takes / 2).await;
                buffer.seek(&"a", Offset(33));
                expect_eq("take", text(buffer.take().await), "a 33..43".to_owned());
                expect_eq("take", text(buffer.take().await), "a 43..53".to_owned());
            });
        }
    );
}

#[test]
fn a_seek_to_the_same_place() {
    case!(
        "A seek to where a fetch on its way began makes that answer stale too: everything from the seek on comes once.",
        || {
            beside_loop(&[("a", 30)], 10, 1000, |buffer, broker| async move {
                buffer.add("a", 1, Offset(0));
                sleep(broker.takes / 2).await;
                buffer.seek(&"a", Offset(20));
                buffer.seek(&"a", Offset(0));
                for expected in ["a 0..10", "a 10..20", "a 20..30"] {
                    expect_eq("take", text(buffer.take().await), expected.to_owned());
                }
                expect_eq(
                    "nothing comes twice",
                    text(buffer.try_take()),
                    "nothing".to_owned(),
                );
            });
        }
    );
}

/// An answer to `want`, with ten records whose text is `records`.
fn answer(want: &Want<&'static str>, records: &str) -> Fetched<&'static str, String> {
    Fetched {
        records: records.to_owned(),
        bytes: 10,
        next: Some(want.from.plus(10)),
        want: want.clone(),
    }
}

/// What broker `node` is to be asked for of the only partition.
fn wanted(buffer: &Buffer, node: i32) -> Want<&'static str> {
    let wants = buffer.wants(node);
    expect_eq("how many partitions are wanted", wants.len(), 1);
    wants[0].clone()
}

#[test]
fn away_and_back_at_the_same_offset() {
    case!(
        "A seek away and back, or a partition that is removed and added again, is at the same offset as before. But the topic may be another one by now, so the answer from before is dropped.",
        || {
            let buffer = Buffer::new(1000);
            buffer.add("a", 1, Offset(0));
            let before = wanted(&buffer, 1);
            buffer.seek(&"a", Offset(70));
            buffer.seek(&"a", Offset(0));
            buffer.put(vec![answer(&before, "from before the seeks")]);
            let what = "take after the seeks";
            expect_eq(what, text(buffer.try_take()), "nothing".to_owned());
            let before = wanted(&buffer, 1);
            buffer.remove(&"a");
            buffer.add("a", 1, Offset(0));
            buffer.put(vec![answer(&before, "from before the removal")]);
            let what = "take after the removal";
            expect_eq(what, text(buffer.try_take()), "nothing".to_owned());
            buffer.put(vec![answer(&wanted(&buffer, 1), "now")]);
            expect_eq("take then", text(buffer.try_take()), "a now".to_owned());
            buffer.add("b", 1, Offset(0));
            let wants = buffer.wants(1);
            expect_eq("how many partitions are wanted", wants.len(), 2);
            buffer.put(wants.iter().map(|want| answer(want, "both")).collect());
            buffer.seek(&"a", Offset(90));
            let what = "take after a seek of `a`: what waits for `b`";
            expect_eq(what, text(buffer.try_take()), "b both".to_owned());
            let what = "take, and no more of `a`";
            expect_eq(what, text(buffer.try_take()), "nothing".to_owned());
        }
    );
}

#[test]
fn a_leader_that_moves_during_a_fetch() {
    case!(
        "The leader moves while a fetch is on its way. So two brokers are asked for the same offsets, and both answer. The records come once.",
        || {
            for first in [0, 1] {
                let buffer = Buffer::new(1000);
                buffer.add("a", 1, Offset(0));
                let old = wanted(&buffer, 1);
                buffer.set_node(&"a", 2);
                let new = wanted(&buffer, 2);
                let mut answers = [answer(&old, "0..10"), answer(&new, "0..10")];
                answers.rotate_left(first);
                for answer in answers {
                    buffer.put(vec![answer]);
                }
                expect_eq("take", text(buffer.try_take()), "a 0..10".to_owned());
                let again = text(buffer.try_take());
                expect_eq("take a second time", again, "nothing".to_owned());
                let next = wanted(&buffer, 2);
                expect_eq("the next fetch begins at", next.from, Offset(10));
            }
        }
    );
}

#[test]
fn a_change_during_a_fetch() {
    case!(
        "A change of the buffer does not end a fetch that is on its way: with many changes nothing would ever arrive.",
        || {
            beside_loop(&[("a", 5)], 10, 1000, |buffer, broker| async move {
                buffer.add("a", 1, Offset(0));
                for _ in 0..4 {
                    sleep(broker.takes / 5).await;
                    buffer.set_paused(&"b", true);
                }
                expect_eq("requests after four changes", broker.requests(), 1);
                expect_eq("take", text(buffer.take().await), "a 0..5".to_owned());
            });
        }
    );
}

#[test]
fn a_seek_of_a_paused_partition() {
    case!("A paused partition stays paused when it seeks.", || {
        beside_loop(&[("a", 20)], 10, 1000, |buffer, broker| async move {
            buffer.add("a", 1, Offset(0));
            buffer.set_paused(&"a", true);
            buffer.seek(&"a", Offset(5));
            settle().await;
            expect_eq("requests while it is paused", broker.requests(), 0);
            buffer.set_paused(&"a", false);
            expect_eq("take", text(buffer.take().await), "a 5..15".to_owned());
        });
    });
}

#[test]
fn a_partition_that_is_gone_or_came_back() {
    case!(
        "An answer for a partition that was removed meanwhile is dropped, also if it has come back.",
        || {
            beside_loop(&[("a", 30)], 10, 1000, |buffer, broker| async move {
                buffer.add("a", 1, Offset(0));
                sleep(broker.takes / 2).await;
                buffer.remove(&"a");
                settle().await;
                expect_eq("gone", text(buffer.try_take()), "nothing".to_owned());
                buffer.add("a", 1, Offset(0));
                sleep(broker.takes / 2).await;
                buffer.remove(&"a");
                buffer.add("a", 1, Offset(15));
                expect_eq("back", text(buffer.take().await), "a 15..25".to_owned());
            });
        }
    );
}

#[test]
fn a_paused_partition() {
    case!(
        "A paused partition is not asked for and not taken from, and loses nothing of what waits: after resume it goes on where it was.",
        || {
            beside_loop(
                &[("a", 20), ("b", 20)],
                10,
                1000,
                |buffer, broker| async move {
                    buffer.add("a", 1, Offset(0));
                    settle().await;
                    buffer.set_paused(&"a", true);
                    buffer.add("b", 1, Offset(0));
                    expect_eq("take", text(buffer.take().await), "b 0..10".to_owned());
                    expect_eq("take", text(buffer.take().await), "b 10..20".to_owned());
                    let asked = broker.requests();
                    sleep(MAX_WAIT * 4).await;
                    let late = broker.asked.borrow()[asked..].to_vec();
                    let for_a =
                        |(_, wants): &Request| wants.iter().any(|want| want.partition == "a");
                    expect("no request is for a", !late.iter().any(for_a));
                    expect_eq("paused", text(buffer.try_take()), "nothing".to_owned());
                    buffer.set_paused(&"a", false);
                    expect_eq("take", text(buffer.take().await), "a 0..10".to_owned());
                    expect_eq("take", text(buffer.take().await), "a 10..20".to_owned());
                },
            );
        }
    );
}

#[test]
fn partitions_take_turns() {
    case!(
        "A partition with much does not keep one with little waiting.",
        || {
            beside_loop(&[("a", 1000), ("b", 10)], 10, 100, |buffer, _| async move {
                buffer.add("a", 1, Offset(0));
                settle().await;
                buffer.add("b", 1, Offset(0));
                let mut seen = Vec::new();
                for _ in 0..12 {
                    seen.push(text(buffer.take().await));
                }
                expect(
                    "b is among the first twelve",
                    seen.contains(&"b 0..10".to_owned()),
                );
            });
        }
    );
}

#[test]
fn a_partition_takes_its_share() {
    case!(
        "With two partitions and 100 bytes allowed, one of them that has much is fetched ahead up to 50: there is room left for the other one.",
        || {
            beside_loop(&[("a", 1000)], 10, 100, |buffer, _| async move {
                buffer.add("a", 1, Offset(0));
                buffer.add("b", 2, Offset(0));
                sleep(Duration::from_secs(60)).await;
                expect_eq("bytes that wait", buffer.bytes(), 50);
            });
        }
    );
}

#[test]
fn a_leader_that_moves() {
    case!(
        "A partition whose leader becomes another broker is asked for there, from where it was.",
        || {
            beside_loop(&[("a", 20)], 10, 1000, |buffer, broker| async move {
                buffer.add("a", 2, Offset(10));
                settle().await;
                expect_eq("requests to this broker", broker.requests(), 0);
                buffer.set_node(&"a", 1);
                expect_eq("take", text(buffer.take().await), "a 10..20".to_owned());
                buffer.set_node(&"a", 2);
                sleep(MAX_WAIT * 2).await;
                let asked = broker.requests();
                sleep(Duration::from_secs(60)).await;
                expect_eq("requests when it has moved on", broker.requests(), asked);
            });
        }
    );
}

#[test]
fn a_broker_that_cannot_be_asked() {
    case!(
        "While the broker cannot be asked, the loop waits for the pause between two tries, and goes on when the broker is back.",
        || {
            beside_loop(&[("a", 10)], 10, 1000, |buffer, broker| async move {
                *broker.is_down.borrow_mut() = true;
                buffer.add("a", 1, Offset(0));
                sleep((PAUSE + broker.takes) * 10 - Duration::from_millis(1)).await;
                expect_eq("tries", broker.requests(), 10);
                *broker.is_down.borrow_mut() = false;
                expect_eq("take", text(buffer.take().await), "a 0..10".to_owned());
            });
        }
    );
}

#[test]
fn a_partition_that_cannot_be_read() {
    case!(
        "A partition that cannot be read says so once, and is not asked for again until the application seeks.",
        || {
            beside_loop(&[("b", 10)], 10, 1000, |buffer, broker| async move {
                buffer.add("a", 1, Offset(0));
                let why = "a no such partition".to_owned();
                expect_eq("take", text(buffer.take().await), why.clone());
                sleep(Duration::from_secs(60)).await;
                expect_eq("requests", broker.requests(), 1);
                broker.ends.borrow_mut().insert("a", 3);
                buffer.seek(&"a", Offset(0));
                expect_eq("take", text(buffer.take().await), "a 0..3".to_owned());
            });
        }
    );
}

#[test]
fn a_close() {
    case!(
        "A close ends the loop at once, also while the broker waits for records, and what waits in `take`.",
        || {
            beside_loop(&[("a", 0)], 10, 1000, |buffer, broker| async move {
                buffer.add("a", 1, Offset(0));
                sleep(broker.takes * 2).await;
                let closing = buffer.clone();
                let now = Instant::now();
                let close = async move { closing.close() };
                let (chunk, ()) = tokio::join!(buffer.take(), close);
                expect_eq("take", text(chunk), "nothing".to_owned());
                expect_eq("time that it took", now.elapsed(), Duration::ZERO);
            });
        }
    );
}
