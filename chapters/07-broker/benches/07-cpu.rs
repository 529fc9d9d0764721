//! What the broker's threads cost per GB produced, beside a loop that only receives,
//! checks the CRC and writes.
//!
//! One producer sends batches of records of 1 KiB with `acks=1` as fast as they are
//! taken, without waiting for answers. Both ways it is the same producer, with the same
//! bytes on the socket, the same answers, and files in the same directory.
//!
//! The loop is one thread: `recv` until a request is whole, a CRC over its batch,
//! `pwrite` to the end of a file, `send` of the answer. It counts its own system calls.
//! So it has no protocol, no look at the records, no index, no readers and no waits. CPU
//! is the time that threads have run according to the kernel; what the kernel does by
//! itself, such as writing pages back, is in neither. Nothing is synced.
//!
//! `cargo bench -p broker --bench 07-cpu`; Linux only.

mod support;

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::FileExt;
use std::thread;
use std::time::Duration;

use async_model::Clock;
use message_model::Timestamp;
use networking::frame;
use record_batch::{BatchBuilder, RecordToSend, layout};
use wire_protocol::message::{ProducePartition, ProduceRequest, ProduceTopic};
use wire_protocol::{Records, encode_request};

use support::Broker;

/// How much one measurement produces, in bytes: less than a segment.
const PRODUCED: usize = 512 << 20;
/// Measurements of each, taken in turns; the medians are compared.
const ROUNDS: usize = 5;

/// One measurement.
#[derive(Debug, Clone, Copy)]
struct Cost {
    /// How long the threads ran.
    cpu: Duration,
    /// How long all took.
    took: Duration,
    /// How many system calls the loop made.
    calls: usize,
}

/// The bytes of one request, and of its answer.
struct Exchange {
    request: Vec<u8>,
    batch_size: usize,
    answer: Vec<u8>,
    /// How often.
    count: usize,
}

fn main() {
    if !fs::exists("/proc/thread-self/schedstat").unwrap_or(false) {
        println!("only Linux says how long a thread has run");
        return;
    }
    let broker = Broker::start();
    for records in [60, 960] {
        let exchange = Exchange::new(&broker, records);
        // Each once unmeasured.
        measure_loop(&exchange);
        measure_broker(&broker, &exchange);
        let mut costs = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            costs[0].push(measure_loop(&exchange));
            costs[1].push(measure_broker(&broker, &exchange));
        }
        print(&exchange, records, costs.map(median));
    }
}

fn median(mut costs: Vec<Cost>) -> Cost {
    costs.sort_by_key(|cost| cost.cpu);
    costs[costs.len() / 2]
}

fn print(exchange: &Exchange, records: usize, [limit, broker]: [Cost; 2]) {
    let bytes = exchange.count * exchange.batch_size;
    let gb = bytes as f64 / 1e9;
    let row = |name: &str, cost: Cost| {
        let cpu = cost.cpu.as_secs_f64() / gb;
        let rate = gb / cost.took.as_secs_f64();
        print!("  {name:<12}{cpu:>7.3} s of CPU per GB{rate:>7.2} GB/s");
    };
    println!("batches of {records} records of 1 KiB, {} MiB", bytes >> 20);
    row("bare loop", limit);
    let calls = limit.calls as f64 / (bytes as f64 / f64::from(1 << 20));
    println!("{calls:>7.1} system calls per MiB");
    row("broker", broker);
    let ratio = broker.cpu.as_secs_f64() / limit.cpu.as_secs_f64();
    println!("\n  ratio       {ratio:>7.2}");
}

impl Exchange {
    fn new(broker: &Broker, records: usize) -> Exchange {
        let batch = batch(records);
        let request = ProduceRequest {
            acks: 1,
            timeout_ms: 30_000,
            topics: vec![ProduceTopic {
                name: "t".to_owned(),
                partitions: vec![ProducePartition {
                    index: 0,
                    records: Records::from_bytes(batch.clone()),
                }],
            }],
            ..ProduceRequest::default()
        };
        let request = frame(&encode_request(&request, 7, 1, "bench"));
        broker.empty_topic("t");
        let answer = frame(broker.connect().call(&request));
        Exchange {
            request,
            batch_size: batch.len(),
            answer,
            count: PRODUCED / batch.len(),
        }
    }

    /// How long it takes to send all requests and to receive all answers.
    fn run(&self, address: SocketAddr) -> Duration {
        let clock = Clock::start();
        let mut stream = TcpStream::connect(address).expect("somebody listens");
        stream.set_nodelay(true).expect("it is a socket");
        let mut sending = stream.try_clone().expect("it is a socket");
        let started = clock.now();
        thread::scope(|scope| {
            scope.spawn(move || {
                for _ in 0..self.count {
                    sending.write_all(&self.request).expect("the peer reads");
                }
            });
            let mut answer = vec![0; self.answer.len()];
            for _ in 0..self.count {
                stream.read_exact(&mut answer).expect("the peer answers");
            }
        });
        clock.now().since(started)
    }
}

fn measure_broker(broker: &Broker, exchange: &Exchange) -> Cost {
    broker.empty_topic("t");
    let before = cpu(support::THREAD_NAME);
    let took = exchange.run(broker.address);
    Cost {
        cpu: cpu(support::THREAD_NAME) - before,
        took,
        calls: 0,
    }
}

fn measure_loop(exchange: &Exchange) -> Cost {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it has one");
    thread::scope(|scope| {
        let serving = thread::Builder::new().name("loop".to_owned());
        let serving = serving.spawn_scoped(scope, || {
            let calls = serve(&listener, exchange);
            (cpu("loop"), calls)
        });
        let serving = serving.expect("threads can be started");
        let took = exchange.run(address);
        let (cpu, calls) = serving.join().expect("it has not panicked");
        Cost { cpu, took, calls }
    })
}

/// The bare loop. Returns how many system calls it made.
fn serve(listener: &TcpListener, exchange: &Exchange) -> usize {
    let dir = support::dir();
    let file = File::create(dir.path().join("file")).expect("a file can be created");
    let (mut stream, _) = listener.accept().expect("the producer is there");
    stream.set_nodelay(true).expect("it is a socket");
    let mut request = vec![0; exchange.request.len()];
    let (mut calls, mut position) = (0, 0);
    for _ in 0..exchange.count {
        let mut filled = 0;
        while filled < request.len() {
            let count = stream.read(&mut request[filled..]);
            filled += count.expect("the producer sends");
            calls += 1;
        }
        let batch = &request[request.len() - exchange.batch_size..];
        let stored = &batch[layout::CRC..layout::ATTRIBUTES];
        let computed = crc32c::crc32c(&batch[layout::ATTRIBUTES..]);
        assert_eq!(stored, computed.to_be_bytes());
        file.write_all_at(batch, position)
            .expect("the disk has room");
        position += batch.len() as u64;
        stream
            .write_all(&exchange.answer)
            .expect("the producer reads");
        calls += 2;
    }
    calls
}

/// How long the threads of this name have run so far.
fn cpu(name: &str) -> Duration {
    let tasks = fs::read_dir("/proc/self/task").expect("this is Linux");
    let of_thread = |task: std::io::Result<fs::DirEntry>| {
        let dir = task.ok()?.path();
        let comm = fs::read_to_string(dir.join("comm")).ok()?;
        let schedstat = fs::read_to_string(dir.join("schedstat")).ok()?;
        let ran = schedstat.split(' ').next()?.parse().ok()?;
        (comm.trim_end() == name).then_some(Duration::from_nanos(ran))
    };
    tasks.filter_map(of_thread).sum()
}

/// A batch of so many records of 1 KiB.
fn batch(records: usize) -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    for _ in 0..records {
        builder.push(&RecordToSend {
            timestamp: Timestamp(0),
            key: None,
            value: Some(&[b'x'; 1 << 10]),
            headers: vec![],
        });
    }
    builder.build()
}
