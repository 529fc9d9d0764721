//! A correct queue, and clients that use it at the same time: histories without a fault.

use std::collections::BTreeMap;

use history::{Action, Operation, Outcome, Partition, Record, Send, Step};

use crate::small::p;

/// What is at an offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    /// A value that is readable.
    Value(u64),
    /// A value of a transaction that is open.
    Open(u64),
    /// A marker, or a value that was aborted.
    Hidden,
}

/// A correct queue with the clients' positions, and what they wrote down.
pub(crate) struct Model {
    random: fastrand::Rng,
    now: u64,
    next_value: u64,
    logs: Vec<Vec<Entry>>,
    clients: Vec<Client>,
    pub(crate) history: Vec<Operation>,
}

#[derive(Default)]
struct Client {
    /// The next offset in each partition that it reads.
    positions: BTreeMap<usize, usize>,
    open: Option<Open>,
}

/// A transaction that goes on.
struct Open {
    invoked: u64,
    steps: Vec<Step>,
    /// Where its values are.
    entries: Vec<(usize, usize)>,
    /// Where it was before, as a client reads on there after an abort.
    before: BTreeMap<usize, usize>,
}

impl Model {
    /// Runs `clients` on `partitions` until there are about `operations`, and reads everything.
    pub(crate) fn run(seed: u64, partitions: usize, clients: usize, operations: usize) -> Model {
        let mut model = Model {
            random: fastrand::Rng::with_seed(seed),
            now: 0,
            next_value: 0,
            logs: vec![Vec::new(); partitions],
            clients: (0..clients).map(|_| Client::default()).collect(),
            history: Vec::new(),
        };
        while model.history.len() < operations {
            let client = model.random.usize(0..clients);
            model.step(client);
        }
        for client in 0..clients {
            model.end_if_open(client);
        }
        model.read_all();
        // By invocation, as a recorder writes it down.
        model.history.sort_by_key(|operation| operation.invoked);
        model
    }

    fn tick(&mut self) -> u64 {
        self.now += self.random.u64(1..100);
        self.now
    }

    fn step(&mut self, client: usize) {
        let is_open = self.clients[client].open.is_some();
        match self.random.u8(0..100) {
            0..35 if is_open => self.send_in_transaction(client),
            35..60 if is_open => self.poll_in_transaction(client),
            _ if is_open => self.end_if_open(client),
            0..35 => self.send(client),
            35..70 => self.poll(client),
            70..85 => self.begin(client),
            85..92 => self.assign(client),
            _ => self.seek(client),
        }
    }

    fn record(&mut self, client: usize, invoked: u64, action: Action, outcome: Outcome) {
        let completed = self.tick();
        self.history.push(Operation {
            process: u32::try_from(client).expect("few clients"),
            invoked,
            completed,
            action,
            outcome,
        });
    }

    fn partition(&mut self) -> usize {
        self.random.usize(0..self.logs.len())
    }

    fn value(&mut self) -> u64 {
        self.next_value += 1;
        self.next_value
    }

    fn append(&mut self, partition: usize, entry: Entry) -> usize {
        self.logs[partition].push(entry);
        self.logs[partition].len() - 1
    }

    fn send(&mut self, client: usize) {
        let (invoked, partition, value) = (self.tick(), self.partition(), self.value());
        let (is_there, outcome) = match self.random.u8(0..10) {
            0 => (false, Outcome::Failed),
            1 => (false, Outcome::Unknown),
            2 => (true, Outcome::Unknown),
            _ => (true, Outcome::Ok),
        };
        let offset = is_there.then(|| self.append(partition, Entry::Value(value)));
        let answered = offset.filter(|_| outcome == Outcome::Ok && self.random.u8(0..20) > 0);
        let send = send_of(partition, value, answered);
        self.record(client, invoked, Action::Send(send), outcome);
    }

    fn poll(&mut self, client: usize) {
        let invoked = self.tick();
        let records = self.take(client);
        self.record(client, invoked, Action::Poll(records), Outcome::Ok);
    }

    /// Takes some records of each partition, below the last stable offset.
    fn take(&mut self, client: usize) -> Vec<Record> {
        let mut records = Vec::new();
        for (partition, next) in &mut self.clients[client].positions {
            let log = &self.logs[*partition];
            let is_open = |entry: &Entry| matches!(entry, Entry::Open(_));
            let stable = log.iter().position(is_open).unwrap_or(log.len());
            for _ in 0..self.random.u8(0..8) {
                if *next >= stable {
                    break;
                }
                if let Entry::Value(value) = log[*next] {
                    records.push(record_of(*partition, *next, value));
                }
                *next += 1;
            }
        }
        records
    }

    fn begin(&mut self, client: usize) {
        let open = Open {
            invoked: self.tick(),
            steps: Vec::new(),
            entries: Vec::new(),
            before: self.clients[client].positions.clone(),
        };
        self.clients[client].open = Some(open);
    }

    fn send_in_transaction(&mut self, client: usize) {
        let (partition, value) = (self.partition(), self.value());
        let offset = self.append(partition, Entry::Open(value));
        let answered = Some(offset).filter(|_| self.random.u8(0..10) > 0);
        let open = self.clients[client].open.as_mut().expect("it is open");
        open.steps
            .push(Step::Send(send_of(partition, value, answered)));
        open.entries.push((partition, offset));
    }

    fn poll_in_transaction(&mut self, client: usize) {
        let records = self.take(client);
        let open = self.clients[client].open.as_mut().expect("it is open");
        open.steps.push(Step::Poll(records));
    }

    fn end_if_open(&mut self, client: usize) {
        let Some(open) = self.clients[client].open.take() else {
            return;
        };
        let mut ending = Some(self.tick());
        let (is_committed, outcome) = match self.random.u8(0..10) {
            0..2 => (false, Outcome::Failed),
            2 => (false, Outcome::Unknown),
            3 => (true, Outcome::Unknown),
            4 => {
                ending = None;
                (false, Outcome::Unknown)
            }
            _ => (true, Outcome::Ok),
        };
        for (partition, offset) in open.entries {
            let entry = &mut self.logs[partition][offset];
            *entry = match *entry {
                Entry::Open(value) if is_committed => Entry::Value(value),
                _ => Entry::Hidden,
            };
            self.append(partition, Entry::Hidden);
        }
        let steps = open.steps;
        let invoked = open.invoked;
        self.record(
            client,
            invoked,
            Action::Transaction { steps, ending },
            outcome,
        );
        if outcome != Outcome::Ok {
            let before = open.before;
            for (partition, next) in before {
                self.go_to(client, partition, next);
            }
        }
    }

    fn assign(&mut self, client: usize) {
        let invoked = self.tick();
        let partitions: Vec<usize> = (0..self.logs.len())
            .filter(|_| self.random.bool())
            .collect();
        let positions = &mut self.clients[client].positions;
        positions.retain(|held, _| partitions.contains(held));
        for partition in &partitions {
            let somewhere = self.random.usize(0..=self.logs[*partition].len());
            positions.entry(*partition).or_insert(somewhere);
        }
        let partitions = partitions.iter().map(|index| name(*index)).collect();
        self.record(client, invoked, Action::Assign(partitions), Outcome::Ok);
    }

    fn seek(&mut self, client: usize) {
        let held: Vec<usize> = self.clients[client].positions.keys().copied().collect();
        if let Some(partition) = self.random.choice(held) {
            let next = self.random.usize(0..=self.logs[partition].len());
            self.go_to(client, partition, next);
        }
    }

    fn go_to(&mut self, client: usize, partition: usize, next: usize) {
        let invoked = self.tick();
        self.clients[client].positions.insert(partition, next);
        let offset = (self.random.u8(0..4) > 0).then(|| offset_of(next));
        let partition = name(partition);
        self.record(
            client,
            invoked,
            Action::Seek { partition, offset },
            Outcome::Ok,
        );
    }

    /// A process of its own reads everything, in pieces.
    fn read_all(&mut self) {
        self.clients.push(Client::default());
        let client = self.clients.len() - 1;
        for partition in 0..self.logs.len() {
            self.clients[client].positions.insert(partition, 0);
        }
        let is_behind = |model: &Model| {
            let mut positions = model.clients[client].positions.iter();
            positions.any(|(partition, next)| *next < model.logs[*partition].len())
        };
        while is_behind(self) {
            self.poll(client);
        }
    }
}

fn offset_of(place: usize) -> i64 {
    i64::try_from(place).expect("a short log")
}

fn name(partition: usize) -> Partition {
    p(u32::try_from(partition).expect("few partitions"))
}

fn send_of(partition: usize, value: u64, offset: Option<usize>) -> Send {
    Send {
        partition: name(partition),
        value,
        offset: offset.map(offset_of),
    }
}

fn record_of(partition: usize, offset: usize, value: u64) -> Record {
    Record {
        partition: name(partition),
        offset: offset_of(offset),
        value,
    }
}
