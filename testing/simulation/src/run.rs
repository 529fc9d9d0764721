//! A run: the lives of a broker one after the other, clients that go on meanwhile, a last read.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use history::Operation;
use sim_disk::SimDisk;
use tokio::runtime::{Builder, Runtime};
use tokio::time::Instant;

use crate::clients::{
    Isolation, Setting, read, read_in_group, read_offsets, read_to_the_end, transact, transform,
    write,
};
use crate::fate::Fate;
use crate::laws::{self, Ends, Violation};
use crate::network::{Link, Network};
use crate::node::{Node, PARTITIONS};
use crate::panics;
use crate::plan::{Death, Moment, Plan};
use crate::record::Recorder;
use crate::sim::Sim;

/// After so many milliseconds without new work all clients have ended, unless they hang.
const WORK_ENDS_WITHIN: u64 = 60_000;
/// After so many milliseconds in its last life the broker has ended all transactions.
const SETTLES_WITHIN: u64 = 30_000;

/// What came of a run.
#[derive(Debug)]
pub struct Outcome {
    /// What is wrong; `None` if all laws hold.
    pub violation: Option<Violation>,
    /// What clients did and saw.
    pub operations: Vec<Operation>,
    /// What happened, a line each, if that was wanted.
    pub trace: Vec<String>,
    /// How many requests the broker has answered that a law asks for.
    pub exchanges: usize,
    /// How often the broker has died.
    pub deaths: usize,
}

/// What is shared by the lives of a run.
struct Run {
    plan: Plan,
    sim: Sim,
    network: Network,
    recorder: Recorder,
    setting: Setting,
    disk: SimDisk,
    /// When the clients must have ended.
    limit: u64,
    deaths: usize,
    ends: Rc<Cell<Option<Ends>>>,
}

/// Returns what comes of a seed. The same seed always gives the same.
#[must_use]
pub fn run(seed: u64, traced: bool) -> Outcome {
    let sim = Sim::new(seed, traced);
    let plan = Plan::of(seed);
    sim.note(|| format!("{plan:?}"));
    let recorder = Recorder::new(&sim);
    let network = Network::new(&sim, &recorder, plan.delay_max, plan.cut_once_in);
    let setting = Setting {
        sim: sim.clone(),
        network: network.clone(),
        recorder: recorder.clone(),
        pause_once_in: plan.pause_once_in,
        is_calm: Rc::default(),
    };
    let mut run = Run {
        disk: SimDisk::new(seed),
        limit: plan.work + WORK_ENDS_WITHIN,
        plan,
        sim: sim.clone(),
        network,
        recorder: recorder.clone(),
        setting,
        deaths: 0,
        ends: Rc::default(),
    };
    let lived = panics::caught(|| run.all_lives());
    let (deaths, ends) = (run.deaths, run.ends.take());
    drop(run);
    sim.end();
    let record = recorder.take();
    let violation = lived
        .err()
        .or_else(|| laws::check(&record, ends.as_ref()).err());
    Outcome {
        violation,
        exchanges: record.exchanges.len(),
        operations: record.operations,
        trace: sim.take_trace(),
        deaths,
    }
}

impl Run {
    fn all_lives(&mut self) -> Result<(), Violation> {
        self.start_clients();
        let mut deaths = self.plan.deaths.clone().into_iter();
        loop {
            let death = deaths.next();
            let has_died = self.life(death)?;
            let Some((how, _)) = death.filter(|_| has_died) else {
                break;
            };
            self.survive(how);
        }
        self.check_that_all_have_ended()?;
        let how = match self.plan.has_losses() {
            true => Death::PowerFailure,
            false => [Death::Kill, Death::Stop][usize::from(self.sim.once_in(2))],
        };
        if how == Death::Kill || how == Death::PowerFailure {
            self.survive(how);
        }
        let (setting, ends) = (self.setting.clone(), Rc::clone(&self.ends));
        self.sim.spawn("the last reader", last_read(setting, ends));
        self.limit = self.sim.now() + SETTLES_WITHIN;
        self.life(None)?;
        self.check_that_all_have_ended()
    }

    fn start_clients(&self) {
        let (sim, setting) = (&self.sim, &self.setting);
        for number in 0..self.plan.writers {
            sim.spawn(&format!("writer {number}"), write(setting.clone()));
        }
        for number in 0..self.plan.transactors {
            let id = format!("t{number}");
            sim.spawn(&id.clone(), transact(setting.clone(), id));
        }
        for number in 0..self.plan.transforms {
            let id = format!("x{number}");
            sim.spawn(&id.clone(), transform(setting.clone(), id));
        }
        for number in 0..self.plan.members {
            sim.spawn(&format!("member {number}"), read_in_group(setting.clone()));
        }
        for isolation in [Isolation::Committed, Isolation::Uncommitted] {
            sim.spawn(
                &format!("{isolation:?} reader"),
                read(setting.clone(), isolation),
            );
        }
        let (calm, network, disk) = (
            Rc::clone(&setting.is_calm),
            self.network.clone(),
            sim.clone(),
        );
        sim.at(self.plan.work, move || {
            disk.note(|| "it is calm from now on".to_owned());
            calm.set(true);
            network.calm();
            network.with_node(Node::lives_on);
        });
    }

    /// Starts the broker, and returns whether it died. Else all clients have ended, or hang.
    fn life(&mut self, death: Option<(Death, Moment)>) -> Result<bool, Violation> {
        let death = death.filter(|_| !self.setting.is_calm.get());
        let runtime = runtime();
        let died = runtime.block_on(self.live(death));
        // In this order: what the tasks hold is dropped while the runtime is there.
        let node = self.network.detach();
        drop(runtime);
        drop(node);
        died
    }

    async fn live(&mut self, death: Option<(Death, Moment)>) -> Result<bool, Violation> {
        let (began, started) = (self.sim.now(), Instant::now());
        let (how, when) = death.unzip();
        self.sim.note(|| format!("a start; to end with {death:?}"));
        let mut fate = Fate::of(&self.disk, death);
        let random = self.sim.fork();
        let node = match Node::start(&self.disk, &self.plan, random, (began, &mut fate)).await {
            Ok(node) => node,
            Err(_) if fate.has_come(&self.disk) => return Ok(true),
            Err(error) => return Err(Violation::new("a broker starts on what survived", error.0)),
        };
        let outbox = node.outbox.clone();
        self.network.attach(node);
        let mut answers = 0;
        loop {
            let elapsed = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
            self.sim.advance(began + elapsed);
            let is_mortal = !self.setting.is_calm.get();
            for leaving in outbox.take() {
                if is_mortal && when == Some(Moment::Answer(answers)) {
                    return Ok(true);
                }
                answers += 1;
                self.network.carry(leaving);
            }
            if self.network.with_node(|node| node.is_off()) == Some(true) {
                return Ok(true);
            }
            if self.is_over_after_a_failure(&mut fate) {
                return Ok(true);
            }
            if is_mortal && is_due(death, elapsed) {
                self.stop_if(how == Some(Death::Stop)).await;
                return Ok(true);
            }
            self.sim.step();
            let has_ended = self.sim.alive().is_empty() || self.sim.now() > self.limit;
            if has_ended || self.recorder.has_complaints() || panics::happened() {
                return Ok(false);
            }
            let next = self.sim.next_event().unwrap_or(began).max(began);
            tokio::select! {
                biased;
                () = outbox.changed.notified() => {}
                () = tokio::time::sleep_until(started + Duration::from_millis(next - began)) => {}
            }
        }
    }

    /// Whether the disk has failed, and the time has passed that the broker goes on after that.
    fn is_over_after_a_failure(&self, fate: &mut Fate) -> bool {
        if fate.fails_at == u64::MAX || !fate.has_come(&self.disk) {
            return false;
        }
        let until = *fate.until.get_or_insert_with(|| {
            self.sim
                .note(|| "an operation of the disk fails".to_owned());
            let until = self.sim.now() + self.sim.pick(0..300);
            self.sim.at(until, || {});
            until
        });
        self.sim.now() >= until
    }

    async fn stop_if(&self, stops: bool) {
        let stopping = self.network.detach().filter(|_| stops);
        if let Some(node) = stopping {
            node.stop().await;
        }
    }

    /// The broker has died. Some time passes without it.
    fn survive(&mut self, how: Death) {
        self.deaths += 1;
        let operations = self.disk.operations();
        self.sim
            .note(|| format!("{how:?}, after {operations} operations of the disk"));
        if matches!(how, Death::PowerFailure | Death::DiskFailure) {
            self.disk = self.disk.crash();
        }
        let until = self.sim.now() + self.sim.pick(1..200);
        while let Some(next) = self.sim.next_event().filter(|next| *next <= until) {
            self.sim.advance(next);
            self.sim.step();
        }
        self.sim.advance(until);
    }

    fn check_that_all_have_ended(&self) -> Result<(), Violation> {
        let alive = self.sim.alive();
        match alive.is_empty() || self.recorder.has_complaints() {
            true => Ok(()),
            false => Err(Violation::new(
                "all ends when nothing goes wrong any more",
                format!(
                    "at {} ms there are still: {}",
                    self.sim.now(),
                    alive.join(", ")
                ),
            )),
        }
    }
}

fn is_due(death: Option<(Death, Moment)>, elapsed: u64) -> bool {
    match death {
        Some((Death::Stop, Moment::Operation(at) | Moment::Answer(at)))
        | Some((_, Moment::Time(at))) => elapsed >= at,
        _ => false,
    }
}

fn runtime() -> Runtime {
    let mut builder = Builder::new_current_thread();
    let built = builder.enable_time().start_paused(true).build();
    built.expect("a runtime without sockets needs nothing of the machine")
}

/// Waits until all transactions have ended, and reads everything.
async fn last_read(setting: Setting, ends: Rc<Cell<Option<Ends>>>) {
    loop {
        let is_stable = setting
            .network
            .with_node(|node| node.is_ready() && node.is_stable());
        if is_stable == Some(true) {
            break;
        }
        setting.sim.sleep(50).await;
    }
    let partitions: Vec<i32> = (0..PARTITIONS).collect();
    let mut link = Link::new(&setting.network, true);
    let mut found = Ends::default();
    for group in laws::GROUPS {
        loop {
            if let Some(offsets) = read_offsets(&mut link, group, &partitions).await {
                found.committed.insert(group, offsets);
                break;
            }
            setting.back_off().await;
        }
    }
    for isolation in [Isolation::Committed, Isolation::Uncommitted] {
        read_to_the_end(setting.clone(), isolation).await;
    }
    ends.set(Some(found));
}
