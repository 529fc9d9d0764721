//! Calls over one connection, beside the same bytes over a bare loopback socket.
//!
//! A call and its reply are frames of 104 bytes. The peer is the same in all: a
//! thread with a blocking socket that sends back what it reads. Beside a call
//! is one write and one read of 104 bytes by a thread that blocks; beside
//! 256 calls in flight, one write of 256 times as much, and reading it back.
//! `in-flight map` is the part of the work that pairs replies with calls (task 3.2).
//!
//! A [`Connection`] runs here on tokio's `current_thread` runtime, each call of
//! the 256 in a task of its own; making the payloads and the tasks is measured.
//! Not measured: opening a connection, several connections, a real network.
//!
//! `cargo bench -p networking --bench 03-calls`

use std::hint::black_box;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use criterion::{Criterion, Throughput};
use message_model::Moment;
use networking::{CallId, Connection, ConnectionLimits, Effect, Event, InFlight, PREFIX_SIZE};
use tokio::runtime::Builder;
use tokio::task::JoinSet;

/// The payload of a call with its id, in bytes.
const PAYLOAD_SIZE: usize = 100;
const FRAME_SIZE: usize = PREFIX_SIZE + PAYLOAD_SIZE;

/// How many calls are in flight at a time, when there are many.
const MANY: usize = 256;

/// Nothing here takes as long as this.
const PATIENCE: Duration = Duration::from_secs(30);

fn main() -> io::Result<()> {
    let mut criterion = bench_settings::criterion();
    calls(&mut criterion)?;
    criterion.final_summary();
    Ok(())
}

fn calls(criterion: &mut Criterion) -> io::Result<()> {
    let mut socket = echo()?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let connection = runtime.block_on(connect())?;
    let mut group = criterion.benchmark_group("03-calls");

    group.throughput(Throughput::Elements(1));
    let mut one = [7; FRAME_SIZE];
    group.bench_function("1 frame, bare socket", |bencher| {
        bencher.iter(|| there_and_back(&mut socket, &mut one));
    });
    group.bench_function("1 call", |bencher| {
        bencher.iter(|| runtime.block_on(call(&connection)));
    });

    group.throughput(Throughput::Elements(MANY as u64));
    let mut many = vec![7; MANY * FRAME_SIZE];
    group.bench_function("256 frames, bare socket", |bencher| {
        bencher.iter(|| there_and_back(&mut socket, &mut many));
    });
    group.bench_function("256 calls", |bencher| {
        bencher.iter(|| runtime.block_on(many_calls(&connection)));
    });
    let mut in_flight = InFlight::new(MANY);
    group.bench_function("in-flight map", |bencher| {
        bencher.iter(|| pair(&mut in_flight));
    });
    group.finish();
    Ok(())
}

/// A socket whose peer sends back all that it reads.
fn echo() -> io::Result<TcpStream> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let socket = TcpStream::connect(listener.local_addr()?)?;
    let (mut peer, _) = listener.accept()?;
    socket.set_nodelay(true)?;
    peer.set_nodelay(true)?;
    thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(count @ 1..) = peer.read(&mut buffer) {
            peer.write_all(&buffer[..count]).expect("it is read");
        }
    });
    Ok(socket)
}

fn there_and_back(socket: &mut TcpStream, bytes: &mut [u8]) {
    socket.write_all(bytes).expect("the peer reads");
    socket.read_exact(bytes).expect("the peer answers");
}

async fn connect() -> io::Result<Connection> {
    let socket = echo()?;
    socket.set_nonblocking(true)?;
    let limits = ConnectionLimits {
        frame_bytes_max: PAYLOAD_SIZE,
        in_flight_max: MANY,
    };
    let socket = tokio::net::TcpStream::from_std(socket)?;
    Ok(Connection::new(socket, limits))
}

async fn call(connection: &Connection) {
    let reply = connection.call(PATIENCE, payload).await;
    assert_eq!(reply.map(|reply| reply.len()), Ok(PAYLOAD_SIZE));
}

fn payload(id: CallId) -> Vec<u8> {
    let mut payload = vec![7; PAYLOAD_SIZE];
    payload[..size_of::<i32>()].copy_from_slice(&id.0.to_be_bytes());
    payload
}

async fn many_calls(connection: &Connection) {
    let mut callers = JoinSet::new();
    for _ in 0..MANY {
        let connection = connection.clone();
        callers.spawn(async move { call(&connection).await });
    }
    callers.join_all().await;
}

/// Takes in many calls, then their replies.
fn pair(in_flight: &mut InFlight<()>) {
    let deadline = Moment::START.plus(PATIENCE);
    let mut ids = Vec::with_capacity(MANY);
    for _ in 0..MANY {
        let event = Event::Call {
            deadline,
            waiter: (),
        };
        if let Some(Effect::Send(id)) = in_flight.step(Moment::START, event).pop() {
            ids.push(id);
        }
    }
    assert_eq!(ids.len(), MANY);
    for id in ids {
        black_box(in_flight.step(Moment::START, Event::Reply(id)));
    }
}
