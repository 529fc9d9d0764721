//! The keeper as a process, killed again and again.

use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use transactions::Decision;

use crate::keeper::{PATIENCE, World};

const ORDERS: usize = 40;
const KILLS: usize = 8;

/// A running keeper; killed when it is dropped.
struct Process(Child);

impl Process {
    fn start(bootstrap: &str) -> Process {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keeper"));
        command.args(["--bootstrap", bootstrap, "--group", "shop"]);
        command.args([
            "--first-ms",
            "200",
            "--longest-ms",
            "500",
            "--checks",
            "1000",
        ]);
        let child = command.stdout(Stdio::null()).spawn().unwrap();
        Process(child)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// Every third order is rolled back, and every second word is lost: checks make up for it.
#[tokio::test]
async fn a_process_that_is_killed_again_and_again_loses_nothing() {
    let world = World::new().await;
    let producer = world.producer();
    let mut checks = world.checks().await;
    let rolls_back = |number: usize| number.is_multiple_of(3);
    let answers = tokio::spawn(async move {
        loop {
            let decide = |check: &transactions::Check| {
                let number = check.id.strip_prefix("order-").unwrap();
                match rolls_back(number.parse().unwrap()) {
                    true => Decision::RollBack,
                    false => Decision::Commit,
                }
            };
            checks.answer(PATIENCE, decide).await.unwrap();
        }
    });
    let mut process = Process::start(&world.fake.address());
    for number in 0..ORDERS {
        let half = world.prepare(&producer, &format!("order-{number}")).await;
        if number.is_multiple_of(2) {
            let decision = match rolls_back(number) {
                true => Decision::RollBack,
                false => Decision::Commit,
            };
            producer.decide(half, decision).await.unwrap();
        }
        if number % (ORDERS / KILLS) == 0 {
            // Wait for something to be seen, so that it dies at work and not at its start.
            let before = world.ids("orders").await.len();
            let seen = async { while world.ids("orders").await.len() == before && number > 0 {} };
            tokio::time::timeout(Duration::from_secs(5), seen)
                .await
                .ok();
            drop(process);
            process = Process::start(&world.fake.address());
        }
    }
    let ids = (0..ORDERS).filter(|number| !rolls_back(*number));
    let committed: BTreeSet<String> = ids.map(|number| format!("order-{number}")).collect();
    let all_are_seen = async {
        loop {
            let seen: BTreeSet<String> = world.ids("orders").await.into_iter().collect();
            assert!(seen.is_subset(&committed), "{seen:?}");
            if seen == committed && world.keeper().await.open() == 0 {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, all_are_seen).await.unwrap();
    let seen = world.ids("orders").await;
    // One more copy at most for each order that was being copied at a kill.
    let most = committed
        .iter()
        .map(|id| seen.iter().filter(|one| *one == id).count());
    assert!(most.max() <= Some(1 + KILLS), "{seen:?}");
    drop(process);
    answers.abort();
}
