//! Moving money with callbacks.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use spec_harness::{case, expect_eq};

use super::part::transfer::{
    Account, AddError, CallbackAccounts, CallbackBank, Done, GIVE_BACK_ATTEMPTS, RunsWork,
    Transfer, TransferError, Transferred, transfer_with_callbacks,
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

const NO: Added = Err(AddError::Unavailable);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nothing panics under this lock")
}

/// The accounts, and an executor, that do nothing by themselves.
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
        self.answer_nth(0, answer);
    }

    /// The same for one of the calls that wait, the first one being 0.
    fn answer_nth(&self, at: usize, answer: Added) {
        let next = lock(&self.unanswered).remove(at);
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

    /// Thirty from Ann to Bob, with these answers; the executor does all that it is given.
    fn play(answers: &[Added]) -> Arc<World> {
        World::play_transfer(THIRTY, answers)
    }

    fn play_transfer(transfer: Transfer, answers: &[Added]) -> Arc<World> {
        let world = World::new();
        world.transfer(transfer);
        world.run_work();
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
        expect_eq("what `done` was given", world.ended(), vec![Ok(())]);
        expect_eq("the balances of Ann and Bob", world.balances(), (70, 130));
    });
}

#[test]
fn nothing_is_paid_before_it_is_taken() {
    case!(
        "While the first call is unanswered, the second is not made: Ann may not have thirty. And `done` is not called.",
        || {
            let world = World::play(&[]);
            expect_eq("the calls", world.calls(), vec![TAKE]);
            expect_eq("what `done` was given", world.ended(), vec![]);
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
            let ended = vec![Err(TransferError::NothingTaken(AddError::NotEnough))];
            expect_eq("what `done` was given", world.ended(), ended);
            expect_eq("the balances of Ann and Bob", world.balances(), (100, 100));
        }
    );
}

#[test]
fn a_failed_payment_is_no_success() {
    case!(
        "The second call fails: whatever else happens, `done` does not get `Ok`.",
        || {
            let world = World::play(&[Ok(()), Err(AddError::NoSuchAccount), Ok(())]);
            let got_ok = world.ended().contains(&Ok(()));
            expect_eq("`done` was given `Ok`", got_ok, false);
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
            let ended = vec![Err(TransferError::GivenBack(AddError::NoSuchAccount))];
            expect_eq("what `done` was given", world.ended(), ended);
        }
    );
}

#[test]
fn it_says_given_back_when_it_is() {
    case!(
        "While giving back is under way, `done` is not called yet: it may still fail.",
        || {
            let world = World::play(&[Ok(()), NO]);
            expect_eq("the calls", world.calls(), vec![TAKE, PAY, GIVE_BACK]);
            expect_eq("what `done` was given", world.ended(), vec![]);
        }
    );
}

#[test]
fn giving_back_is_tried_again() {
    case!(
        "Giving back fails at first: it is tried again, and what `done` learns is why Bob was not paid.",
        || {
            for failures in 1..GIVE_BACK_ATTEMPTS {
                let failures = usize::try_from(failures).expect("a few");
                let mut answers = vec![Ok(()), Err(AddError::NoSuchAccount)];
                // Whatever the reason is.
                answers.extend(vec![Err(AddError::NotEnough); failures]);
                let world = World::play(&answers);
                let mut calls = vec![TAKE, PAY];
                calls.extend(vec![GIVE_BACK; failures + 1]);
                let what =
                    format!("the calls while the last one, after {failures} failures, waits");
                expect_eq(&what, world.calls(), calls);
                expect_eq("what `done` was given", world.ended(), vec![]);
                world.answer(Ok(()));
                world.run_work();
                expect_eq("the balances of Ann and Bob", world.balances(), (100, 100));
                let ended = vec![Err(TransferError::GivenBack(AddError::NoSuchAccount))];
                expect_eq("what `done` was given", world.ended(), ended);
            }
        }
    );
}

#[test]
fn what_cannot_be_given_back_is_owed() {
    case!(
        "No attempt to give back succeeds: `done` learns to whom how much is owed, and why the last one failed.",
        || {
            let world = World::play(&[
                Ok(()),
                Err(AddError::NoSuchAccount),
                NO,
                NO,
                Err(AddError::NotEnough),
            ]);
            let calls = vec![TAKE, PAY, GIVE_BACK, GIVE_BACK, GIVE_BACK];
            expect_eq("the calls", world.calls(), calls);
            let owed = TransferError::Owed {
                to: ANN,
                amount: 30,
                why: AddError::NotEnough,
            };
            expect_eq("what `done` was given", world.ended(), vec![Err(owed)]);
        }
    );
}

#[test]
fn done_runs_on_the_executor() {
    case!(
        "However a transfer ends, `done` runs on the executor: the accounts' thread has others to answer.",
        || {
            let ways: [&[Added]; 5] = [
                &[Ok(()), Ok(())],
                &[NO],
                &[Ok(()), NO, Ok(())],
                &[Ok(()), NO, NO, Ok(())],
                &[Ok(()), NO, NO, NO, NO],
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
            let world = World::play(&[Ok(()), NO, NO, NO, NO]);
            let calls = lock(&world.calls);
            // The first call follows no answer: it may be made anywhere.
            let threads: Vec<Where> = calls.iter().skip(1).map(|(_, running)| *running).collect();
            let what = "where the calls after the first one were made";
            expect_eq(what, threads, vec![TheExecutor; 4]);
        }
    );
}

#[test]
fn a_transfer_that_moves_nothing_is_asked_for_too() {
    case!(
        "An amount of 0, or an account that pays itself: the accounts are asked all the same, and `done` runs on the executor.",
        || {
            let nothing = Transfer {
                amount: 0,
                ..THIRTY
            };
            let to_itself = Transfer { to: ANN, ..THIRTY };
            for (transfer, calls) in [
                (nothing, vec![(ANN, 0), (BOB, 0)]),
                (to_itself, vec![TAKE, GIVE_BACK]),
            ] {
                let world = World::play_transfer(transfer, &[Ok(()), Ok(())]);
                let what = format!("the calls for {transfer:?}");
                expect_eq(&what, world.calls(), calls);
                let ended = lock(&world.ended).clone();
                let what = format!("what `done` was given for {transfer:?}, and where it ran");
                expect_eq(&what, ended, vec![(Ok(()), TheExecutor)]);
            }
            let world = World::play_transfer(to_itself, &[Err(AddError::NoSuchAccount)]);
            let ended = vec![Err(TransferError::NothingTaken(AddError::NoSuchAccount))];
            let what = "what `done` was given for an account that pays itself and does not exist";
            expect_eq(what, world.ended(), ended);
        }
    );
}

#[test]
fn the_largest_amount() {
    case!(
        "The largest amount is taken, paid and given back as it is: no number overflows.",
        || {
            let most = i64::from(u32::MAX);
            let largest = Transfer {
                amount: u32::MAX,
                ..THIRTY
            };
            let world = World::play_transfer(largest, &[Ok(()), NO, NO, NO, NO]);
            let mut calls = vec![(ANN, -most), (BOB, most)];
            calls.extend([(ANN, most); 3]);
            expect_eq("the calls", world.calls(), calls);
            let owed = TransferError::Owed {
                to: ANN,
                amount: u32::MAX,
                why: AddError::Unavailable,
            };
            expect_eq("what `done` was given", world.ended(), vec![Err(owed)]);
        }
    );
}

#[test]
fn the_sum_stays() {
    case!(
        "Five thousand transfers at the same time, a third of the calls fail, answers come in any order: balances and debts together stay the same.",
        || {
            let world = World::new();
            let mut random = fastrand::Rng::with_seed(1);
            for number in 0..5_000 {
                let (from, to) = if number % 3 == 0 {
                    (BOB, ANN)
                } else {
                    (ANN, BOB)
                };
                let amount = 1 + number % 7;
                world.transfer(Transfer { from, to, amount });
            }
            world.run_work();
            let mut answered = 0;
            loop {
                let waiting = lock(&world.unanswered).len();
                // Each transfer has five calls at most.
                if waiting == 0 || answered > 25_000 {
                    break;
                }
                answered += 1;
                let fails = random.u8(..3) == 0;
                world.answer_nth(random.usize(..waiting), if fails { NO } else { Ok(()) });
                world.run_work();
            }
            expect_eq("how many ended", world.ended().len(), 5_000);
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
