//! The three styles do the same.

use std::collections::VecDeque;
use std::future::ready;
use std::sync::{Arc, Mutex, mpsc};

use async_model::Executor;
use async_model::transfer::{
    Account, AddError, BlockingAccounts, CallbackAccounts, CallbackBank, Done, FutureAccounts,
    RunsWork, Transfer, TransferError, Transferred, transfer_blocking, transfer_future,
    transfer_with_callbacks,
};
use proptest::prelude::*;

type Added = Result<(), AddError>;

/// Answers from a list, and writes down what it was asked.
#[derive(Default)]
struct Scripted {
    answers: Mutex<VecDeque<Added>>,
    calls: Mutex<Vec<(Account, i64)>>,
}

impl Scripted {
    fn new(answers: &[Added]) -> Arc<Scripted> {
        Arc::new(Scripted {
            answers: Mutex::new(answers.iter().copied().collect()),
            calls: Mutex::default(),
        })
    }

    fn answer(&self, account: Account, amount: i64) -> Added {
        self.calls
            .lock()
            .expect("nothing panics under this lock")
            .push((account, amount));
        self.answers
            .lock()
            .expect("nothing panics under this lock")
            .pop_front()
            .unwrap_or(Ok(()))
    }
}

impl BlockingAccounts for Scripted {
    fn add(&self, account: Account, amount: i64) -> Added {
        self.answer(account, amount)
    }
}

impl FutureAccounts for Scripted {
    fn add(&self, account: Account, amount: i64) -> impl Future<Output = Added> + Send {
        ready(self.answer(account, amount))
    }
}

impl CallbackAccounts for Scripted {
    fn add(&self, account: Account, amount: i64, done: Done<Added>) {
        done(self.answer(account, amount));
    }
}

/// Runs all work in one thread, in order, until no more can come.
struct OneThread(mpsc::Sender<Box<dyn FnOnce() + Send>>);

impl RunsWork for OneThread {
    fn run(&self, work: Box<dyn FnOnce() + Send>) {
        let _ = self.0.send(work);
    }
}

fn with_callbacks(accounts: Arc<Scripted>, transfer: Transfer) -> Transferred {
    let (sender, work) = mpsc::channel::<Box<dyn FnOnce() + Send>>();
    let bank = CallbackBank {
        accounts,
        executor: Arc::new(OneThread(sender)),
    };
    let (ended, ends) = mpsc::channel();
    let done = Box::new(move |result| ended.send(result).expect("the test listens"));
    transfer_with_callbacks(&bank, transfer, done);
    drop(bank);
    work.iter().for_each(|work| work());
    let result = ends.recv().expect("the transfer ends");
    assert!(ends.recv().is_err(), "`done` is called once");
    result
}

fn with_futures(accounts: Arc<Scripted>, transfer: Transfer) -> Transferred {
    let mut executor = Executor::new();
    let (ended, ends) = mpsc::channel();
    executor.spawn(async move {
        ended
            .send(transfer_future(&*accounts, transfer).await)
            .expect("the test listens");
    });
    executor.run_ready();
    ends.recv().expect("the transfer ends")
}

fn answer() -> impl Strategy<Value = Added> {
    prop_oneof![
        Just(Ok(())),
        Just(Err(AddError::NoSuchAccount)),
        Just(Err(AddError::NotEnough)),
        Just(Err(AddError::Unavailable)),
    ]
}

proptest! {
    #[test]
    fn the_three_styles_make_the_same_calls_and_end_in_the_same_way(
        answers in prop::collection::vec(answer(), 6),
        amount in any::<u32>(),
    ) {
        let transfer = Transfer { from: Account(1), to: Account(2), amount };
        let blocking = Scripted::new(&answers);
        let expected = transfer_blocking(&*blocking, transfer);
        let calls = blocking.calls.lock().expect("nothing panics under this lock").clone();
        let callbacks = Scripted::new(&answers);
        prop_assert_eq!(with_callbacks(Arc::clone(&callbacks), transfer), expected);
        prop_assert_eq!(&*callbacks.calls.lock().expect("nothing panics under this lock"), &calls);
        let futures = Scripted::new(&answers);
        prop_assert_eq!(with_futures(Arc::clone(&futures), transfer), expected);
        prop_assert_eq!(&*futures.calls.lock().expect("nothing panics under this lock"), &calls);
    }

    /// What was taken and what was added, by the answers, together with what is owed, is nothing.
    #[test]
    fn no_money_is_lost(answers in prop::collection::vec(answer(), 6), amount in any::<u32>()) {
        let transfer = Transfer { from: Account(1), to: Account(2), amount };
        let accounts = Scripted::new(&answers);
        let result = transfer_blocking(&*accounts, transfer);
        let calls = accounts.calls.lock().expect("nothing panics under this lock");
        let moved = calls.iter().zip(&answers).filter(|(_, answer)| answer.is_ok());
        let sum: i64 = moved.map(|((_, amount), _)| *amount).sum();
        let owed = match result {
            Err(TransferError::Owed { to, amount, .. }) => {
                prop_assert_eq!(to, Account(1));
                i64::from(amount)
            }
            _ => 0,
        };
        prop_assert_eq!(sum + owed, 0);
    }
}
