//! Two workers that share the connectors, killed in turn, and `mqd` too.

use async_model::Clock;
use interop::connect::{Converter, Worker};
use interop::{Replay, kcat, mqd_binary, replays, run};
use mqd_guard::{Mqd, Port};

use crate::{Copy, TOPIC, topic_lines};

/// Lines that are appended before anything is killed, in each round, and at the end.
const ROUND: usize = 50_000;

/// What is killed in the middle of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    SourceWorker,
    SinkWorker,
    Mqd,
}

const VICTIMS: [Victim; 6] = [
    Victim::SourceWorker,
    Victim::SinkWorker,
    Victim::Mqd,
    Victim::SinkWorker,
    Victim::SourceWorker,
    Victim::Mqd,
];

fn start_mqd() -> Mqd {
    Mqd::options(mqd_binary())
        .set("log.cleaner.backoff.ms", "500")
        .stable_port()
        .start()
        .unwrap()
}

/// Which of `workers` is the victim now; None if it is `mqd`.
fn victim_of(victim: Victim, copy: &Copy, workers: &[Worker]) -> Option<usize> {
    let connector = match victim {
        Victim::SourceWorker => copy.source(),
        Victim::SinkWorker => copy.sink(),
        Victim::Mqd => return None,
    };
    let addresses: Vec<_> = workers.iter().map(Worker::rest).collect();
    Some(workers[0].task_of(&connector, &addresses).unwrap())
}

fn repeated(replays: &[Replay]) -> usize {
    replays.iter().map(|replay| replay.repeated).sum()
}

#[test]
#[ignore = "takes minutes; run it with interop/connect"]
fn killed_workers_and_a_killed_mqd_lose_no_line() {
    let clock = Clock::start();
    let begun = clock.now();
    let mut mqd = start_mqd();
    let mut copy = Copy::new();
    let start =
        |name| Worker::distributed(&copy.path(name), mqd.address(), Converter::String).unwrap();
    let mut workers = [start("first"), start("second")];
    for connector in [copy.source(), copy.sink()] {
        workers[0].put(&connector).unwrap();
    }
    copy.append(ROUND);
    copy.wait_for_all();

    for victim in VICTIMS {
        let first = copy.lines.len();
        let worker = victim_of(victim, &copy, &workers);
        copy.append(ROUND);
        copy.wait_for(first + ROUND / 4);
        let round = clock.now();
        if let Some(worker) = worker {
            workers[worker].restart().unwrap();
        } else {
            mqd.restart(Port::Same).unwrap();
        }
        copy.wait_for_all();
        let seconds = clock.now().since(round).as_secs_f32();
        println!("{victim:?} killed; all lines are copied {seconds:.1} s later");
    }
    // Lines that come after all that may be repeated.
    copy.append(ROUND);
    copy.wait_for_all();
    let generation = workers
        .iter()
        .map(|worker| worker.generation().unwrap())
        .max();
    copy.stop(&workers[0]);

    let topic = topic_lines(mqd.address(), TOPIC);
    let by_source = replays(&copy.lines, &topic).unwrap();
    let by_sink = replays(&topic, &copy.copied()).unwrap();
    println!(
        "{} lines in {:.0} s; the workers' group is in generation {:?}",
        copy.lines.len(),
        clock.now().since(begun).as_secs_f32(),
        generation.flatten()
    );
    println!(
        "repeated by the source: {} {by_source:?}",
        repeated(&by_source)
    );
    println!("repeated by the sink: {} {by_sink:?}", repeated(&by_sink));
    // Without a kill there is no step back, and one at most for each kill: a source task
    // goes back to the last offset in connect-offsets, a sink task to the last that its
    // group has committed, and a producer sends again what mqd has not acknowledged.
    for found in [&by_source, &by_sink] {
        assert!(found.iter().all(|replay| replay.at >= ROUND), "{found:?}");
        assert!(found.len() <= VICTIMS.len(), "{found:?}");
    }
    offsets_were_compacted(&mqd);
}

/// The source's offsets, one record per flush and a key, were compacted while they were used.
fn offsets_were_compacted(mqd: &Mqd) {
    let mut command = kcat(mqd.address());
    command.args(["-C", "-q", "-e", "-o", "beginning", "-f", "%o\n"]);
    command.args(["-t", "connect-offsets"]);
    let offsets = run(command, b"").unwrap();
    let last: usize = offsets.lines().last().unwrap().parse().unwrap();
    let left = offsets.lines().count();
    println!("connect-offsets: {left} of {} records are left", last + 1);
    assert!(
        left <= last,
        "connect-offsets has all of its {left} records"
    );
}
