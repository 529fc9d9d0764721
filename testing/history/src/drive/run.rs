//! A run from its start to the history.

use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};
use mqd_guard::Mqd;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

use super::last_read::read_all;
use super::nemesis::Nemesis;
use super::plan::Plan;
use super::proxy::Proxy;
use super::reader::{By, read};
use super::setup::Setup;
use super::transactor::transact;
use super::writer::write;
use super::{Event, Recorded, Run};
use crate::promise::Promise;

/// Records what clients of a broker do and see while things happen to it.
///
/// # Errors
/// When the broker does not start again, does not answer at the end, or returns what no client
/// sent in this form.
pub fn record(run: &Run) -> Result<Recorded> {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let recorded = record_with(run, &runtime);
    // A producer of a run that failed may wait for a broker that is gone.
    runtime.shutdown_background();
    recorded
}

fn record_with(run: &Run, runtime: &Runtime) -> Result<Recorded> {
    let mut random = fastrand::Rng::with_seed(run.seed);
    let proxy = runtime.block_on(Proxy::listen())?;
    let mqd = start(run, &proxy)?;
    proxy.point_to(mqd.address());
    let setup = Setup::new(proxy.address().to_string(), random.u32(1..5), run.promise)?;
    runtime.block_on(create_topic(&setup))?;
    let mut nemesis = Nemesis {
        run,
        mqd,
        proxy,
        recorder: setup.recorder.clone(),
        events: Vec::new(),
        random: random.fork(),
    };
    let mut clients = begin(&setup, runtime, &mut random);
    for (pause, event) in Plan(random.fork()) {
        thread::sleep(Duration::from_millis(pause));
        if Duration::from_micros(setup.recorder.now()) >= run.time {
            break;
        }
        nemesis.act(event)?;
    }
    setup.stop();
    runtime.block_on(async {
        while let Some(ended) = clients.join_next().await {
            ended.context("a client panicked")??;
        }
        anyhow::Ok(())
    })?;
    // What was acknowledged is on disk.
    nemesis.act(Event::Kill(0))?;
    runtime.block_on(read_all(&setup))?;
    Ok(Recorded {
        operations: setup.recorder.history(),
        events: nemesis.events,
    })
}

fn start(run: &Run, proxy: &Proxy) -> Result<Mqd> {
    let options = Mqd::options(&run.mqd)
        .stable_port()
        .set("advertised.listeners", &proxy.address().to_string())
        .set("group.initial.rebalance.delay.ms", "50")
        .set("group.min.session.timeout.ms", "500")
        .set("transaction.state.log.num.partitions", "3")
        .variable("RUST_LOG", "warn");
    let arguments = run.arguments.iter();
    arguments
        .fold(options, |options, argument| options.argument(argument))
        .start()
}

async fn create_topic(setup: &Setup) -> Result<()> {
    let client = setup.connect_once().await?;
    let partitions = setup.partitions.cast_signed();
    Ok(client.create_topic(&setup.topic, partitions, &[]).await?)
}

/// Starts the writers and the readers.
fn begin(setup: &Setup, runtime: &Runtime, random: &mut fastrand::Rng) -> JoinSet<Result<()>> {
    let mut clients = JoinSet::new();
    for number in 0..random.u8(2..5) {
        let (setup, random) = (setup.clone(), random.fork());
        if setup.promise == Promise::Transactional {
            let writing = transact(setup, format!("writer-{number}"), random);
            clients.spawn_on(writing, runtime.handle());
        } else {
            clients.spawn_on(write(setup, random), runtime.handle());
        }
    }
    let readers = [By::Assignment, By::Assignment, By::Group, By::Group];
    for by in readers {
        clients.spawn_on(read(setup.clone(), by, random.fork()), runtime.handle());
    }
    clients
}
