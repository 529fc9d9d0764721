//! A small chain of groups, whose members and broker are killed: see `interop::chain`.

use std::path::PathBuf;

use interop::chain::{Chain, Mode, Verdict, run};
use interop::mqd_binary;

fn chain(assignor: &str, mode: Mode) -> anyhow::Result<Verdict> {
    let verdict = run(&Chain {
        mqd: mqd_binary(),
        member: [env!("CARGO_BIN_EXE_chain"), "member"]
            .map(PathBuf::from)
            .into(),
        records: 50_000,
        // Two members that copy steadily are killed after 10 s.
        seconds: 12,
        seed: 7,
        assignor: assignor.to_owned(),
        mode,
    })?;
    println!("{verdict}");
    Ok(verdict)
}

fn holds(assignor: &str) -> anyhow::Result<()> {
    let verdict = chain(assignor, Mode::CommitAfter)?;
    assert!(verdict.holds(), "{verdict}");
    assert_eq!(verdict.acknowledged, 50_000);
    Ok(())
}

#[test]
fn eager_members_lose_nothing_and_every_repeat_is_explained() -> anyhow::Result<()> {
    holds("range")
}

#[test]
fn cooperative_members_lose_nothing_and_every_repeat_is_explained() -> anyhow::Result<()> {
    holds("cooperative-sticky")
}

/// The audit sees what it is there for.
#[test]
fn a_commit_before_the_work_loses_records() -> anyhow::Result<()> {
    let verdict = chain("range", Mode::CommitBefore)?;
    assert!(verdict.lost > 0, "{verdict}");
    Ok(())
}

/// And the observer too.
#[test]
fn an_offset_that_goes_back_is_seen() -> anyhow::Result<()> {
    let verdict = chain("range", Mode::Rewind)?;
    assert!(verdict.went_back > 0, "{verdict}");
    Ok(())
}
