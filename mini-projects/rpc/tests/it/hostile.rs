//! Peers that mean harm, or are only slow.

use std::fs;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use fastrand::Rng;
use rpc::{Codec, Hello, Json, Postcard, ServerSettings, ToServer, Unfit, put};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWriteExt as _, DuplexStream, ReadBuf, duplex, split};
use tokio::time::{Instant, sleep};

use crate::fixture::Place;

#[path = "../../fuzz/fuzz_frames.rs"]
mod fuzz_frames;

use fuzz_frames::{Shape, fuzz_frames};

fn corpus() -> Vec<Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/fuzz_frames");
    let files = fs::read_dir(folder).unwrap();
    let inputs: Vec<_> = files
        .map(|file| fs::read(file.unwrap().path()).unwrap())
        .collect();
    assert!(inputs.len() >= 5, "{} inputs", inputs.len());
    inputs
}

#[test]
fn hostile_bytes_end_a_connection_and_no_process() {
    let mut rng = Rng::with_seed(1);
    for input in corpus() {
        fuzz_frames(&input);
        for at in 0..input.len() {
            fuzz_frames(&input[..at]);
            for _ in 0..3 {
                let mut changed = input.clone();
                changed[at] = rng.u8(..);
                fuzz_frames(&changed);
            }
        }
    }
}

/// Reads from `inner`, and counts how often it is looked at.
struct Counted {
    inner: tokio::io::ReadHalf<DuplexStream>,
    polls: Arc<AtomicUsize>,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.polls.fetch_add(1, Ordering::Relaxed);
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

/// Opens a connection that says hello; its server's side counts.
async fn open(place: &Place, polls: &Arc<AtomicUsize>) -> DuplexStream {
    let (mut ours, theirs) = duplex(64);
    let (inner, outgoing) = split(theirs);
    let polls = Arc::clone(polls);
    let incoming = Counted { inner, polls };
    let server = Arc::clone(&place.server);
    tokio::spawn(async move {
        let never = std::future::pending();
        server.serve_connection(incoming, outgoing, never).await;
    });
    let mut hello = Vec::new();
    put(&ToServer::Hello(Hello::OURS), b"", &mut hello);
    ours.write_all(&hello).await.unwrap();
    ours
}

#[tokio::test(start_paused = true)]
async fn silent_connections_and_one_that_sends_a_byte_a_second_cost_nobody_anything() {
    let place = Place::new(ServerSettings {
        idle: Duration::from_secs(3600),
        ..ServerSettings::default()
    });
    let silent = Arc::new(AtomicUsize::new(0));
    let mut connections = Vec::new();
    for _ in 0..5_000 {
        connections.push(open(&place, &silent).await);
    }
    let slow = Arc::new(AtomicUsize::new(0));
    let mut trickle = open(&place, &slow).await;
    let kinds = place.kinds();
    assert_eq!(kinds.echo("first".to_owned()).await, Ok("first".to_owned()));
    sleep(Duration::from_millis(1)).await;
    let (silent_before, slow_before) =
        (silent.load(Ordering::Relaxed), slow.load(Ordering::Relaxed));
    // A frame of 1,000 bytes, of which 60 come.
    let seconds = 60;
    trickle.write_all(&1000_i32.to_be_bytes()).await.unwrap();
    for _ in 0..seconds {
        trickle.write_all(b"?").await.unwrap();
        for _ in 0..10 {
            let began = Instant::now();
            assert_eq!(kinds.divide(7, 2).await, Ok(3));
            assert_eq!(began.elapsed(), Duration::ZERO);
        }
        sleep(Duration::from_secs(1)).await;
    }
    let polls = silent.load(Ordering::Relaxed) - silent_before;
    assert_eq!(polls, 0, "nobody looks at a connection that is silent");
    let polls = slow.load(Ordering::Relaxed) - slow_before;
    assert!(polls <= 4 * seconds, "{polls} looks for {seconds} bytes");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_runs_holds_room_and_what_finds_none_is_refused_at_once() {
    let place = Place::new(ServerSettings {
        calls_bytes_max: 100_000,
        ..ServerSettings::default()
    });
    let (kinds, other) = (place.kinds(), place.kinds());
    let large = "?".repeat(60_000);
    kinds.note_later(large.clone()).await.unwrap();
    place.seen.until(|seen| seen.begun() == 1).await;
    let began = Instant::now();
    let refused = other.keep(vec![large.clone()]).await;
    assert_eq!(refused, Err(rpc::Error::Overloaded));
    assert_eq!(other.nothing().await, Ok(()));
    other.note_later("small".to_owned()).await.unwrap();
    place.seen.until(|seen| seen.begun() == 2).await;
    assert_eq!(began.elapsed(), Duration::ZERO);
    place.seen.until(|seen| seen.dropped() == 2).await;
    assert_eq!(
        began.elapsed(),
        Duration::from_secs(1),
        "they end after one"
    );
    let begins = other.keep(vec![large]);
    let waits = tokio::time::timeout(Duration::from_secs(1), begins).await;
    assert!(waits.is_err(), "it has begun");
    assert_eq!(place.seen.begun(), 3);
}

/// Says that there is more than there is.
fn claim<C: Codec, T: DeserializeOwned + std::fmt::Debug>(bytes: &[u8]) {
    let decoded = C::decode::<T>(bytes);
    assert_eq!(decoded.err(), Some(Unfit), "{}", std::any::type_name::<T>());
}

#[test]
fn a_length_that_is_only_claimed_is_no_memory() {
    // The largest length that postcard writes.
    let most = [
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 1, 2, 3,
    ];
    claim::<Postcard, String>(&most);
    claim::<Postcard, Vec<u64>>(&most);
    claim::<Postcard, Vec<[u64; 32]>>(&most);
    claim::<Postcard, std::collections::HashMap<u32, u32>>(&most);
    claim::<Postcard, Vec<Vec<String>>>(&[3, 3, 0xff, 0xff, 0x7f, 1]);
    claim::<Json, Vec<u8>>(b"[1, 2");
}

/// A value that takes no bytes.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Unit;

#[test]
fn elements_that_take_no_bytes_are_counted() {
    let most = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    claim::<Postcard, Vec<()>>(&most);
    claim::<Postcard, Vec<Unit>>(&most);
    claim::<Postcard, std::collections::BTreeMap<(), ()>>(&most);
    // Each of them is short, but not all together: 60,000 elements, 1,000 times.
    let nested = [vec![0xe8, 0x07], [0xe0, 0xd4, 0x03].repeat(1000)].concat();
    claim::<Postcard, Vec<Vec<()>>>(&nested);
    claim::<Postcard, Option<Vec<Vec<Unit>>>>(&[&[1][..], &nested].concat());
    claim::<Postcard, Vec<(Unit, Vec<()>)>>(&nested);
    let mut few = Vec::new();
    Postcard::encode(&vec![Unit, Unit, Unit], &mut few).unwrap();
    assert_eq!(Postcard::decode(&few), Ok(vec![Unit, Unit, Unit]));
}

/// Everything that serde knows of.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct All {
    numbers: (bool, i8, i16, i32, i64, i128, u8, u16, u32, u64, u128),
    floats: (f32, f64, char),
    nothing: (Unit, (), Option<u8>, Option<Vec<u8>>),
    newtype: New,
    map: std::collections::BTreeMap<String, Vec<All>>,
    choices: Vec<Shape>,
    array: [u16; 3],
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct New(String);

#[test]
fn values_of_all_kinds_survive() {
    let all = |map| All {
        numbers: (true, -1, -2, -3, -4, -5, 1, 2, 3, 4, 5),
        floats: (1.5, -2.5, 'ß'),
        nothing: (Unit, (), None, Some(vec![1, 2])),
        newtype: New("text".to_owned()),
        map,
        choices: vec![
            Shape::Point { x: 1, y: Some(2) },
            Shape::Text("text".to_owned()),
        ],
        array: [1, 2, 3],
    };
    let inner = all(std::collections::BTreeMap::new());
    let all = all([("key".to_owned(), vec![inner])].into());
    let mut bytes = Vec::new();
    Postcard::encode(&all, &mut bytes).unwrap();
    assert_eq!(Postcard::decode::<All>(&bytes), Ok(all));
    bytes.push(0);
    claim::<Postcard, All>(&bytes);
}

#[test]
fn shapes_survive() {
    let shape = Shape::Many(vec![Shape::Nothing, Shape::Text("text".to_owned())]);
    let mut bytes = Vec::new();
    Postcard::encode(&shape, &mut bytes).unwrap();
    assert_eq!(Postcard::decode::<Shape>(&bytes), Ok(shape));
}
