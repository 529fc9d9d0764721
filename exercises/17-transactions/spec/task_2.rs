//! What a producer's word does to a half message.

use spec_harness::{case, expect_eq};

use super::part::{Decision, End, Ruling, Standing, rule};

fn rules(rows: &[(Standing, Decision, Ruling)]) {
    for (standing, decision, ruling) in rows {
        let what = format!("{decision:?} about {standing:?}");
        expect_eq(&what, rule(*standing, *decision), *ruling);
    }
}

const COMMITTED: Standing = Standing::Ended(End::Committed);
const ROLLED_BACK: Standing = Standing::Ended(End::RolledBack);
const SET_ASIDE: Standing = Standing::Ended(End::SetAside);

#[test]
fn an_open_one() {
    case!(
        "The first decision ends an open half message; \"unknown\" is none.",
        || {
            rules(&[
                (Standing::Open, Decision::Commit, Ruling::Commit),
                (Standing::Open, Decision::RollBack, Ruling::RollBack),
                (Standing::Open, Decision::Unknown, Ruling::Nothing),
            ]);
        }
    );
}

#[test]
fn the_same_again() {
    case!(
        "A decision that agrees with the end is a repetition. It must not copy again.",
        || {
            rules(&[
                (COMMITTED, Decision::Commit, Ruling::Nothing),
                (ROLLED_BACK, Decision::RollBack, Ruling::Nothing),
            ]);
        }
    );
}

#[test]
fn the_other_way() {
    case!(
        "A decision that disagrees with the end changes nothing, and is reported.",
        || {
            rules(&[
                (COMMITTED, Decision::RollBack, Ruling::Contradiction),
                (ROLLED_BACK, Decision::Commit, Ruling::Contradiction),
            ]);
        }
    );
}

#[test]
fn too_late() {
    case!(
        "A decision about what was set aside changes nothing, and is reported.",
        || {
            rules(&[
                (SET_ASIDE, Decision::Commit, Ruling::TooLate),
                (SET_ASIDE, Decision::RollBack, Ruling::TooLate),
            ]);
        }
    );
}

#[test]
fn unknown_says_nothing() {
    case!(
        "A producer that cannot say what became of it says nothing, whatever the end was.",
        || {
            for standing in [COMMITTED, ROLLED_BACK, SET_ASIDE, Standing::Unknown] {
                rules(&[(standing, Decision::Unknown, Ruling::Nothing)]);
            }
        }
    );
}

#[test]
fn what_is_not_known() {
    case!(
        "What has not been read, or is forgotten, is not copied on anybody's word.",
        || {
            rules(&[
                (Standing::Unknown, Decision::Commit, Ruling::Nothing),
                (Standing::Unknown, Decision::RollBack, Ruling::Nothing),
            ]);
        }
    );
}
