//! The parts of `ip-count` that need no queue, and what it shows. The whole job, with a queue
//! that is killed, is tested in `chapters/25-the-queue`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod access_log;
mod check;
mod civil_time;
mod endings;
mod input;
mod lines;
mod page;
mod process;
mod queue;
mod refusals;
mod rotated;
mod sample;
mod terminal;
mod traces;

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use message_model::Timestamp;
use proptest::prelude::ProptestConfig;
use proptest::test_runner::RngSeed;
use stream_compute::{Cut, Hit, Utc};

/// The same inputs on every run.
fn fixed() -> ProptestConfig {
    ProptestConfig {
        rng_seed: RngSeed::Fixed(29),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn five_seconds() -> Cut {
    Cut::Tumbling(Duration::from_secs(5))
}

/// A hit of visitor `host` at `seconds` after 2024-01-01.
fn hit(host: u8, seconds: i64) -> Hit {
    Hit {
        ip: IpAddr::V4(Ipv4Addr::new(192, 0, 2, host)),
        time: Timestamp((1_704_067_200 + seconds) * 1000),
    }
}

/// The line that a web server writes about `hit`, within the first minutes of 2024.
fn line(hit: Hit) -> String {
    let time = Utc(hit.time).to_string();
    let of_day = &time[11..19];
    format!(
        "{} - - [01/Jan/2024:{of_day} +0000] \"GET / HTTP/1.1\" 200 5",
        hit.ip
    )
}
