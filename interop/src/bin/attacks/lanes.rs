//! Many who want the disk at the same time.

use std::thread;
use std::time::Duration;

use anyhow::{Result, anyhow};
use interop::Connection;
use interop::parity::Step;
use interop::requests::{creation, metadata_request, production, topic};

use crate::target::{Attack, PATIENCE, Target, one_record};
use interop::Latencies;

const TOPIC: &str = "shared";

pub(crate) fn attacks() -> Vec<Attack> {
    vec![
        Attack {
            name: "acks-all-64-producers",
            about: "64 producers with acks=all on one partition.",
            sync_ms: 20,
            settings: &[],
            prepare: |target| target.create(TOPIC, 1, &[]),
            run: producers,
        },
        Attack {
            name: "acks-all-64-in-flight",
            about: "One connection with 64 produces (acks=all) in flight.",
            sync_ms: 20,
            settings: &[],
            prepare: |target| target.create(TOPIC, 1, &[]),
            run: in_flight,
        },
        Attack {
            name: "acks-all-no-timeout",
            about: "acks=all with a timeout of 0, as fast as one connection can.",
            sync_ms: 20,
            settings: &[],
            prepare: |target| target.create(TOPIC, 1, &[]),
            run: no_timeout,
        },
        Attack {
            name: "creation",
            about: "5,000 partitions are created, and 8 Metadata requests create topics beside them.",
            sync_ms: 1,
            settings: &[("mqd.topic.partitions.max", "10000")],
            prepare: |_| Ok(()),
            run: create_many,
        },
    ]
}

fn acks_all(timeout_ms: i32) -> Step {
    let bytes = one_record(100).bytes();
    let request = production(TOPIC, -1, &[(0, Some(&bytes))]).with_timeout_ms(timeout_ms);
    Step::new(7, &request)
}

fn per_second(target: &Target, acks: &Latencies) -> String {
    let rate = acks.count() / usize::try_from(target.seconds.max(1)).unwrap_or(1);
    format!("{rate} acks a second, each {acks}")
}

fn producers(target: &Target) -> Result<String> {
    let (clock, address, end) = (target.clock(), target.address(), target.end());
    let mut samples = Latencies::default();
    thread::scope(|scope| -> Result<()> {
        let mut threads = Vec::new();
        for _ in 0..64 {
            threads.push(scope.spawn(move || -> Result<Latencies> {
                let mut connection = Connection::open(address, PATIENCE)?;
                let step = acks_all(30_000);
                let mut samples = Latencies::default();
                while clock.now() < end {
                    let started = clock.now();
                    connection.exchange(&step)?;
                    samples.add(clock.now().since(started));
                }
                Ok(samples)
            }));
        }
        for thread in threads {
            samples.extend(
                thread
                    .join()
                    .map_err(|_| anyhow!("a producer panicked"))??,
            );
        }
        Ok(())
    })?;
    Ok(per_second(target, &samples))
}

fn in_flight(target: &Target) -> Result<String> {
    pipeline(target, &acks_all(30_000), 64)
}

fn no_timeout(target: &Target) -> Result<String> {
    pipeline(target, &acks_all(0), 64)
}

fn pipeline(target: &Target, step: &Step, depth: usize) -> Result<String> {
    let mut connection = target.connect()?;
    let mut sent = std::collections::VecDeque::new();
    let mut samples = Latencies::default();
    let end = target.end();
    while target.now() < end {
        while sent.len() < depth {
            sent.push_back(target.now());
            connection.send(&step.frame)?;
        }
        let Some(_) = connection.receive()? else {
            anyhow::bail!("closed after {} acks", samples.count());
        };
        if let Some(started) = sent.pop_front() {
            samples.add(target.now().since(started));
        }
    }
    Ok(per_second(target, &samples))
}

fn create_many(target: &Target) -> Result<String> {
    let end = target.end();
    let request = creation(vec![topic("many", 5_000, 1)]).with_timeout_ms(60_000);
    let create = Step::new(3, &request);
    let mut creator = target.connect()?;
    creator.send(&create.frame)?;
    let mut beside: Vec<Connection> = Vec::new();
    for number in 0..8 {
        let names: Vec<String> = (0..20)
            .map(|name| format!("beside-{number}-{name}"))
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let request = metadata_request(&names).with_allow_auto_topic_creation(true);
        let mut connection = target.connect()?;
        connection.send(&Step::new(4, &request).frame)?;
        beside.push(connection);
    }
    let started = target.now();
    let answered = creator.receive();
    let took = target.now().since(started).as_secs_f64();
    thread::sleep(end.since(target.now()).max(Duration::from_millis(100)));
    Ok(match answered {
        Ok(Some(frame)) => {
            let answer = interop::parity::answer::answer(create.api, create.version, &frame)?;
            let code = &answer["topics"][0]["error_code"];
            format!("the creation answered {code} after {took:.1} s")
        }
        Err(error) => format!("no answer to the creation after {took:.0} s: {error}"),
        Ok(None) => "the creation's connection was closed".to_owned(),
    })
}
