//! The scenarios of `interop/scale`, small. Counts decide, durations do not.

use std::process::Command;
use std::time::Duration;

use interop::mqd_binary;
use interop::scale::{Size, connections, crowd, partitions, rebalances};
use wire_protocol::ErrorCode;

fn size(count: u32) -> Size {
    Size {
        mqd: mqd_binary(),
        count,
        lasts: Duration::from_secs(2),
    }
}

fn run<T>(scenario: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = { runtime }.enable_all().build()?;
    runtime.block_on(scenario)
}

/// Twice as many descriptors as partitions, as with 10,000 of them.
#[test]
fn a_thousand_partitions_under_two_thousand_descriptors() -> anyhow::Result<()> {
    let seen = run(partitions(&size(1_000), 2_000))?;
    println!("{seen}");
    // Of each the active segment, and the few for everything else.
    assert!(seen.files_open < 1_100, "{seen}");
    Ok(())
}

#[test]
fn a_hundred_connections_all_produce() -> anyhow::Result<()> {
    let seen = run(connections(&size(100)))?;
    assert_eq!(seen.acknowledged.len(), 100);
    assert!(seen.acknowledged[0] > 0, "{seen}");
    Ok(())
}

#[test]
fn a_group_of_a_hundred_expires_nobody() -> anyhow::Result<()> {
    let seen = run(crowd(&size(100)))?;
    assert_eq!(seen.expired, 0, "{seen}");
    Ok(())
}

#[test]
fn ten_members_rebalance_beside_a_producer_and_a_stalled_one_is_fenced() -> anyhow::Result<()> {
    let mut producer = Command::new(env!("CARGO_BIN_EXE_scale"));
    producer.arg("produce");
    let seen = run(rebalances(&size(10), producer))?;
    assert_eq!(seen.expired, 0, "{seen}");
    assert_eq!(seen.stalled, ErrorCode::UNKNOWN_MEMBER_ID);
    assert!(seen.produced > 0, "{seen}");
    Ok(())
}
