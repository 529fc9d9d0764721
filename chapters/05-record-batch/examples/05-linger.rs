//! A producer waits a little before it sends a batch. What does each record pay, and what
//! does each batch save? The batches are built; the time is only counted.

use message_model::Timestamp;
use record_batch::{BatchBuilder, RecordToSend};

/// As long as a line of an access log.
const LINE: [u8; 80] = [b'x'; 80];
/// For how long records come, in milliseconds.
const SPAN: u64 = 10_000;

fn main() {
    println!("records of 80 bytes, at even distances, for 10 s:\n");
    println!("records/s   linger   batches/s   records in one   bytes each   waits on average");
    for rate in [100, 1000, 10_000] {
        for linger in [0, 5, 50] {
            show(rate, linger);
        }
    }
}

/// The first record of a batch waits for the linger; whatever comes meanwhile goes with it.
fn show(rate: u64, linger: u64) {
    let (mut batches, mut bytes, mut waited) = (0, 0, 0);
    let arrivals: Vec<u64> = (0..rate * SPAN / 1000)
        .map(|n| n * 1_000_000 / rate)
        .collect();
    let mut rest = &arrivals[..];
    while let Some(&first) = rest.first() {
        let leaves = first + linger * 1000;
        let goes_with_it = rest.partition_point(|&arrival| arrival <= leaves);
        let (batch, behind) = rest.split_at(goes_with_it);
        batches += 1;
        bytes += size(batch);
        waited += batch.iter().map(|arrival| leaves - arrival).sum::<u64>();
        rest = behind;
    }
    let records = arrivals.len();
    println!(
        "{rate:>9}  {linger:>4} ms  {:>10.1}  {:>15.1}  {:>11.1}  {:>14.1} ms",
        f64::from(batches) * 1000.0 / SPAN as f64,
        records as f64 / f64::from(batches),
        bytes as f64 / records as f64,
        waited as f64 / records as f64 / 1000.0,
    );
}

/// The bytes of a batch with a record for each arrival (in microseconds).
fn size(arrivals: &[u64]) -> usize {
    let mut builder = BatchBuilder::new();
    for arrival in arrivals {
        let millis = i64::try_from(arrival / 1000).expect("ten seconds");
        builder.push(&RecordToSend {
            timestamp: Timestamp(1_700_000_000_000 + millis),
            key: None,
            value: Some(&LINE),
            headers: vec![],
        });
    }
    builder.size()
}
