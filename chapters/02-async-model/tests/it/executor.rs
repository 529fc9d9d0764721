//! Futures that hand each other something, with real threads.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use async_model::Executor;

/// Far more than any of this takes.
const PATIENCE: Duration = Duration::from_secs(10);

/// One value on its way from a thread to a future.
#[derive(Default)]
struct Handed {
    state: Mutex<(Option<u64>, Option<Waker>)>,
}

impl Handed {
    fn put(&self, value: u64) {
        let waker = {
            let mut state = self.state.lock().expect("nothing panics under this lock");
            state.0 = Some(value);
            state.1.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    async fn take(&self) -> u64 {
        poll_fn(|context| {
            let mut state = self.state.lock().expect("nothing panics under this lock");
            match state.0.take() {
                Some(value) => Poll::Ready(value),
                None => {
                    state.1 = Some(context.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }
}

/// Four threads, each with fifty values for fifty futures, at whatever moment.
#[test]
fn every_value_arrives_whatever_thread_it_comes_from() {
    let mut executor = Executor::new();
    let slots: Vec<Arc<Handed>> = (0..200).map(|_| Arc::default()).collect();
    let (sum, sums) = mpsc::channel();
    for slot in &slots {
        let (slot, sum) = (Arc::clone(slot), sum.clone());
        executor.spawn(async move {
            let value = slot.take().await;
            sum.send(value).unwrap();
        });
    }
    drop(sum);
    let threads: Vec<_> = (0..4)
        .map(|first| {
            let slots = slots.clone();
            thread::spawn(move || {
                for number in (first..slots.len()).step_by(4) {
                    slots[number].put(number as u64);
                }
            })
        })
        .collect();
    assert_eq!(executor.run(PATIENCE), 0);
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
    assert_eq!(sums.iter().sum::<u64>(), (0..200).sum::<u64>());
}

#[test]
fn it_gives_up_on_a_task_that_is_never_woken() {
    let mut executor = Executor::new();
    executor.spawn(std::future::pending());
    executor.spawn(async {});
    assert_eq!(executor.run(Duration::ZERO), 1);
    assert_eq!(executor.len(), 1);
    assert!(!executor.is_empty());
}
