//! Real clients' sessions, recorded as bytes and replayed without the clients.
//!
//! A session is a text: who talked, and then, in order, every frame without its
//! length: the connection's number, `>` from the client or `<` from the broker,
//! and the bytes in hexadecimal. Each answer must come back byte by byte, except
//! that of ApiVersions, whose table grows with the chapters.
//!
//! To record one again: `cargo test -p mqd --test it -- --ignored record`.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use mqd_guard::{Mqd, Options};
use tempfile::TempDir;
use wire_protocol::ApiKey;

use crate::raw::Raw;
use crate::support::mqd;

/// What clients were told when the session was recorded: it is in the answers.
const CLUSTER_ID: &str = "recorded-cluster-id-00";

/// The side that sent a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    ToBroker,
    ToClient,
}

/// One frame.
#[derive(Debug)]
struct Frame {
    connection: usize,
    direction: Direction,
    payload: Vec<u8>,
}

/// A recorded session.
#[derive(Debug)]
struct Session {
    /// Where clients were told to connect to.
    advertised: String,
    frames: Vec<Frame>,
}

impl Session {
    fn path(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/sessions")
            .join(name)
    }

    fn read(name: &str) -> Session {
        let text = fs::read_to_string(Session::path(name)).unwrap();
        let mut advertised = None;
        let mut frames = Vec::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            match line.split(' ').collect::<Vec<_>>()[..] {
                ["advertised", address] => advertised = Some(address.to_owned()),
                [connection, direction, bytes] => frames.push(Frame {
                    connection: connection.parse().unwrap(),
                    direction: match direction {
                        ">" => Direction::ToBroker,
                        _ => Direction::ToClient,
                    },
                    payload: from_hex(bytes),
                }),
                _ => panic!("not a line of a session: {line}"),
            }
        }
        Session {
            advertised: advertised.unwrap(),
            frames,
        }
    }

    fn write(&self, name: &str, about: &str) {
        let mut text = format!("# {about}\nadvertised {}\n", self.advertised);
        for frame in &self.frames {
            let direction = match frame.direction {
                Direction::ToBroker => '>',
                Direction::ToClient => '<',
            };
            write!(text, "{} {direction} ", frame.connection).unwrap();
            for byte in &frame.payload {
                write!(text, "{byte:02x}").unwrap();
            }
            text.push('\n');
        }
        fs::create_dir_all(Session::path("")).unwrap();
        fs::write(Session::path(name), text).unwrap();
    }
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text
        .chars()
        .map(|digit| digit.to_digit(16).unwrap())
        .collect();
    let byte = |pair: &[u32]| u8::try_from(pair[0] * 16 + pair[1]).unwrap();
    digits.chunks_exact(2).map(byte).collect()
}

/// A broker that gives the same answers whenever and wherever it runs.
fn start(dir: &TempDir, advertised: &str) -> Mqd {
    fs::write(dir.path().join("cluster-id"), CLUSTER_ID).unwrap();
    let options: Options = mqd().data_dir(dir.path());
    options
        .set("advertised.listeners", advertised)
        .set("log.roll.ms", "3155760000000")
        .set("log.retention.ms", "-1")
        .start()
        .unwrap()
}

/// Which API a request is for.
fn api_of(request: &[u8]) -> i16 {
    i16::from_be_bytes([request[0], request[1]])
}

/// Sends what the client sent and expects what it was answered, in the order of the recording.
fn replay(name: &str) {
    let session = Session::read(name);
    let dir = TempDir::new().unwrap();
    let mqd = start(&dir, &session.advertised);
    let mut connections: HashMap<usize, Raw> = HashMap::new();
    let mut apis: HashMap<(usize, [u8; 4]), i16> = HashMap::new();
    let mut answered = 0;
    for (line, frame) in session.frames.iter().enumerate() {
        let raw = connections
            .entry(frame.connection)
            .or_insert_with(|| Raw::connect(&mqd));
        match frame.direction {
            Direction::ToBroker => {
                let id: [u8; 4] = frame.payload[4..8].try_into().unwrap();
                apis.insert((frame.connection, id), api_of(&frame.payload));
                raw.send_frame(&frame.payload).unwrap();
            }
            Direction::ToClient => {
                let id: [u8; 4] = frame.payload[..4].try_into().unwrap();
                let api = apis[&(frame.connection, id)];
                let got = raw.read_frame().unwrap();
                let same_until = if api == ApiKey::ApiVersions as i16 {
                    // Correlation id and error code.
                    6
                } else {
                    got.len().max(frame.payload.len())
                };
                assert_eq!(
                    got.get(..same_until),
                    frame.payload.get(..same_until),
                    "frame {line} of {name}, the answer of {:?}",
                    ApiKey::from_wire(api)
                );
                answered += 1;
            }
        }
    }
    assert!(answered > 0, "{name} has answers");
}

#[test]
fn kcat_lists_produces_and_consumes() {
    replay("kcat-1.7.1.txt");
}

#[test]
fn kafka_python_produces_idempotently_and_consumes() {
    replay("kafka-python-3.0.12.txt");
}

/// Passes frames on from `from` to `to`, and notes them.
fn pass_on(
    connection: usize,
    direction: Direction,
    (mut from, mut to): (TcpStream, TcpStream),
    frames: &Mutex<Vec<Frame>>,
) -> io::Result<()> {
    loop {
        let mut length = [0; 4];
        if let Err(error) = from.read_exact(&mut length) {
            drop(to.shutdown(Shutdown::Write));
            return Err(error);
        }
        let mut payload = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap()];
        from.read_exact(&mut payload)?;
        let bytes = [&length[..], &payload].concat();
        frames.lock().unwrap().push(Frame {
            connection,
            direction,
            payload,
        });
        to.write_all(&bytes)?;
    }
}

/// Takes connections in for as long as the test runs, and notes what passes through.
fn proxy(listener: TcpListener, broker: SocketAddr) -> Arc<Mutex<Vec<Frame>>> {
    let frames: Arc<Mutex<Vec<Frame>>> = Arc::default();
    let noted = Arc::clone(&frames);
    thread::spawn(move || {
        for (connection, client) in listener.incoming().enumerate() {
            let client = client.unwrap();
            let broker = TcpStream::connect(broker).unwrap();
            let there = (client.try_clone().unwrap(), broker.try_clone().unwrap());
            let frames = Arc::clone(&noted);
            thread::spawn(move || pass_on(connection, Direction::ToBroker, there, &frames));
            let frames = Arc::clone(&noted);
            let back = (broker, client);
            thread::spawn(move || pass_on(connection, Direction::ToClient, back, &frames));
        }
    });
    frames
}

/// Runs a client to its end; what it printed.
fn run(command: &mut Command, input: &str) -> String {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the client is installed");
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{command:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Notes what `talk` makes its client say to a broker at the address that it is given.
fn record(name: &str, about: &str, talk: impl FnOnce(&str)) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let advertised = listener.local_addr().unwrap().to_string();
    let dir = TempDir::new().unwrap();
    let mqd = start(&dir, &advertised);
    let frames = proxy(listener, mqd.address());
    talk(&advertised);
    let session = Session {
        advertised,
        frames: std::mem::take(&mut *frames.lock().unwrap()),
    };
    session.write(name, about);
}

#[test]
#[ignore = "needs kcat; rewrites the recording"]
fn record_kcat() {
    let about = "kcat 1.7.1 (librdkafka 2.0.2): produce with key and header, produce with each \
                 codec, list, consume all, query the end";
    record("kcat-1.7.1.txt", about, |broker| {
        let kcat = |arguments: &str, input: &str| {
            let arguments = arguments.split(' ');
            run(
                Command::new("kcat")
                    .args(["-q", "-b", broker])
                    .args(arguments),
                input,
            )
        };
        kcat("-P -t recorded -p 0 -K : -H colour=red", "a:one\nb:two\n");
        for codec in ["gzip", "snappy", "lz4", "zstd"] {
            let line = format!("{}\n", codec.repeat(100));
            kcat(&format!("-P -t recorded -p 0 -z {codec}"), &line);
        }
        kcat("-L", "");
        let consumed = kcat("-C -t recorded -p 0 -o beginning -e -f %o-%k-%s\\n", "");
        assert!(
            consumed.starts_with("0-a-one\n1-b-two\n2--gzipgzip"),
            "{consumed}"
        );
        assert_eq!(consumed.lines().count(), 6);
        kcat("-Q -t recorded:0:-1", "");
    });
}

/// An idempotent producer, as it is by default, and a consumer without a group.
const KAFKA_PYTHON: &str = "
import sys
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
producer = KafkaProducer(bootstrap_servers=sys.argv[1])
for number in range(5):
    value = b'value %d' % number
    sent = producer.send('recorded', key=b'key', value=value, headers=[('colour', b'red')])
    assert sent.get(timeout=10).offset == number
producer.close()
consumer = KafkaConsumer(bootstrap_servers=sys.argv[1])
partition = TopicPartition('recorded', 0)
consumer.assign([partition])
consumer.seek_to_beginning()
values = [next(consumer).value for _ in range(5)]
print(values, consumer.end_offsets([partition]))
consumer.close()
";

#[test]
#[ignore = "needs kafka-python; rewrites the recording"]
fn record_kafka_python() {
    let about = "kafka-python 3.0.12: an idempotent producer, a consumer with assign()";
    record("kafka-python-3.0.12.txt", about, |broker| {
        let said = run(
            Command::new("python3").args(["-c", KAFKA_PYTHON, broker]),
            "",
        );
        assert!(said.starts_with("[b'value 0', b'value 1'"), "{said}");
    });
}
