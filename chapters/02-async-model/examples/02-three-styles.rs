//! How many transfers a second do four threads make, when each spends its time waiting?
//!
//! A transfer is two calls of 50 ms each. The same service three times: with a
//! thread for each transfer, with callbacks, and with futures on this chapter's
//! executor. Behind callbacks and futures is one thread with this chapter's
//! timers, which answers each call 50 ms after it was made. Takes five seconds.

use std::future::{Future, poll_fn};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use async_model::transfer::{
    Account, AddError, BlockingAccounts, CallbackAccounts, CallbackBank, Done, FutureAccounts,
    RunsWork, Transfer, transfer_blocking, transfer_future, transfer_with_callbacks,
};
use async_model::{Clock, Executor, Timers};

/// What a call takes.
const CALL: Duration = Duration::from_millis(50);
/// How many transfers are made one after the other; as many chains as are in flight.
const IN_A_ROW: usize = 5;
const TRANSFER: Transfer = Transfer {
    from: Account(1),
    to: Account(2),
    amount: 30,
};

type Added = Result<(), AddError>;
type Work = Box<dyn FnOnce() + Send>;

/// Answers each call after [`CALL`]; a clone is the same accounts.
#[derive(Clone)]
struct SlowAccounts {
    calls: Sender<Done<Added>>,
}

impl SlowAccounts {
    fn start() -> SlowAccounts {
        let (calls, incoming) = mpsc::channel::<Done<Added>>();
        thread::spawn(move || {
            let clock = Clock::start();
            let mut answers: Timers<Done<Added>> = Timers::new();
            loop {
                let wait = match answers.next_deadline() {
                    Some(deadline) => deadline.since(clock.now()),
                    None => Duration::from_secs(60),
                };
                match incoming.recv_timeout(wait) {
                    Ok(done) => drop(answers.schedule(clock.now().plus(CALL), done)),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => return,
                }
                for done in answers.expire(clock.now()) {
                    done(Ok(()));
                }
            }
        });
        SlowAccounts { calls }
    }
}

impl BlockingAccounts for SlowAccounts {
    fn add(&self, _: Account, _: i64) -> Added {
        thread::sleep(CALL);
        Ok(())
    }
}

impl CallbackAccounts for SlowAccounts {
    fn add(&self, _: Account, _: i64, done: Done<Added>) {
        // An error says that the accounts are gone; this program ends then.
        let _ = self.calls.send(done);
    }
}

// ANCHOR: future
impl FutureAccounts for SlowAccounts {
    fn add(&self, account: Account, amount: i64) -> impl Future<Output = Added> + Send {
        type Answer = (Option<Added>, Option<Waker>);
        let answer: Arc<Mutex<Answer>> = Arc::default();
        let answered = Arc::clone(&answer);
        let done = move |added| {
            let mut answered = answered.lock().unwrap_or_else(PoisonError::into_inner);
            answered.0 = Some(added);
            if let Some(waker) = answered.1.take() {
                waker.wake();
            }
        };
        CallbackAccounts::add(self, account, amount, Box::new(done));
        poll_fn(move |context| {
            let mut answer = answer.lock().unwrap_or_else(PoisonError::into_inner);
            answer.1 = Some(context.waker().clone());
            answer.0.map_or(Poll::Pending, Poll::Ready)
        })
    }
}
// ANCHOR_END: future

/// One thread that does what it is given.
struct OneThread(Sender<Work>);

impl RunsWork for OneThread {
    fn run(&self, work: Work) {
        let _ = self.0.send(work);
    }
}

fn with_threads(in_flight: usize) {
    let accounts = SlowAccounts::start();
    thread::scope(|scope| {
        for _ in 0..in_flight {
            scope.spawn(|| {
                for _ in 0..IN_A_ROW {
                    transfer_blocking(&accounts, TRANSFER).expect("these accounts never fail");
                }
            });
        }
    });
}

fn with_callbacks(in_flight: usize) {
    let (sender, work) = mpsc::channel::<Work>();
    thread::spawn(move || work.iter().for_each(|work| work()));
    let bank = CallbackBank {
        accounts: Arc::new(SlowAccounts::start()),
        executor: Arc::new(OneThread(sender)),
    };
    let (finished, finishes) = mpsc::channel();
    for _ in 0..in_flight {
        chain(bank.clone(), IN_A_ROW, finished.clone());
    }
    drop(finished);
    finishes.iter().for_each(|()| {});
}

/// What a loop becomes when its body calls back.
fn chain(bank: CallbackBank, left: usize, finished: Sender<()>) {
    if left == 0 {
        let _ = finished.send(());
        return;
    }
    let again = bank.clone();
    let done = move |_| chain(again, left - 1, finished);
    transfer_with_callbacks(&bank, TRANSFER, Box::new(done));
}

fn with_futures(in_flight: usize) {
    let accounts = SlowAccounts::start();
    let mut executor = Executor::new();
    for _ in 0..in_flight {
        let accounts = accounts.clone();
        executor.spawn(async move {
            for _ in 0..IN_A_ROW {
                let ended = transfer_future(&accounts, TRANSFER).await;
                ended.expect("these accounts never fail");
            }
        });
    }
    assert_eq!(executor.run(Duration::from_secs(10)), 0, "all have ended");
}

fn main() {
    println!("a transfer is two calls of {} ms\n", CALL.as_millis());
    println!(
        "{:22} {:>9} {:>11} {:>8} {:>12}",
        "", "threads", "in flight", "ratio", "one takes"
    );
    let clock = Clock::start();
    let mut first = None;
    for (name, threads, in_flight) in [
        ("a thread for each", 4, 4),
        ("a thread for each", 400, 400),
        ("callbacks", 2, 4),
        ("callbacks", 2, 400),
        ("callbacks", 2, 4_000),
        ("futures", 2, 4),
        ("futures", 2, 400),
        ("futures", 2, 4_000),
    ] {
        let start = clock.now();
        match name {
            "callbacks" => with_callbacks(in_flight),
            "futures" => with_futures(in_flight),
            _ => with_threads(in_flight),
        }
        let seconds = clock.now().since(start).as_secs_f64();
        let rate = (in_flight * IN_A_ROW) as f64 / seconds;
        let ratio = rate / *first.get_or_insert(rate);
        let one_takes = seconds * 1_000.0 / IN_A_ROW as f64;
        println!("{name:22} {threads:>9} {in_flight:>11} {ratio:>7.0}x {one_takes:>9.0} ms");
    }
}
