//! The driver: it never oversleeps, and it never wakes for nothing.

use std::future::{pending, poll_fn};
use std::pin::pin;
use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_model::{Clock, Driver, Timers};
use message_model::Moment;

/// Ends a test that would otherwise wait for ever; no outcome depends on it.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many steps a driver may take here, and how often it may be polled: one that has
/// more for a few notes does not sleep.
const TURNS_MAX: u32 = 5_000;

fn at(millis: u64) -> Moment {
    Moment::after_start(Duration::from_millis(millis))
}

/// `driver.drive(step)`, but a panic after so many steps or polls.
async fn drive(driver: &Driver, turns_max: u32, mut step: impl FnMut(Moment) -> Option<Moment>) {
    let (mut steps, mut polls) = (0, 0);
    let mut driving = pin!(driver.drive(|now| {
        steps += 1;
        assert!(steps < turns_max, "it steps again and again");
        step(now)
    }));
    let poll = poll_fn(|context| {
        polls += 1;
        assert!(polls < turns_max, "it wakes itself again and again");
        driving.as_mut().poll(context)
    });
    poll.await;
}

/// A driver, the timers that it drives, and the times of its steps so far.
struct Driven {
    clock: Clock,
    driver: Driver,
    timers: Mutex<Timers<&'static str>>,
    steps: Mutex<Vec<(Moment, Vec<&'static str>)>>,
}

impl Driven {
    fn new() -> Driven {
        let clock = Clock::start();
        Driven {
            clock,
            driver: Driver::new(clock),
            timers: Mutex::default(),
            steps: Mutex::default(),
        }
    }

    fn schedule(&self, deadline: Moment, key: &'static str) {
        lock(&self.timers).schedule(deadline, key);
        self.driver.note(deadline);
    }

    fn step(&self, now: Moment) -> Option<Moment> {
        let mut timers = lock(&self.timers);
        let due = timers.expire(now);
        lock(&self.steps).push((now, due));
        timers.next_deadline()
    }

    /// Drives until `millis`, while `meanwhile` runs.
    async fn drive_until(&self, millis: u64, meanwhile: impl Future<Output = ()>) {
        let meanwhile = async {
            meanwhile.await;
            pending::<()>().await
        };
        tokio::select! {
            () = drive(&self.driver, TURNS_MAX, |now| self.step(now)) => unreachable!("it drives for ever"),
            () = meanwhile => {}
            () = self.clock.sleep_until(at(millis)) => {}
        }
    }

    fn steps(&self) -> Vec<(Moment, Vec<&'static str>)> {
        lock(&self.steps).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no other thread has panicked")
}

#[tokio::test(start_paused = true)]
async fn it_steps_at_once_and_then_at_each_deadline() {
    let driven = Driven::new();
    driven.schedule(at(30), "late");
    driven.schedule(at(10), "early");
    driven.drive_until(1_000, async {}).await;
    assert_eq!(
        driven.steps(),
        [
            (at(0), vec![]),
            (at(10), vec!["early"]),
            (at(30), vec!["late"])
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_note_of_an_earlier_deadline_shortens_the_sleep() {
    let driven = Driven::new();
    driven.schedule(at(3_600_000), "far");
    let meanwhile = async {
        driven.clock.sleep_until(at(5)).await;
        driven.schedule(at(7), "near");
    };
    driven.drive_until(1_000, meanwhile).await;
    assert_eq!(driven.steps(), [(at(0), vec![]), (at(7), vec!["near"])]);
}

#[tokio::test(start_paused = true)]
async fn a_note_ends_a_sleep_that_has_no_end() {
    let driven = Driven::new();
    let meanwhile = async {
        driven.clock.sleep_until(at(5)).await;
        driven.schedule(at(6), "first");
    };
    driven.drive_until(1_000, meanwhile).await;
    assert_eq!(driven.steps(), [(at(0), vec![]), (at(6), vec!["first"])]);
}

#[tokio::test(start_paused = true)]
async fn notes_of_later_deadlines_cause_no_step() {
    let driven = Driven::new();
    driven.schedule(at(500), "first");
    let meanwhile = async {
        for millis in 1..400 {
            driven.clock.sleep_until(at(millis)).await;
            driven.schedule(at(500 + millis), "later");
        }
    };
    driven.drive_until(499, meanwhile).await;
    assert_eq!(driven.steps(), [(at(0), vec![])]);
}

/// What is noted while a step runs, the step may have missed; so it counts,
/// whatever the step returns.
#[tokio::test(start_paused = true)]
async fn a_note_during_a_step_is_not_lost() {
    for returned in [None, Some(at(50))] {
        let clock = Clock::start();
        let driver = Driver::new(clock);
        let start = clock.now();
        let mut steps = Vec::new();
        let driving = drive(&driver, TURNS_MAX, |now| {
            if steps.is_empty() {
                driver.note(now.plus(Duration::from_millis(20)));
            }
            steps.push(now.since(start));
            (steps.len() == 1).then_some(returned).flatten()
        });
        tokio::select! {
            () = driving => unreachable!("it drives for ever"),
            () = clock.sleep_until(at(1_000)) => {}
        }
        let expected = [0, 20].map(Duration::from_millis);
        assert_eq!(steps, expected, "a step that returned {returned:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_driver_that_is_dropped_and_driven_again_has_forgotten_nothing() {
    let driven = Driven::new();
    driven.schedule(at(10), "a");
    driven.drive_until(5, async {}).await;
    driven.schedule(at(3), "b");
    driven.clock.sleep_until(at(8)).await;
    driven.drive_until(1_000, async {}).await;
    assert_eq!(
        driven.steps(),
        [(at(0), vec![]), (at(8), vec!["b"]), (at(10), vec!["a"])]
    );
}

#[tokio::test(start_paused = true)]
async fn a_deadline_beyond_all_time_is_slept_for() {
    let driven = Driven::new();
    let forever = Moment::after_start(Duration::MAX);
    driven.schedule(forever, "never");
    let meanwhile = async {
        driven.clock.sleep_until(at(5)).await;
        driven.schedule(at(7), "near");
    };
    driven.drive_until(1_000, meanwhile).await;
    assert_eq!(driven.steps(), [(at(0), vec![]), (at(7), vec!["near"])]);
}

/// A mistake of what is driven; it costs time, but stops nothing else.
#[tokio::test]
async fn steps_that_are_never_done_leave_time_for_other_tasks() {
    let driver = Driver::new(Clock::start());
    let driving = tokio::spawn(async move {
        let mut left = 1_000_000;
        let step = |now| {
            left -= 1;
            assert!(left > 0, "nothing else ever ran");
            Some(now)
        };
        driver.drive(step).await;
    });
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!driving.is_finished());
    driving.abort();
}

/// Notes come from other threads at any point between a step and the sleep
/// after it. Each is for a deadline that has passed; its thread goes on when its
/// key is due, so a lost note would be waited for in vain.
#[test]
fn no_note_is_lost_between_a_step_and_the_sleep() {
    const NOTES: u32 = 40_000;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let driver = Arc::new(Driver::new(Clock::start()));
    let timers = Arc::new(Mutex::new(Timers::<mpsc::Sender<()>>::new()));
    std::thread::scope(|scope| {
        let noting: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let (due, came) = mpsc::channel();
                    for _ in 0..NOTES / 2 {
                        lock(&timers).schedule(Moment::START, due.clone());
                        driver.note(Moment::START);
                        came.recv_timeout(PATIENCE).expect("the note was lost");
                    }
                })
            })
            .collect();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        scope.spawn(move || {
            // Goes out of scope, and so stops the driver, when all have ended.
            let _stop = stop;
            for thread in noting {
                thread.join().expect("no note was lost");
            }
        });
        let step = |now| {
            let mut timers = lock(&timers);
            for due in timers.expire(now) {
                // An error: its thread has given up, and says so itself.
                let _ = due.send(());
            }
            timers.next_deadline()
        };
        runtime.block_on(async {
            tokio::select! {
                () = drive(&driver, 5 * NOTES, step) => unreachable!("it drives for ever"),
                _ = stopped => {}
            }
        });
    });
}
