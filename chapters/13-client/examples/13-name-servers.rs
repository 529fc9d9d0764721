//! Two name servers that disagree, and Kafka's metadata in the same accident.
//!
//! RocketMQ's brokers register with every name server each 30 s. A name server drops a
//! broker that it has not heard of for 120 s; it looks each 10 s. Name servers do not
//! talk to each other. A client asks one of them each 30 s, and sends to the brokers in
//! turn; what fails at one broker it sends to the next.
//!
//! Kafka's controller hears of each broker every 2 s, and fences one that it has not heard
//! of for 9 s. Every broker knows the leaders. A client asks again when a call has failed.
//!
//! The time is simulated: a table takes milliseconds, and is the same each time.
//!
//! `cargo run -p client --example 13-name-servers`

use std::collections::BTreeMap;
use std::time::Duration;

use client::{Attempts, Backoff, Route, RouteCache};
use message_model::{BrokerId, LeaderEpoch, Moment};

const REGISTER_EACH: u64 = 30;
const DROPPED_AFTER: u64 = 120;
const SCAN_EACH: u64 = 10;
const ASK_EACH: u64 = 30;

/// Broker 2 does not reach the second name server in this time …
const CUT: std::ops::Range<u64> = 100..400;
/// … and is dead from here on, in seconds.
const DEAD_FROM: u64 = 500;
const END: u64 = 800;

/// The broker that things happen to; broker 1 is always well.
const UNLUCKY: i32 = 2;

fn main() {
    println!("one message a second; broker 2 does not reach name server B from 100 s to 400 s,");
    println!("and is dead from 500 s on\n");
    let a = rocketmq(|_| true);
    let b = rocketmq(|now| !CUT.contains(&now));
    let kafka = kafka();
    println!("{:<44}{:>10}{:>10}{:>10}", "", "asks A", "asks B", "Kafka");
    row(
        "broker 2 is not in the answer from (s)",
        &[a.gone, b.gone, kafka.gone],
    );
    row("… to (s)", &[a.back, b.back, kafka.back]);
    row(
        "dead, and in the answer, for (s)",
        &[a.ghost, b.ghost, kafka.ghost],
    );
    row("messages", &[a.messages, b.messages, kafka.messages]);
    row(
        "… that failed once or more",
        &[a.failed, b.failed, kafka.failed],
    );
    row(
        "attempts that failed",
        &[a.attempts, b.attempts, kafka.attempts],
    );
    row(
        "age of the oldest route found wrong (s)",
        &[a.age, b.age, kafka.age],
    );
    row(
        "the longest that a message took (ms)",
        &[a.longest, b.longest, kafka.longest],
    );
    row("messages lost", &[a.lost, b.lost, kafka.lost]);
    println!(
        "\nA and B disagreed for {} s, and neither could know.",
        disagreed()
    );
}

fn row(what: &str, values: &[u64; 3]) {
    print!("{what:<44}");
    for value in values {
        match value {
            0 => print!("{:>10}", "-"),
            value => print!("{value:>10}"),
        }
    }
    println!();
}

/// What a client went through.
#[derive(Debug, Default)]
struct Seen {
    /// When the living broker 2 was missing in the client's answers: from, and to.
    gone: u64,
    back: u64,
    /// For how long the dead broker 2 was in them.
    ghost: u64,
    messages: u64,
    failed: u64,
    attempts: u64,
    age: u64,
    /// In milliseconds.
    longest: u64,
    lost: u64,
}

fn is_alive(broker: i32, now: u64) -> bool {
    broker != UNLUCKY || now < DEAD_FROM
}

/// What a name server knows: when it heard of each broker last.
#[derive(Debug, Default)]
struct NameServer {
    heard: BTreeMap<i32, u64>,
}

impl NameServer {
    /// One second: registrations arrive, and now and then the silent are dropped.
    fn second(&mut self, now: u64, reaches: impl Fn(u64) -> bool) {
        for broker in [1, UNLUCKY] {
            let reaches = broker != UNLUCKY || reaches(now);
            if now.is_multiple_of(REGISTER_EACH) && is_alive(broker, now) && reaches {
                self.heard.insert(broker, now);
            }
        }
        if now.is_multiple_of(SCAN_EACH) {
            self.heard.retain(|_, heard| now - *heard <= DROPPED_AFTER);
        }
    }
}

/// A client of one name server, which broker 2 reaches when `reaches` says so.
fn rocketmq(reaches: impl Fn(u64) -> bool) -> Seen {
    let mut server = NameServer::default();
    let mut seen = Seen::default();
    let mut route: Vec<i32> = Vec::new();
    let mut asked = 0;
    for now in 0..END {
        server.second(now, &reaches);
        if now.is_multiple_of(ASK_EACH) {
            route = server.heard.keys().copied().collect();
            asked = now;
        }
        let has = route.contains(&UNLUCKY);
        if is_alive(UNLUCKY, now) && !has && seen.gone == 0 {
            seen.gone = now;
        }
        if seen.gone > 0 && has && seen.back == 0 {
            seen.back = now;
        }
        seen.ghost += u64::from(has && !is_alive(UNLUCKY, now));
        send_in_turn(&mut seen, &route, now, asked);
    }
    seen
}

/// Sends a message to the brokers of the route, the first of which changes each time.
fn send_in_turn(seen: &mut Seen, route: &[i32], now: u64, asked: u64) {
    seen.messages += 1;
    let first = usize::try_from(now).unwrap_or(0) % route.len().max(1);
    let mut in_turn = route.iter().cycle().skip(first).take(route.len());
    let mut failures = 0;
    let taken = in_turn.any(|broker| {
        let is_taken = is_alive(*broker, now);
        failures += u64::from(!is_taken);
        is_taken
    });
    seen.attempts += failures;
    seen.failed += u64::from(failures > 0);
    seen.lost += u64::from(!taken);
    let took = ATTEMPT * u32::try_from(failures + 1).unwrap_or(u32::MAX);
    seen.longest = seen.longest.max(millis(took));
    if failures > 0 {
        seen.age = seen.age.max(now - asked);
    }
}

/// For how many seconds the two name servers gave different answers.
fn disagreed() -> u64 {
    let (mut a, mut b) = (NameServer::default(), NameServer::default());
    let mut seconds = 0;
    for now in 0..END {
        a.second(now, |_| true);
        b.second(now, |now| !CUT.contains(&now));
        seconds += u64::from(a.heard.keys().ne(b.heard.keys()));
    }
    seconds
}

const FENCED_AFTER: Duration = Duration::from_secs(9);
const MAX_AGE: Duration = Duration::from_secs(300);
const PATIENCE: Duration = Duration::from_secs(30);
const BACKOFF: Backoff = Backoff {
    first: Duration::from_millis(100),
    max: Duration::from_secs(1),
};
/// What an attempt takes, whether it fails or not.
const ATTEMPT: Duration = Duration::from_millis(2);

/// What any living broker says about the one partition.
fn leader(now: Moment) -> Route {
    let moved = Moment::after_start(Duration::from_secs(DEAD_FROM)).plus(FENCED_AFTER);
    let (leader, epoch) = if now < moved { (UNLUCKY, 0) } else { (1, 1) };
    Route {
        leader: Some(BrokerId(leader)),
        epoch: Some(LeaderEpoch(epoch)),
    }
}

/// A client of Kafka, which sends all messages to the leader of one partition.
fn kafka() -> Seen {
    let mut seen = Seen::default();
    let mut cache = RouteCache::new(MAX_AGE);
    let mut now = Moment::START;
    for second in 0..END {
        now = now.max(Moment::after_start(Duration::from_secs(second)));
        seen.messages += 1;
        let (before, began) = (seen.attempts, now);
        let mut attempts = Attempts::new(BACKOFF, now.plus(PATIENCE));
        loop {
            let broker = cache.leader(now, &"t", 0).unwrap_or_else(|| {
                cache.learn(now, "t", vec![leader(now)]);
                now = now.plus(ATTEMPT);
                leader(now).leader.unwrap_or(BrokerId(1))
            });
            now = now.plus(ATTEMPT);
            if is_alive(broker.0, now.since(Moment::START).as_secs()) {
                break;
            }
            seen.attempts += 1;
            cache.forget(now, now, &"t", 0);
            match attempts.failed(now, 0.5) {
                Some(next) => now = next,
                None => {
                    seen.lost += 1;
                    break;
                }
            }
        }
        seen.failed += u64::from(seen.attempts > before);
        seen.longest = seen.longest.max(millis(now.since(began)));
    }
    seen.ghost = FENCED_AFTER.as_secs();
    seen.age = cache.staleness().age_max.as_secs();
    seen
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
