//! The parts of `ip-count` that need no queue. The whole job, with a queue that
//! is killed, is tested in `chapters/25-the-queue`.

mod access_log;
mod check;
mod civil_time;
mod input;
mod lines;
mod pipeline;
mod sample;
mod traces;

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU32;

use message_model::Timestamp;
use proptest::prelude::ProptestConfig;
use proptest::test_runner::RngSeed;
use stream_compute::{Hit, Tumbling, Utc};

/// The same inputs on every run.
fn fixed() -> ProptestConfig {
    ProptestConfig {
        rng_seed: RngSeed::Fixed(29),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn five_seconds() -> Tumbling {
    Tumbling::of_seconds(NonZeroU32::new(5).expect("5"))
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
