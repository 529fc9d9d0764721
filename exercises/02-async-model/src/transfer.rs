//! Moving money by two calls, each of which takes time and may fail.
//!
//! Three styles of the same service. In each, money is moved by taking it from
//! one account and then adding it to the other. If the second call fails, the money
//! is given back, and that call may fail as well.

use std::future::Future;
use std::sync::Arc;

/// How many times giving back is tried before the money is owed.
pub const GIVE_BACK_ATTEMPTS: u32 = 3;

/// The number of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Account(pub u32);

/// The money that is to be moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transfer {
    /// The account that pays.
    pub from: Account,
    /// The account that is paid; it may be the same one.
    pub to: Account,
    /// The amount in the smallest coin; it may be 0.
    pub amount: u32,
}

impl Transfer {
    /// Returns what is added to the account that is paid, and what is given back.
    fn credit(&self) -> i64 {
        i64::from(self.amount)
    }

    /// Returns what is added to the account that pays.
    fn debit(&self) -> i64 {
        -i64::from(self.amount)
    }
}

/// Why an account was not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddError {
    /// There is no such account, or it has been closed.
    NoSuchAccount,
    /// The account has less than what was to be taken.
    NotEnough,
    /// The machine that keeps the accounts cannot be reached.
    Unavailable,
}

/// Where the money is after a transfer that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferError {
    /// In the account that was to pay: it could not be taken, for this reason.
    NothingTaken(AddError),
    /// In the account that was to pay: it was taken, could not be added to the other
    /// account, for this reason, and was given back.
    GivenBack(AddError),
    /// In neither account: no attempt to give it back succeeded.
    Owed {
        /// The account that has paid.
        to: Account,
        /// The amount in the smallest coin.
        amount: u32,
        /// Why the last attempt to give back failed.
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
/// With a thread for each transfer: the thread waits while a call is under way.
///
/// # Errors
/// The error contains where the money is.
pub fn transfer_blocking(accounts: &impl BlockingAccounts, transfer: Transfer) -> Transferred {
    let Transfer { from, to, amount } = transfer;
    accounts
        .add(from, transfer.debit())
        .map_err(TransferError::NothingTaken)?;
    let Err(failed) = accounts.add(to, transfer.credit()) else {
        return Ok(());
    };
    let mut given_back = accounts.add(from, transfer.credit());
    for _ in 1..GIVE_BACK_ATTEMPTS {
        if given_back.is_err() {
            given_back = accounts.add(from, transfer.credit());
        }
    }
    Err(match given_back {
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
/// The error contains where the money is.
pub async fn transfer_future(accounts: &impl FutureAccounts, transfer: Transfer) -> Transferred {
    let Transfer { from, to, amount } = transfer;
    accounts
        .add(from, transfer.debit())
        .await
        .map_err(TransferError::NothingTaken)?;
    let Err(failed) = accounts.add(to, transfer.credit()).await else {
        return Ok(());
    };
    let mut given_back = accounts.add(from, transfer.credit()).await;
    for _ in 1..GIVE_BACK_ATTEMPTS {
        if given_back.is_err() {
            given_back = accounts.add(from, transfer.credit()).await;
        }
    }
    Err(match given_back {
        Ok(()) => TransferError::GivenBack(failed),
        Err(why) => TransferError::Owed {
            to: from,
            amount,
            why,
        },
    })
}
// ANCHOR_END: future

/// A callback: called once, with the result, when something has ended.
pub type Done<T> = Box<dyn FnOnce(T) + Send>;

/// Accounts whose calls return at once, and call back later.
pub trait CallbackAccounts: Send + Sync {
    /// Adds an amount, which may be negative, and then calls `done`, on a thread
    /// of the accounts; on an error the account is as it was.
    fn add(&self, account: Account, amount: i64, done: Done<Result<(), AddError>>);
}

/// Runs work on threads whose number was chosen.
pub trait RunsWork: Send + Sync {
    /// Queues the work, and returns before it has run.
    fn run(&self, work: Box<dyn FnOnce() + Send>);
}

/// The surroundings of the callback style. A clone means the same accounts and
/// the same executor, so work that runs later can own one.
#[derive(Clone)]
pub struct CallbackBank {
    /// The accounts that are asked.
    pub accounts: Arc<dyn CallbackAccounts>,
    /// Runs everything that follows an answer.
    pub executor: Arc<dyn RunsWork>,
}

/// With callbacks: returns at once, and calls `done` with how the transfer ended.
///
/// - What follows an answer, the next call as well as `done`, runs on the bank's
///   executor. The accounts' thread only hands over: the answers to all other
///   transfers wait for it. The first call follows no answer; it is made here, or on
///   the executor.
/// - The accounts are asked whatever the amount is and whichever the accounts are.
/// - Giving back is tried [`GIVE_BACK_ATTEMPTS`] times at most, whatever the reason of
///   the failures is, each time after the answer to the attempt before.
pub fn transfer_with_callbacks(bank: &CallbackBank, transfer: Transfer, done: Done<Transferred>) {
    // task 2.2: move the money, or try three times to give it back, and tell `done` where it is
    todo!("2.2: move the money, or try three times to give it back, and tell `done` where it is")
    // end
}
