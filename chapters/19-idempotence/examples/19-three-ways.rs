//! A deposit of 100 is delivered twice, or its consumer crashes, or two consumers get it at
//! once: the balance that each way to handle it ends with, in SQLite.
//!
//! Nothing is left to chance. Each consumer stops between any two of its statements, and there
//! it crashes, or another consumer does all of its work.

pub(crate) mod sqlite;
pub(crate) mod ways;

use std::collections::BTreeSet;

use anyhow::Result;
use tempfile::TempDir;

use ways::{Bank, Deposit, WAYS, Way};

pub(crate) const FIRST: Deposit = Deposit {
    number: 1,
    amount: 100,
};
/// Another one, which the shop has made before it knew of the first one.
pub(crate) const SECOND: Deposit = Deposit {
    number: 2,
    amount: 200,
};

/// What happens while a consumer handles the first deposit.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Trouble {
    /// Nothing; but the deposit comes again.
    Again,
    /// The consumer crashes, and the deposit comes again.
    Crash,
    /// Another consumer gets this deposit too.
    Rival(Deposit),
}

pub(crate) const TROUBLES: [Trouble; 4] = [
    Trouble::Again,
    Trouble::Crash,
    Trouble::Rival(FIRST),
    Trouble::Rival(SECOND),
];

fn main() -> Result<()> {
    println!("balance at first 1000; a deposit of 100; in the last column also one of 200\n");
    let row = |name: &str, cells: [String; 4]| {
        let [again, crash, same, other] = cells;
        println!("{name:<16} {again:<14} {crash:<16} {same:<14} {other}");
    };
    let heads = ["comes again", "crash, again", "two at once", "another one"];
    row("", heads.map(str::to_owned));
    row("right", [1100, 1100, 1100, 1300].map(|sum| sum.to_string()));
    println!();
    for way in WAYS {
        let mut cells = Vec::new();
        for trouble in TROUBLES {
            cells.push(balances(way, trouble)?);
        }
        let cells: Vec<_> = cells.iter().map(shown).collect();
        row(way.name, cells.try_into().unwrap_or_default());
    }
    Ok(())
}

/// The balances with which it ends, whenever the trouble comes.
pub(crate) fn balances(way: &Way, trouble: Trouble) -> Result<BTreeSet<i64>> {
    let mut balances = BTreeSet::new();
    for point in 0.. {
        let folder = TempDir::new()?;
        let bank = Bank::new(way, folder.path())?;
        if !has_trouble(&bank, trouble, point)? {
            break;
        }
        balances.insert(bank.balance()?);
    }
    Ok(balances)
}

/// Handles the deposit, with the trouble at one point of it; returns whether the consumer
/// has got there.
fn has_trouble(bank: &Bank, trouble: Trouble, point: usize) -> Result<bool> {
    let mut passed = 0;
    // What was not done when it was tried is delivered again.
    let mut open = Vec::new();
    let done = bank.handle(FIRST, &mut || {
        passed += 1;
        match trouble {
            Trouble::Rival(deposit) if passed == point + 1 => {
                let done = bank.handle(deposit, &mut || true);
                open.extend(done.is_err().then_some(deposit));
                true
            }
            Trouble::Crash => passed != point + 1,
            _ => true,
        }
    });
    let comes_again = matches!(trouble, Trouble::Again | Trouble::Crash);
    open.extend((comes_again || done.is_err()).then_some(FIRST));
    for deposit in open {
        bank.handle(deposit, &mut || true)?;
    }
    Ok(passed > point)
}

fn shown(balances: &BTreeSet<i64>) -> String {
    let balances: Vec<_> = balances.iter().map(i64::to_string).collect();
    balances.join(" or ")
}
