//! What a heartbeat and a commit are answered in each state.

use spec_harness::{case, expect_eq};

use super::part::{Commit, Identity, InstanceId, MemberId, Refusal, Standing, State};

/// The group's generation in all cases.
const GENERATION: i32 = 7;

const STATES: [State; 5] = [
    State::Empty,
    State::PreparingRebalance,
    State::CompletingRebalance,
    State::Stable,
    State::Dead,
];

/// What a group can know of the names of a call.
const KNOWN: [Result<(), Refusal>; 3] = [
    Ok(()),
    Err(Refusal::UnknownMember),
    Err(Refusal::FencedInstance),
];

#[test]
fn a_heartbeat_in_order() {
    case!(
        "A heartbeat is in order while the group is stable, and between join and sync.",
        || {
            expect_heartbeat(State::Stable, Ok(()), GENERATION, Ok(()));
            expect_heartbeat(State::CompletingRebalance, Ok(()), GENERATION, Ok(()));
        }
    );
}

#[test]
fn a_heartbeat_while_members_join() {
    case!(
        "While members join again, the heartbeat's answer says so.",
        || {
            let answer = Err(Refusal::RebalanceInProgress);
            expect_heartbeat(State::PreparingRebalance, Ok(()), GENERATION, answer);
        }
    );
}

#[test]
fn a_heartbeat_of_another_generation() {
    case!(
        "A heartbeat of another generation is refused as such, also while members join.",
        || {
            for generation in [GENERATION - 1, GENERATION + 1, -1, i32::MIN, i32::MAX] {
                for state in &STATES[1..4] {
                    let answer = Err(Refusal::IllegalGeneration);
                    expect_heartbeat(*state, Ok(()), generation, answer);
                }
            }
        }
    );
}

#[test]
fn a_heartbeat_of_a_stranger() {
    case!(
        "What is wrong with the names comes before what is wrong with the generation and the state.",
        || {
            for known in [Refusal::UnknownMember, Refusal::FencedInstance] {
                for generation in [GENERATION, GENERATION - 1] {
                    for state in &STATES[..4] {
                        expect_heartbeat(*state, Err(known), generation, Err(known));
                    }
                }
            }
        }
    );
}

#[test]
fn a_heartbeat_of_a_dead_group() {
    case!(
        "A dead group answers nothing else than that it is not available.",
        || {
            for known in KNOWN {
                for generation in [GENERATION, GENERATION - 1] {
                    let answer = Err(Refusal::NotAvailable);
                    expect_heartbeat(State::Dead, known, generation, answer);
                }
            }
        }
    );
}

#[test]
fn a_member_commits() {
    case!(
        "A member commits while the group is stable. While members join again it still commits what it has done.",
        || {
            for names in [dynamic("a"), fixed("a")] {
                expect_commit(State::Stable, Ok(()), &names, GENERATION, Ok(()));
                expect_commit(
                    State::PreparingRebalance,
                    Ok(()),
                    &names,
                    GENERATION,
                    Ok(()),
                );
            }
        }
    );
}

#[test]
fn a_commit_between_join_and_sync() {
    case!(
        "Between join and sync a member has no share of the new generation yet: its commit is refused, although its heartbeat is not.",
        || {
            let answer = Err(Refusal::RebalanceInProgress);
            let state = State::CompletingRebalance;
            expect_commit(state, Ok(()), &dynamic("a"), GENERATION, answer);
        }
    );
}

#[test]
fn a_commit_of_another_generation() {
    case!(
        "A commit of another generation is refused: its partitions belong to another member now.",
        || {
            for state in &STATES[1..4] {
                for generation in [GENERATION - 1, GENERATION + 1, -1] {
                    for transactional in [false, true] {
                        let names = dynamic("a");
                        let commit = commit(&names, generation, transactional);
                        expect_answer(*state, Ok(()), commit, Err(Refusal::IllegalGeneration));
                    }
                }
            }
        }
    );
}

#[test]
fn a_commit_of_a_stranger() {
    case!(
        "A commit with a generation, a member id or an instance id is of a member: if it is not, that is the answer.",
        || {
            let only_instance = Identity {
                member: MemberId::new(""),
                instance: Some(InstanceId::new("i")),
            };
            let cases = [
                (dynamic(""), GENERATION),
                (dynamic("x"), -1),
                (dynamic("x"), GENERATION - 1),
                (only_instance, -1),
            ];
            for (names, generation) in &cases {
                for known in [Refusal::UnknownMember, Refusal::FencedInstance] {
                    for state in &STATES[1..4] {
                        for transactional in [false, true] {
                            let commit = commit(names, *generation, transactional);
                            expect_answer(*state, Err(known), commit, Err(known));
                        }
                    }
                }
            }
        }
    );
}

#[test]
fn a_consumer_without_a_group() {
    case!(
        "A consumer that assigns its partitions itself commits with generation -1: if the group is empty, whatever names it brings.",
        || {
            for known in KNOWN {
                for names in [dynamic(""), dynamic("x"), fixed("x")] {
                    expect_commit(State::Empty, known, &names, -1, Ok(()));
                }
            }
        }
    );
}

#[test]
fn a_consumer_without_a_group_in_a_live_one() {
    case!(
        "A commit without any name is refused while the group has members: it would go over theirs.",
        || {
            let stranger = Err(Refusal::UnknownMember);
            for state in &STATES[1..4] {
                expect_commit(*state, stranger, &dynamic(""), -1, stranger);
            }
        }
    );
}

#[test]
fn a_generation_in_an_empty_group() {
    case!(
        "A commit with a generation in an empty group is of a member that is gone.",
        || {
            let stranger = Err(Refusal::UnknownMember);
            for generation in [0, GENERATION] {
                expect_commit(State::Empty, stranger, &dynamic("a"), generation, stranger);
                expect_commit(State::Empty, stranger, &dynamic(""), generation, stranger);
            }
        }
    );
}

#[test]
fn a_transaction_commits() {
    case!(
        "A transaction commits between join and sync too. One of an old producer brings no names, and is let through.",
        || {
            let stranger = Err(Refusal::UnknownMember);
            for state in &STATES[..4] {
                let nameless = dynamic("");
                let old = commit(&nameless, -1, true);
                expect_answer(*state, stranger, old, Ok(()));
            }
            let names = dynamic("a");
            let new = commit(&names, GENERATION, true);
            expect_answer(State::CompletingRebalance, Ok(()), new, Ok(()));
        }
    );
}

#[test]
fn a_commit_to_a_dead_group() {
    case!("A dead group takes no commit of anybody.", || {
        for known in KNOWN {
            for generation in [-1, 0, GENERATION] {
                for transactional in [false, true] {
                    for names in [dynamic(""), dynamic("a")] {
                        let commit = commit(&names, generation, transactional);
                        expect_answer(State::Dead, known, commit, Err(Refusal::NotAvailable));
                    }
                }
            }
        }
    });
}

fn dynamic(member: &str) -> Identity {
    Identity::dynamic(MemberId::new(member))
}

fn fixed(member: &str) -> Identity {
    Identity {
        member: MemberId::new(member),
        instance: Some(InstanceId::new("i")),
    }
}

fn commit(identity: &Identity, generation: i32, transactional: bool) -> Commit<'_> {
    Commit {
        identity,
        generation,
        transactional,
    }
}

fn expect_heartbeat(
    state: State,
    known: Result<(), Refusal>,
    generation: i32,
    expected: Result<(), Refusal>,
) {
    let standing = standing(state, known);
    let what = format!("{standing:?}.heartbeat({generation})");
    expect_eq(&what, standing.heartbeat(generation), expected);
}

fn expect_commit(
    state: State,
    known: Result<(), Refusal>,
    names: &Identity,
    generation: i32,
    expected: Result<(), Refusal>,
) {
    expect_answer(state, known, commit(names, generation, false), expected);
}

fn expect_answer(
    state: State,
    known: Result<(), Refusal>,
    commit: Commit<'_>,
    expected: Result<(), Refusal>,
) {
    let standing = standing(state, known);
    let what = format!("{standing:?}.commit({commit:?})");
    expect_eq(&what, standing.commit(commit), expected);
}

fn standing(state: State, known: Result<(), Refusal>) -> Standing {
    Standing {
        state,
        generation: GENERATION,
        known,
    }
}
