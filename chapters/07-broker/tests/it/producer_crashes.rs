//! The power fails at every step of what producers do.

use std::time::Duration;

use broker::Error;
use message_model::{Moment, Offset};
use record_batch::Marker;
use sim_disk::SimDisk;

use crate::producer_restarts::{aborted_transactions, begin, from_the_log, start, without_begin};
use crate::producers::end;
use crate::rules::Sent;
use crate::support::{Broker, NOW, append};

/// One step of what producers do.
#[derive(Debug, Clone, Copy)]
enum Step {
    Data(i64, i32),
    InTransaction(i64, i32),
    End(i64, Marker),
    Save,
}

use Step::{Data, End, InTransaction, Save};

const SCRIPT: &[Step] = &[
    Data(1, 0),
    Data(2, 0),
    InTransaction(3, 0),
    Save,
    Data(1, 1),
    End(3, Marker::Abort),
    InTransaction(3, 1),
    Data(2, 1),
    Save,
    InTransaction(4, 0),
    End(3, Marker::Commit),
    Data(1, 2),
    Data(5, 0),
    Save,
    Data(2, 2),
    End(4, Marker::Abort),
    Data(5, 1),
];

/// What was answered before the power failed.
#[derive(Debug, Default)]
struct Answered {
    /// Producer, sequence number, offset.
    batches: Vec<(i64, i32, Offset)>,
    /// Producer and first offset of each aborted transaction.
    aborted: Vec<(i64, Offset)>,
    open: Vec<(i64, Offset)>,
    /// Nothing says how the step ended in which it failed.
    in_doubt: Option<Step>,
}

async fn perform(broker: &Broker, step: Step, answered: &mut Answered) -> Result<(), Error> {
    let partition = broker.partition("t", 0);
    let long = "x".repeat(2_500);
    let appended = match step {
        Data(producer, first) => {
            append(&partition, NOW, Sent::new(producer, first).batch(&[&long])).await?
        }
        InTransaction(producer, first) => {
            begin(&partition, producer).await?;
            let sent = Sent::new(producer, first).in_transaction();
            append(&partition, NOW, sent.batch(&[&long])).await?
        }
        End(producer, marker) => end(&partition, producer, marker).await?,
        Save => {
            let mut failed = broker.topics.save_recovery_points().await;
            return failed.pop().map_or(Ok(()), |(_, error)| Err(error));
        }
    };
    let deadline = Moment::after_start(Duration::MAX);
    partition.durable(appended.range.end, deadline).await?;
    match step {
        Data(producer, first) | InTransaction(producer, first) => {
            let at = appended.range.start;
            answered.batches.push((producer, first, at));
            if matches!(step, InTransaction(..)) {
                answered.open.push((producer, at));
            }
        }
        End(producer, marker) => {
            let place = answered.open.iter().position(|(id, _)| *id == producer);
            let ended = answered.open.remove(place.unwrap());
            if marker == Marker::Abort {
                answered.aborted.push(ended);
            }
        }
        Save => {}
    }
    Ok(())
}

/// Performs the script until the power fails.
async fn run(disk: &SimDisk) -> (u64, Answered) {
    let mut answered = Answered::default();
    let (broker, _) = start(disk);
    broker.create("t", 1).await;
    let created = disk.operations();
    for step in SCRIPT {
        if perform(&broker, *step, &mut answered).await.is_err() {
            answered.in_doubt = Some(*step);
            break;
        }
    }
    (created, answered)
}

/// The power fails before every operation of the disk. What was answered is a duplicate from
/// then on, and readers of committed data see what they saw.
#[tokio::test]
async fn whatever_crashes_what_was_acknowledged_is_known() {
    let disk = SimDisk::new(1);
    let (created, _) = run(&disk).await;
    let operations = disk.operations();
    assert!(operations - created > 60, "{operations} operations");
    for operation in created..operations {
        let disk = SimDisk::new(operation);
        disk.power_off_at(operation);
        let (_, answered) = run(&disk).await;
        for _ in 0..4 {
            let survivor = disk.crash();
            judge(&survivor, &answered, operation).await;
            // What a start has made good is there at the next one.
            judge(&survivor, &answered, operation).await;
        }
    }
}

async fn judge(disk: &SimDisk, answered: &Answered, operation: u64) {
    let about = format!("before operation {operation}: {answered:?}");
    let (broker, rules) = start(disk);
    assert_eq!(
        without_begin(rules.known()),
        from_the_log(disk).await,
        "{about}"
    );
    let partition = broker.partition("t", 0);
    let log_end = partition.ends().unwrap().log_end;
    let aborted = aborted_transactions(&partition).await;
    let mut expected = answered.aborted.clone();
    if let Some(End(producer, Marker::Abort)) = answered.in_doubt {
        let open = answered.open.iter().find(|(id, _)| *id == producer);
        expected.extend(open.filter(|open| aborted.contains(open)));
    }
    assert_eq!(aborted, expected, "{about}");
    let stable = partition.ends().unwrap().last_stable;
    let ends = answered
        .open
        .iter()
        .filter(|(id, _)| match answered.in_doubt {
            Some(End(producer, _)) => producer != *id,
            _ => true,
        });
    match ends.map(|(_, first)| *first).min() {
        Some(first) => assert!(stable <= first, "{about}"),
        None if answered.in_doubt.is_none() => assert_eq!(stable, log_end, "{about}"),
        None => {}
    }
    let long = "x".repeat(2_500);
    for (producer, first, at) in &answered.batches {
        let batch = Sent::new(*producer, *first).batch(&[&long]);
        let again = append(&partition, NOW, batch).await;
        assert_eq!(again.unwrap().range.start, *at, "{about}");
    }
    assert_eq!(partition.ends().unwrap().log_end, log_end, "{about}");
}
