//! What a definition means, before anything runs.

use message_model::Timestamp;
use stream_engine::{Count, Error, IteratorSource, Job, OutOfOrder, Windows};

use crate::{ms, parallel, run};

fn numbers(partitions: u32) -> IteratorSource<impl Fn(u32) -> std::ops::Range<i64>> {
    IteratorSource::new(partitions, |_| 0..10)
}

#[test]
fn a_plan_shows_tasks_and_how_records_go_between_them() {
    let job = Job::new("sums");
    let (even, odd) = job
        .source("numbers", numbers(3))
        .rebalance()
        .map("doubled", |n| n * 2)
        .split("sorted", |n| if n % 4 == 0 { Ok(n) } else { Err(n) });
    let order = OutOfOrder {
        bound: ms(5),
        idle_after: None,
        step: None,
    };
    let (rows, late) = even
        .event_time("time", order, |n| Timestamp(*n))
        .key_by(|n| n % 3)
        .window(Windows::tumbling(ms(10)))
        .aggregate("count", Count);
    let (shown, kept) = rows.map("pair", |row| row.key).fork();
    shown.discard("shown");
    kept.union(late).filter("big", |n| *n > 1).discard("kept");
    odd.discard("odd");
    let plan = job.plan(4).unwrap();
    let wanted = "\
job sums
  1  ×3  numbers
  2  ×4  from 1 (numbers) in turn → doubled → sorted → time
  3  ×4  from 2 (time) by key → count → pair
  4  ×4  from 3 (pair) → shown
  5  ×4  from 3 (pair)
  6  ×4  from 3 (count) aside
  7  ×4  from 5 (union), 6 (union) → big → kept
  8  ×4  from 2 (sorted) aside → odd";
    assert_eq!(plan.to_string(), wanted);
}

#[test]
fn two_operators_of_one_name_are_refused() {
    let job = Job::new("twice");
    job.source("same", numbers(1)).discard("same");
    assert!(matches!(job.plan(1), Err(Error::SameName(name)) if name == "same".into()));
}

#[test]
fn records_that_go_nowhere_are_refused() {
    let job = Job::new("nowhere");
    let (good, bad) = job
        .source("numbers", numbers(1))
        .split("sorted", Ok::<i64, i64>);
    good.discard("good");
    drop(bad);
    assert!(matches!(job.plan(1), Err(Error::GoesNowhere(name)) if name == "sorted".into()));
}

#[test]
fn more_subtasks_than_key_groups_are_refused() {
    let job = Job::new("many");
    job.source("numbers", numbers(1)).discard("all");
    assert!(job.plan(128).is_ok());
    for wanted in [0, 129] {
        assert!(matches!(job.plan(wanted), Err(Error::Parallelism { .. })));
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_can_run_again() {
    let job = Job::new("again");
    let sink = stream_engine::MemorySink::default();
    job.source("numbers", numbers(2)).sink("all", sink.clone());
    for runs in 1..3 {
        run(&job, parallel(2)).await.unwrap();
        assert_eq!(sink.committed().len(), runs * 20);
    }
}
