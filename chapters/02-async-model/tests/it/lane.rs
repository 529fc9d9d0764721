//! The lane: bounded, fair, and nothing is left of what was withdrawn.

use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Condvar, Mutex};
use std::task::Poll;
use std::time::Duration;

use async_model::Lane;
use proptest::prelude::*;
use tokio::task::JoinSet;

/// Ends a test that would otherwise wait for ever; no outcome depends on it.
const PATIENCE: Duration = Duration::from_secs(20);

type Run<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// What ran, in its order.
#[derive(Debug, Clone, Default)]
struct Order(Arc<Mutex<Vec<String>>>);

impl Order {
    fn push(&self, piece: String) {
        self.0.lock().expect("no piece panics here").push(piece);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().expect("no piece panics here"))
    }
}

/// Polls once: the job is in the queue then.
async fn enqueue<T>(mut run: Run<'_, T>) -> Run<'_, T> {
    let is_pending = poll_fn(|context| Poll::Ready(run.as_mut().poll(context).is_pending())).await;
    assert!(is_pending, "it has only just begun");
    run
}

/// Keeps a thread of the lane until the other half is used or dropped.
async fn hold<K>(lane: &Lane<K>, key: K) -> (mpsc::Sender<()>, Run<'_, ()>)
where
    K: Ord + Clone + Send + 'static,
{
    let (release, released) = mpsc::channel();
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let mut begun = Some(begun);
    let run = lane.run(key, move || {
        begun.take()?.send(()).ok();
        let _ = released.recv_timeout(PATIENCE);
        Some(())
    });
    let run = enqueue(Box::pin(run)).await;
    has_begun.await.expect("it runs");
    (release, run)
}

/// A job of so many pieces, which notes each one as `name` and its number.
fn job(order: &Order, name: &str, pieces: usize) -> impl FnMut() -> Option<()> + Send + 'static {
    let (order, name) = (order.clone(), name.to_owned());
    let mut done = 0;
    move || {
        done += 1;
        order.push(format!("{name}{done}"));
        (done == pieces).then_some(())
    }
}

#[tokio::test]
async fn keys_take_turns_piece_by_piece() {
    let lane = Lane::new(1);
    let order = Order::default();
    let (release, held) = hold(&lane, "held").await;
    let mut runs = Vec::new();
    for (key, name, pieces) in [("a", "a-one-", 1), ("a", "a-two-", 1), ("a", "a-three-", 1)] {
        runs.push(enqueue(Box::pin(lane.run(key, job(&order, name, pieces)))).await);
    }
    runs.push(enqueue(Box::pin(lane.run("b", job(&order, "b-", 3)))).await);
    runs.push(enqueue(Box::pin(lane.run("c", job(&order, "c-", 2)))).await);
    drop(release);
    held.await;
    for run in runs {
        run.await;
    }
    let expected = [
        "a-one-1",
        "b-1",
        "c-1",
        "a-two-1",
        "b-2",
        "c-2",
        "a-three-1",
        "b-3",
    ];
    assert_eq!(order.take(), expected);
}

#[tokio::test]
async fn inside_a_key_an_unfinished_job_goes_to_the_back() {
    let lane = Lane::new(1);
    let order = Order::default();
    let (release, held) = hold(&lane, 0).await;
    let mut runs = Vec::new();
    for (name, pieces) in [("x", 3), ("y", 1), ("z", 2)] {
        runs.push(enqueue(Box::pin(lane.run(1, job(&order, name, pieces)))).await);
    }
    drop(release);
    held.await;
    for run in runs {
        run.await;
    }
    assert_eq!(order.take(), ["x1", "y1", "z1", "x2", "z2", "x3"]);
}

/// A job that would take for ever, and another key's that comes in its middle.
#[tokio::test]
async fn a_long_job_costs_another_key_at_most_one_piece() {
    let lane = Lane::new(1);
    let pieces = Arc::new(AtomicUsize::new(0));
    let (release, released) = mpsc::channel();
    let (tenth, at_tenth) = tokio::sync::oneshot::channel();
    let mut tenth = Some(tenth);
    let counted = Arc::clone(&pieces);
    let long = lane.run("long", move || {
        if counted.fetch_add(1, Ordering::Relaxed) + 1 == 10 {
            tenth.take()?.send(()).ok();
            let _ = released.recv_timeout(PATIENCE);
        }
        None::<()>
    });
    let long = enqueue(Box::pin(long)).await;
    at_tenth.await.unwrap();
    let counted = Arc::clone(&pieces);
    let short = lane.run("short", move || Some(counted.load(Ordering::Relaxed)));
    let short = enqueue(Box::pin(short)).await;
    release.send(()).unwrap();
    assert_eq!(short.await, 10, "pieces of the long job before it");
    drop(long);
}

/// Two keys keep the lane busy for as long as the third one's job takes.
#[tokio::test]
async fn no_key_starves() {
    let lane = Arc::new(Lane::new(1));
    let (release, held) = hold(&lane, "held").await;
    let others = Arc::new(AtomicUsize::new(0));
    let mut busy = Vec::new();
    for key in ["x", "y"] {
        for _ in 0..50 {
            let others = Arc::clone(&others);
            let endless = lane.run(key, move || {
                others.fetch_add(1, Ordering::Relaxed);
                None::<()>
            });
            busy.push(enqueue(Box::pin(endless)).await);
        }
    }
    let others_then = Arc::clone(&others);
    let mut left = 100;
    let counted = lane.run("z", move || {
        left -= 1;
        (left == 0).then(|| others_then.load(Ordering::Relaxed))
    });
    let counted = enqueue(Box::pin(counted)).await;
    drop(release);
    held.await;
    assert_eq!(
        counted.await,
        200,
        "one piece of x and of y before each of z"
    );
    drop(busy);
}

/// Threads that wait for each other: fewer than the width would not meet, and
/// of more the counter would tell.
#[tokio::test]
async fn as_many_pieces_run_at_a_time_as_the_lane_is_wide() {
    const WIDTH: usize = 3;
    #[derive(Default)]
    struct Room {
        inside: usize,
        most: usize,
        entered: usize,
    }
    let lane = Arc::new(Lane::new(WIDTH));
    let room = Arc::new((Mutex::new(Room::default()), Condvar::new()));
    let mut runs = JoinSet::new();
    for key in 0..30 {
        let (lane, room) = (Arc::clone(&lane), Arc::clone(&room));
        let mut pieces = 0;
        let piece = move || {
            let (room, moved) = &*room;
            let mut guard = room.lock().unwrap();
            guard.inside += 1;
            guard.most = guard.most.max(guard.inside);
            guard.entered += 1;
            // It leaves when its group of three is complete.
            let complete = guard.entered.div_ceil(WIDTH) * WIDTH;
            moved.notify_all();
            let (mut guard, waited) = moved
                .wait_timeout_while(guard, PATIENCE, |room| room.entered < complete)
                .unwrap();
            assert!(!waited.timed_out(), "fewer run than may");
            guard.inside -= 1;
            pieces += 1;
            (pieces == 4).then_some(())
        };
        runs.spawn(async move { lane.run(key % 5, piece).await });
    }
    while let Some(run) = runs.join_next().await {
        run.unwrap();
    }
    assert_eq!(room.0.lock().unwrap().most, WIDTH);
}

#[tokio::test]
async fn a_job_that_waits_is_withdrawn_with_its_future() {
    let lane = Lane::new(1);
    let order = Order::default();
    let (release, held) = hold(&lane, 0).await;
    let owned = Arc::new(());
    let owned_by_job = Arc::clone(&owned);
    let mut note = job(&order, "withdrawn", 1);
    let withdrawn = lane.run(1, move || {
        let _owned = &owned_by_job;
        note()
    });
    let withdrawn = enqueue(Box::pin(withdrawn)).await;
    let same_key = enqueue(Box::pin(lane.run(1, job(&order, "same key", 1)))).await;
    let other_key = enqueue(Box::pin(lane.run(2, job(&order, "other key", 1)))).await;
    drop(withdrawn);
    assert_eq!(Arc::strong_count(&owned), 1, "what the job owned is free");
    drop(release);
    held.await;
    same_key.await;
    other_key.await;
    assert_eq!(order.take(), ["same key1", "other key1"]);
}

#[tokio::test]
async fn a_job_that_runs_gets_no_further_turn_when_its_future_is_dropped() {
    let lane = Lane::new(1);
    let (release, released) = mpsc::channel::<()>();
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let mut begun = Some(begun);
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let run = lane.run("a", move || {
        counted.fetch_add(1, Ordering::Relaxed);
        begun.take()?.send(()).ok();
        let _ = released.recv_timeout(PATIENCE);
        None::<()>
    });
    let run = enqueue(Box::pin(run)).await;
    has_begun.await.unwrap();
    drop(run);
    drop(release);
    // On the same thread: the piece before has ended by then.
    lane.run("a", || Some(())).await;
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    assert_eq!(Arc::strong_count(&calls), 1, "the job is dropped");
}

#[tokio::test]
async fn a_panic_goes_on_in_the_caller_and_the_lane_with_the_rest() {
    let lane = Arc::new(Lane::new(1));
    let (release, held) = hold(&lane, 0).await;
    let panicking = {
        let lane = Arc::clone(&lane);
        let mut pieces = 0;
        tokio::spawn(async move {
            let piece = move || {
                pieces += 1;
                assert!(pieces < 2, "the second piece");
                None::<()>
            };
            lane.run(1, piece).await
        })
    };
    tokio::task::yield_now().await;
    let order = Order::default();
    let same_key = enqueue(Box::pin(lane.run(1, job(&order, "a", 3)))).await;
    drop(release);
    held.await;
    let panic = panicking.await.unwrap_err().into_panic();
    assert_eq!(panic.downcast_ref(), Some(&"the second piece"));
    same_key.await;
    assert_eq!(order.take(), ["a1", "a2", "a3"]);
}

/// A piece may own a guard; when the result is there, the guard is not any more.
#[tokio::test]
async fn the_job_is_dropped_before_its_result_is_there() {
    let lane = Lane::new(1);
    for round in 0..1_000 {
        let owned = Arc::new(());
        let owned_by_job = Arc::clone(&owned);
        let returned = lane.run((), move || {
            let _owned = &owned_by_job;
            Some(round)
        });
        assert_eq!(returned.await, round);
        assert_eq!(Arc::strong_count(&owned), 1, "round {round}");
    }
}

/// A runtime that shuts down drops its tasks, and then waits for the pool's threads.
#[test]
fn a_shutdown_waits_for_one_piece_at_most() {
    const BOUND: usize = 10_000_000;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let lane = Arc::new(Lane::new(1));
    let pieces = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&pieces);
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let mut begun = Some(begun);
    let job = move || {
        if let Some(begun) = begun.take() {
            begun.send(()).ok();
        }
        (counted.fetch_add(1, Ordering::Relaxed) == BOUND).then_some(())
    };
    let running = Arc::clone(&lane);
    runtime.spawn(async move { running.run(0, job).await });
    runtime.block_on(has_begun).unwrap();
    drop(runtime);
    assert!(pieces.load(Ordering::Relaxed) < BOUND, "it ran to its end");
    assert_eq!(Arc::strong_count(&pieces), 1, "the job is dropped");
}

/// Thousands wait, half of them leave, and the rest are served.
#[tokio::test]
async fn thousands_of_jobs_are_only_entries_of_a_queue() {
    const JOBS: usize = 20_000;
    let lane = Lane::new(2);
    let (release_one, held_one) = hold(&lane, 0).await;
    let (release_two, held_two) = hold(&lane, 1).await;
    let pieces = Arc::new(AtomicUsize::new(0));
    let mut runs = Vec::new();
    for at in 0..JOBS {
        let pieces = Arc::clone(&pieces);
        let mut left = 2;
        let piece = move || {
            pieces.fetch_add(1, Ordering::Relaxed);
            left -= 1;
            (left == 0).then_some(())
        };
        runs.push(enqueue(Box::pin(lane.run(at % 1_000, piece))).await);
    }
    let mut at = 0;
    runs.retain(|_| {
        at += 1;
        at % 2 == 0
    });
    drop((release_one, release_two));
    tokio::join!(held_one, held_two);
    for run in runs {
        run.await;
    }
    assert_eq!(pieces.load(Ordering::Relaxed), JOBS);
}

#[tokio::test]
async fn a_future_that_is_never_polled_asks_for_nothing() {
    let lane = Lane::new(1);
    let order = Order::default();
    drop(lane.run(0, job(&order, "never", 1)));
    let polled = pin!(lane.run(0, job(&order, "polled", 1)));
    polled.await;
    assert_eq!(order.take(), ["polled1"]);
}

#[test]
#[should_panic(expected = "no width")]
fn a_lane_has_a_width() {
    let _ = Lane::<u8>::new(0);
}

/// The order in which the pieces of jobs run on one thread, step by step: keys in
/// a circle, jobs of a key in a circle. A key whose jobs are all withdrawn has no turn.
fn expected_order(jobs: &[(u8, usize, bool)]) -> Vec<String> {
    let mut turns = VecDeque::new();
    let mut waiting: BTreeMap<u8, VecDeque<(usize, usize)>> = BTreeMap::new();
    for (name, (key, _, is_withdrawn)) in jobs.iter().enumerate() {
        if !turns.contains(key) {
            turns.push_back(*key);
        }
        if !is_withdrawn {
            waiting.entry(*key).or_default().push_back((name, 1));
        }
    }
    turns.retain(|key| waiting.contains_key(key));
    let mut order = Vec::new();
    while let Some(key) = turns.pop_front() {
        let jobs_of_key = waiting.entry(key).or_default();
        let (name, piece) = jobs_of_key.pop_front().expect("it has a turn");
        order.push(format!("{name}-{piece}"));
        if piece < jobs[name].1 {
            jobs_of_key.push_back((name, piece + 1));
        }
        if !jobs_of_key.is_empty() {
            turns.push_back(key);
        }
    }
    order
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Jobs are (key, pieces, whether it is withdrawn).
    #[test]
    fn any_jobs_run_in_the_order_of_the_model(
        jobs in prop::collection::vec((0u8..5, 1usize..5, prop::bool::weighted(0.3)), 0..30),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let order = Order::default();
        runtime.block_on(async {
            let lane = Lane::new(1);
            let (release, held) = hold(&lane, u8::MAX).await;
            let mut runs = Vec::new();
            for (name, (key, pieces, is_withdrawn)) in jobs.iter().enumerate() {
                let job = job(&order, &format!("{name}-"), *pieces);
                runs.push((enqueue(Box::pin(lane.run(*key, job))).await, is_withdrawn));
            }
            runs.retain(|(_, is_withdrawn)| !**is_withdrawn);
            drop(release);
            held.await;
            for (run, _) in runs {
                run.await;
            }
        });
        prop_assert_eq!(order.take(), expected_order(&jobs));
    }
}

#[tokio::test]
async fn a_pool_without_threads_runs_pieces_where_it_wants() {
    type Work = Box<dyn FnOnce() + Send>;
    let waiting: Arc<Mutex<Vec<Work>>> = Arc::default();
    let pool = Arc::clone(&waiting);
    let lane = Lane::on(1, Arc::new(move |work| pool.lock().unwrap().push(work)));
    let here = || std::thread::current().id();
    let run = enqueue(Box::pin(lane.run("key", move || Some(here())))).await;
    let work = waiting.lock().unwrap().pop().unwrap();
    let run = enqueue(run).await;
    work();
    assert_eq!(run.await, here());
    assert!(waiting.lock().unwrap().is_empty(), "one thread was enough");
}
