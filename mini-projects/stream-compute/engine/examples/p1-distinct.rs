//! How many different addresses were there? A set that has them all, and a sketch.
//!
//! ```text
//! cargo run -p stream-engine --example p1-distinct
//! ```

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;

use anyhow::Result;
use serde::Serialize;
use stream_engine::{Aggregate, Distinct};

/// How many addresses there are each time.
const COUNTS: [u32; 5] = [10, 300, 3_000, 30_000, 300_000];
/// By how many sketches of each size the error is judged.
const SAMPLES: u32 = 100;
const SAMPLE_SIZES: [u32; 3] = [1_000, 10_000, 100_000];

// ANCHOR: exact
/// How many different ones there are, exactly.
struct Exact;

impl Aggregate<IpAddr> for Exact {
    type State = HashSet<IpAddr>;
    type Value = usize;

    fn empty(&self) -> HashSet<IpAddr> {
        HashSet::new()
    }

    fn add(&self, state: &mut HashSet<IpAddr>, ip: &IpAddr) {
        state.insert(*ip);
    }

    fn merge(&self, state: &mut HashSet<IpAddr>, other: HashSet<IpAddr>) {
        state.extend(other);
    }

    fn value(&self, state: &HashSet<IpAddr>) -> usize {
        state.len()
    }
}
// ANCHOR_END: exact

fn main() -> Result<()> {
    let sketch = Distinct(|ip: &IpAddr| *ip);
    println!("             bytes in a checkpoint    the sketch");
    println!("addresses        set        sketch    says    off by");
    for count in COUNTS {
        let (exact, about) = (state(&Exact, 0..count), state(&sketch, 0..count));
        println!(
            "{count:>9}{:>11}{:>14}{:>8}{:>8.1} %",
            bytes(&exact)?,
            bytes(&about)?,
            sketch.value(&about),
            error(sketch.value(&about), count)
        );
    }

    println!("\nSo many of {SAMPLES} sketches are off by more than");
    println!("addresses    1.7 %  3.4 %  5.1 %");
    for count in SAMPLE_SIZES {
        let firsts = (1..=SAMPLES).map(|sample| sample * count);
        let abouts = firsts.map(|first| state(&sketch, first..first + count));
        let errors: Vec<f64> = abouts
            .map(|about| error(sketch.value(&about), count).abs())
            .collect();
        let beyond = |percent| errors.iter().filter(|error| **error > percent).count();
        println!(
            "{count:>9}{:>9}{:>7}{:>7}",
            beyond(1.7),
            beyond(3.4),
            beyond(5.1)
        );
    }

    let hours = [0..300_000, 200_000..500_000];
    let mut exact = Exact.empty();
    let mut about = sketch.empty();
    let mut sum = 0;
    for hour in hours {
        let of_hour = state(&sketch, hour.clone());
        sum += sketch.value(&of_hour);
        sketch.merge(&mut about, of_hour);
        Exact.merge(&mut exact, state(&Exact, hour));
    }
    println!("\nTwo hours with 300000 addresses each, 100000 of which are in both");
    println!("  the two numbers added  {sum}");
    println!("  the sketches merged    {}", sketch.value(&about));
    println!("  really                 {}", Exact.value(&exact));
    Ok(())
}

/// What is kept of these addresses.
fn state<A: Aggregate<IpAddr>>(aggregate: &A, numbers: Range<u32>) -> A::State {
    let mut state = aggregate.empty();
    for number in numbers {
        let ip = IpAddr::V4(Ipv4Addr::from_bits(number));
        aggregate.add(&mut state, &ip);
    }
    state
}

/// How large a state is in a checkpoint.
fn bytes(state: &impl Serialize) -> Result<usize> {
    Ok(postcard::to_stdvec(state)?.len())
}

/// By how many percent a number is off.
#[expect(clippy::cast_precision_loss, reason = "the counts are small")]
fn error(found: u64, exact: u32) -> f64 {
    (found as f64 / f64::from(exact) - 1.0) * 100.0
}
