//! A burst meets a back end of a fixed rate: without a queue, with one that is
//! too small, and with one that is large enough. Time is simulated.
//!
//! 1,000 requests arrive within a second. The back end does 100 a second.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::time::Duration;

use message_model::{Moment, TokenBucket};

const MILLISECOND: Duration = Duration::from_millis(1);
const REQUESTS: u32 = 1000;

fn main() {
    println!("{REQUESTS} requests arrive within 1 s; the back end does 100 a second.\n");
    println!(
        "{:<15}{:>7}{:>9}{:>10}{:>14}{:>16}",
        "", "served", "refused", "in queue", "longest wait", "busiest second"
    );
    for (name, room) in [
        ("no queue", 1),
        ("queue of 100", 100),
        ("queue of 1,000", 1000),
    ] {
        let seen = simulate(room);
        println!(
            "{name:<15}{:>7}{:>9}{:>10}{:>12} s{:>16}",
            seen.served,
            seen.refused,
            seen.queue_max,
            seconds(seen.wait_max),
            seen.second_max,
        );
    }
}

#[derive(Default)]
struct Seen {
    served: usize,
    refused: usize,
    queue_max: usize,
    wait_max: Duration,
    /// The most requests that the back end got within any second.
    second_max: usize,
}

/// Runs until the burst is over and the queue, with room for so many, is empty.
fn simulate(room: usize) -> Seen {
    let rate = NonZeroU32::new(100).expect("not 0");
    let mut back_end = TokenBucket::new(Moment::START, rate, 1);
    let mut queue = VecDeque::new();
    let mut seen = Seen::default();
    let mut starts = VecDeque::new();
    let mut now = Moment::START;
    let mut arrived = 0;
    while arrived < REQUESTS || !queue.is_empty() {
        // One arrives each millisecond, as long as the burst lasts.
        if arrived < REQUESTS {
            arrived += 1;
            if queue.len() < room {
                queue.push_back(now);
            } else {
                seen.refused += 1;
            }
        }
        seen.queue_max = seen.queue_max.max(queue.len());
        if !queue.is_empty() && back_end.try_take(now, 1) {
            let came = queue.pop_front().expect("it is not empty");
            seen.served += 1;
            seen.wait_max = seen.wait_max.max(now.since(came));
            starts.push_back(now);
            while now.since(starts[0]) >= Duration::from_secs(1) {
                starts.pop_front();
            }
            seen.second_max = seen.second_max.max(starts.len());
        }
        now = now.plus(MILLISECOND);
    }
    seen
}

fn seconds(duration: Duration) -> String {
    format!("{:.2}", duration.as_secs_f64())
}
