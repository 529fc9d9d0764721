//! Moving money with callbacks.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use spec_harness::{case, expect_eq};

use super::part::transfer::{
    Account, AddError, CallbackAccounts, CallbackBank, Done, RunsWork, Transfer, TransferError,
    Transferred, transfer_with_callbacks,
};

const ANN: Account = Account(1);
const BOB: Account = Account(2);

/// Thirty from Ann to Bob.
const THIRTY: Transfer = Transfer {
    from: ANN,
    to: BOB,
    amount: 30,
};

type Call = (Account, i64);
type Added = Result<(), AddError>;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nobody panics under this lock")
}

/// The accounts, and an executor, that do nothing until they are told to.
#[derive(Default)]
struct World {
    balances: Mutex<BTreeMap<Account, i64>>,
    /// Calls that have been made, in order, and what ran when they were.
    calls: Mutex<Vec<(Call, Where)>>,
    unanswered: Mutex<VecDeque<(Call, Done<Added>)>>,
    work: Mutex<VecDeque<Box<dyn FnOnce() + Send>>>,
    ended: Mutex<Vec<(Transferred, Where)>>,
    now_running: Mutex<Where>,
}

/// Whose thread it is.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Where {
    #[default]
    CallersThread,
    AccountsThread,
    TheExecutor,
}

use Where::{AccountsThread, CallersThread, TheExecutor};

impl CallbackAccounts for World {
    fn add(&self, account: Account, amount: i64, done: Done<Added>) {
        let running = *lock(&self.now_running);
        lock(&self.calls).push(((account, amount), running));
        let mut unanswered = lock(&self.unanswered);
        unanswered.push_back(((account, amount), done));
    }
}

impl RunsWork for World {
    fn run(&self, work: Box<dyn FnOnce() + Send>) {
        lock(&self.work).push_back(work);
    }
}

impl World {
    /// Ann and Bob have a hundred each.
    fn new() -> Arc<World> {
        let world = World::default();
        *lock(&world.balances) = BTreeMap::from([(ANN, 100), (BOB, 100)]);
        Arc::new(world)
    }

    fn transfer(self: &Arc<World>, transfer: Transfer) {
        let bank = CallbackBank {
            accounts: self.clone(),
            executor: self.clone(),
        };
        let world = Arc::clone(self);
        let done = move |result| {
            let running = *lock(&world.now_running);
            lock(&world.ended).push((result, running));
        };
        transfer_with_callbacks(&bank, transfer, Box::new(done));
    }

    /// The accounts answer the call that has waited longest: it is done, or it fails.
    fn answer(&self, answer: Added) {
        let next = lock(&self.unanswered).pop_front();
        let Some(((account, amount), done)) = next else {
            return;
        };
        if answer.is_ok() {
            *lock(&self.balances).entry(account).or_default() += amount;
        }
        *lock(&self.now_running) = AccountsThread;
        done(answer);
        *lock(&self.now_running) = CallersThread;
    }

    /// The executor does all that it has been given.
    fn run_work(&self) {
        *lock(&self.now_running) = TheExecutor;
        while let Some(work) = { lock(&self.work).pop_front() } {
            work();
        }
        *lock(&self.now_running) = CallersThread;
    }

    fn play(answers: &[Added]) -> Arc<World> {
        let world = World::new();
        world.transfer(THIRTY);
        for answer in answers {
            world.answer(*answer);
            world.run_work();
        }
        world
    }

    fn calls(&self) -> Vec<Call> {
        let calls = lock(&self.calls);
        calls.iter().map(|(call, _)| *call).collect()
    }

    fn ended(&self) -> Vec<Transferred> {
        let ended = lock(&self.ended);
        ended.iter().map(|(result, _)| *result).collect()
    }

    fn balances(&self) -> (i64, i64) {
        let balances = lock(&self.balances);
        (balances[&ANN], balances[&BOB])
    }
}

const TAKE: Call = (ANN, -30);
const PAY: Call = (BOB, 30);
const GIVE_BACK: Call = (ANN, 30);

#[test]
fn the_money_moves() {
    case!("Both calls succeed: thirty move from Ann to Bob.", || {
        let world = World::play(&[Ok(()), Ok(())]);
        expect_eq("the calls", world.calls(), vec![TAKE, PAY]);
        expect_eq("what `done` was told", world.ended(), vec![Ok(())]);
        expect_eq("the balances of Ann and Bob", world.balances(), (70, 130));
    });
}

#[test]
fn it_returns_before_anything_is_answered() {
    case!(
        "The first call is made, and nothing is waited for: no answer, no `done`.",
        || {
            let world = World::play(&[]);
            expect_eq("the calls", world.calls(), vec![TAKE]);
            expect_eq("what `done` was told", world.ended(), vec![]);
        }
    );
}

#[test]
fn nothing_is_paid_before_it_is_taken() {
    case!(
        "While the first call is unanswered, the second is not made: Ann may not have thirty.",
        || {
            let world = World::play(&[]);
            world.run_work();
            expect_eq("the calls", world.calls(), vec![TAKE]);
        }
    );
}

#[test]
fn what_could_not_be_taken_is_not_paid() {
    case!(
        "The first call fails: nothing has happened, and nothing else is called.",
        || {
            let world = World::play(&[Err(AddError::NotEnough)]);
            expect_eq("the calls", world.calls(), vec![TAKE]);
            let told = vec![Err(TransferError::NothingTaken(AddError::NotEnough))];
            expect_eq("what `done` was told", world.ended(), told);
            expect_eq("the balances of Ann and Bob", world.balances(), (100, 100));
        }
    );
}

#[test]
fn a_failed_payment_is_no_success() {
    case!(
        "The second call fails: whatever else happens, `done` is not told that all is well.",
        || {
            let world = World::play(&[Ok(()), Err(AddError::NoSuchAccount), Ok(())]);
            let told_so = world.ended().contains(&Ok(()));
            expect_eq("`done` was told `Ok`", told_so, false);
        }
    );
}

#[test]
fn what_could_not_be_paid_is_given_back() {
    case!(
        "The second call fails: Ann gets her thirty back, and `done` learns why Bob did not.",
        || {
            let failed = Err(AddError::NoSuchAccount);
            let world = World::play(&[Ok(()), failed, Ok(())]);
            expect_eq("the calls", world.calls(), vec![TAKE, PAY, GIVE_BACK]);
            expect_eq("the balances of Ann and Bob", world.balances(), (100, 100));
            let told = vec![Err(TransferError::GivenBack(AddError::NoSuchAccount))];
            expect_eq("what `done` was told", world.ended(), told);
        }
    );
}

#[test]
fn it_says_given_back_when_it_is() {
    case!(
        "While giving back is under way, `done` is not told yet: it may still fail.",
        || {
            let world = World::play(&[Ok(()), Err(AddError::Unavailable)]);
            expect_eq("the calls", world.calls(), vec![TAKE, PAY, GIVE_BACK]);
            expect_eq("what `done` was told", world.ended(), vec![]);
        }
    );
}

#[test]
fn what_cannot_be_given_back_is_owed() {
    case!(
        "Giving back fails too: `done` learns to whom how much is owed, and why it is.",
        || {
            let world = World::play(&[
                Ok(()),
                Err(AddError::NoSuchAccount),
                Err(AddError::Unavailable),
            ]);
            expect_eq("the calls", world.calls(), vec![TAKE, PAY, GIVE_BACK]);
            let owed = TransferError::Owed {
                to: ANN,
                amount: 30,
                why: AddError::Unavailable,
            };
            expect_eq("what `done` was told", world.ended(), vec![Err(owed)]);
        }
    );
}

#[test]
fn done_runs_on_the_executor() {
    case!(
        "However a transfer ends, `done` runs on the executor: the accounts' thread has others to answer.",
        || {
            let no = Err(AddError::Unavailable);
            let ways: [&[Added]; 4] = [
                &[Ok(()), Ok(())],
                &[no],
                &[Ok(()), no, Ok(())],
                &[Ok(()), no, no],
            ];
            for answers in ways {
                let world = World::play(answers);
                let ended = lock(&world.ended);
                let threads: Vec<Where> = ended.iter().map(|(_, running)| *running).collect();
                let what = format!("where `done` ran after the answers {answers:?}");
                expect_eq(&what, threads, vec![TheExecutor]);
            }
        }
    );
}

#[test]
fn the_accounts_thread_makes_no_calls() {
    case!(
        "The calls that follow an answer are made on the executor as well.",
        || {
            let world = World::play(&[Ok(()), Err(AddError::Unavailable), Ok(())]);
            let calls = lock(&world.calls);
            let threads: Vec<Where> = calls.iter().map(|(_, running)| *running).collect();
            let expected = vec![CallersThread, TheExecutor, TheExecutor];
            expect_eq("where the three calls were made", threads, expected);
        }
    );
}

#[test]
fn the_sum_stays() {
    case!(
        "A thousand transfers at the same time, a third of the calls fail: balances and debts together stay the same.",
        || {
            let world = World::new();
            for number in 0..1_000 {
                let (from, to) = if number % 3 == 0 {
                    (BOB, ANN)
                } else {
                    (ANN, BOB)
                };
                let amount = number % 7;
                world.transfer(Transfer { from, to, amount });
            }
            let mut answered = 0_u32;
            while !lock(&world.unanswered).is_empty() {
                answered += 1;
                let fails = answered.wrapping_mul(2_654_435_761) >> 16;
                world.answer(if fails.is_multiple_of(3) {
                    Err(AddError::Unavailable)
                } else {
                    Ok(())
                });
                world.run_work();
            }
            expect_eq("how many ended", world.ended().len(), 1_000);
            let owed: i64 = world
                .ended()
                .iter()
                .map(|result| match result {
                    Err(TransferError::Owed { amount, .. }) => i64::from(*amount),
                    _ => 0,
                })
                .sum();
            let (ann, bob) = world.balances();
            expect_eq("Ann's and Bob's, and what is owed", ann + bob + owed, 200);
        }
    );
}
