//! Moving money by two calls, each of which takes time and may fail.
//!
//! Three styles of the same service. In each, money is moved by taking it from
//! one account and then adding it to the other; if the second call fails, a
//! third one gives it back.

use std::future::Future;
use std::sync::Arc;

/// Names an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Account(pub u32);

/// What is to be moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transfer {
    /// Who pays.
    pub from: Account,
    /// Who is paid.
    pub to: Account,
    /// How much, in the smallest coin.
    pub amount: u32,
}

impl Transfer {
    /// What is added to the account that is paid, and what goes back after a failure.
    fn credit(&self) -> i64 {
        i64::from(self.amount)
    }

    /// What is added to the account that pays.
    fn debit(&self) -> i64 {
        -i64::from(self.amount)
    }
}

/// Why an account was not changed. An error says that it was not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddError {
    /// There is no such account, or it has been closed.
    NoSuchAccount,
    /// It has less than what was to be taken.
    NotEnough,
    /// Whoever keeps the accounts cannot be reached.
    Unavailable,
}

/// Where the money is after a transfer that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferError {
    /// Where it was: it could not be taken.
    NothingTaken(AddError),
    /// Where it was: it was taken, could not be paid, and was given back.
    GivenBack(AddError),
    /// In neither account: it could not be given back either. Somebody has to.
    Owed {
        /// Who paid.
        to: Account,
        /// How much.
        amount: u32,
        /// Why it could not be given back.
        why: AddError,
    },
}

/// How a transfer ended.
pub type Transferred = Result<(), TransferError>;

/// Accounts whose calls block the thread.
pub trait BlockingAccounts {
    /// Adds an amount, which may be negative.
    ///
    /// # Errors
    /// The account is as it was.
    fn add(&self, account: Account, amount: i64) -> Result<(), AddError>;
}

// ANCHOR: blocking
/// With a thread for each transfer: a thread waits while a call is under way.
///
/// # Errors
/// Says where the money is.
pub fn transfer_blocking(accounts: &impl BlockingAccounts, transfer: Transfer) -> Transferred {
    let Transfer { from, to, amount } = transfer;
    accounts
        .add(from, transfer.debit())
        .map_err(TransferError::NothingTaken)?;
    let Err(failed) = accounts.add(to, transfer.credit()) else {
        return Ok(());
    };
    Err(match accounts.add(from, transfer.credit()) {
        Ok(()) => TransferError::GivenBack(failed),
        Err(why) => TransferError::Owed {
            to: from,
            amount,
            why,
        },
    })
}
// ANCHOR_END: blocking

/// Accounts whose calls are futures.
pub trait FutureAccounts {
    /// Adds an amount, which may be negative; on an error the account is as it was.
    fn add(
        &self,
        account: Account,
        amount: i64,
    ) -> impl Future<Output = Result<(), AddError>> + Send;
}

// ANCHOR: future
/// With a future for each transfer: while a call is under way there is only its state.
///
/// # Errors
/// Says where the money is.
pub async fn transfer_future(accounts: &impl FutureAccounts, transfer: Transfer) -> Transferred {
    let Transfer { from, to, amount } = transfer;
    accounts
        .add(from, transfer.debit())
        .await
        .map_err(TransferError::NothingTaken)?;
    let Err(failed) = accounts.add(to, transfer.credit()).await else {
        return Ok(());
    };
    Err(match accounts.add(from, transfer.credit()).await {
        Ok(()) => TransferError::GivenBack(failed),
        Err(why) => TransferError::Owed {
            to: from,
            amount,
            why,
        },
    })
}
// ANCHOR_END: future

/// What is called once, with the result, when something has ended.
pub type Done<T> = Box<dyn FnOnce(T) + Send>;

/// Accounts whose calls return at once, and call back later.
pub trait CallbackAccounts: Send + Sync {
    /// Adds an amount, which may be negative, and then calls `done`, on a thread
    /// of its own choice; on an error the account is as it was.
    fn add(&self, account: Account, amount: i64, done: Done<Result<(), AddError>>);
}

/// Runs work on threads that somebody has chosen and counted.
pub trait RunsWork: Send + Sync {
    /// Takes the work in, and returns before it has run.
    fn run(&self, work: Box<dyn FnOnce() + Send>);
}

/// The callback style's surroundings; a clone means the same ones, so what runs
/// later can own one.
#[derive(Clone)]
pub struct CallbackBank {
    /// Who keeps the accounts.
    pub accounts: Arc<dyn CallbackAccounts>,
    /// Who runs everything that follows a call.
    pub executor: Arc<dyn RunsWork>,
}

/// With callbacks: the call returns at once, and `done` learns how it ended.
///
/// Whatever follows an answer, the next call as well as `done`, runs on the
/// bank's executor. The accounts' thread only hands it over: what it did itself
/// would delay the answers to everyone else.
pub fn transfer_with_callbacks(bank: &CallbackBank, transfer: Transfer, done: Done<Transferred>) {
    // task 2.2: move the money or give it back, and say where it is
    let add = |bank: &CallbackBank, account, amount, then: Done<Result<(), AddError>>| {
        let executor = Arc::clone(&bank.executor);
        let hand_over = move |added| executor.run(Box::new(move || then(added)));
        bank.accounts.add(account, amount, Box::new(hand_over));
    };
    let Transfer { from, to, amount } = transfer;
    let again = bank.clone();
    let taken = move |taken| {
        if let Err(error) = taken {
            return done(Err(TransferError::NothingTaken(error)));
        }
        let once_more = again.clone();
        let paid = move |paid| {
            let Err(failed) = paid else {
                return done(Ok(()));
            };
            let returned = move |returned| {
                done(Err(match returned {
                    Ok(()) => TransferError::GivenBack(failed),
                    Err(why) => TransferError::Owed {
                        to: from,
                        amount,
                        why,
                    },
                }));
            };
            add(&once_more, from, transfer.credit(), Box::new(returned));
        };
        add(&again, to, transfer.credit(), Box::new(paid));
    };
    add(bank, from, transfer.debit(), Box::new(taken));
    // end
}
