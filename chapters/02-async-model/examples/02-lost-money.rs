//! What becomes of the money when the second call fails?
//!
//! 10,000 transfers between ten accounts, each call fails one time in ten. Once
//! the failure is only reported, once the money is given back. No time passes:
//! the accounts answer at once, and the failures are the same in each run.

use std::cell::RefCell;

use async_model::transfer::{
    Account, AddError, BlockingAccounts, Transfer, TransferError, Transferred, transfer_blocking,
};

const ACCOUNTS: u32 = 10;
const TRANSFERS: u32 = 10_000;
const EACH: i64 = 1_000_000;

/// Accounts in memory. One call in ten fails, and changes nothing then.
struct Bank {
    balances: RefCell<Vec<i64>>,
    random: RefCell<fastrand::Rng>,
}

impl Bank {
    fn new() -> Bank {
        Bank {
            balances: RefCell::new(vec![EACH; ACCOUNTS as usize]),
            random: RefCell::new(fastrand::Rng::with_seed(1)),
        }
    }

    fn sum(&self) -> i64 {
        self.balances.borrow().iter().sum()
    }
}

impl BlockingAccounts for Bank {
    fn add(&self, Account(account): Account, amount: i64) -> Result<(), AddError> {
        if self.random.borrow_mut().u8(..10) == 0 {
            return Err(AddError::Unavailable);
        }
        let mut balances = self.balances.borrow_mut();
        let balance = &mut balances[account as usize];
        if *balance + amount < 0 {
            return Err(AddError::NotEnough);
        }
        *balance += amount;
        Ok(())
    }
}

/// Reports a failure of the second call, and does nothing about it.
fn without_giving_back(accounts: &Bank, transfer: Transfer) -> Transferred {
    let amount = i64::from(transfer.amount);
    accounts
        .add(transfer.from, -amount)
        .map_err(TransferError::NothingTaken)?;
    accounts
        .add(transfer.to, amount)
        .map_err(TransferError::NothingTaken)
}

fn try_it(name: &str, run: impl Fn(&Bank, Transfer) -> Transferred) {
    let bank = Bank::new();
    let (mut done, mut failed, mut owed) = (0, 0, 0);
    for number in 0..TRANSFERS {
        let transfer = Transfer {
            from: Account(number % ACCOUNTS),
            to: Account((number * 7 + 3) % ACCOUNTS),
            amount: 1 + number % 100,
        };
        match run(&bank, transfer) {
            Ok(()) => done += 1,
            Err(TransferError::Owed { amount, .. }) => {
                failed += 1;
                owed += i64::from(amount);
            }
            Err(_) => failed += 1,
        }
    }
    let missing = EACH * i64::from(ACCOUNTS) - bank.sum();
    let unknown = missing - owed;
    println!("{name:22} {done:>6} {failed:>7} {missing:>10} {owed:>10} {unknown:>14}");
}

fn main() {
    println!("{TRANSFERS} transfers; each call fails one time in ten\n");
    println!(
        "{:22} {:>6} {:>7} {:>10} {:>10} {:>14}",
        "", "done", "failed", "missing", "owed", "nobody knows"
    );
    try_it("failure only reported", without_giving_back);
    try_it("money given back", |bank, transfer| {
        transfer_blocking(bank, transfer)
    });
}
