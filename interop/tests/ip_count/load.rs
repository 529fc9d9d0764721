//! Load: visitors of many addresses, on connections that are kept alive.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use interop::PATIENCE;

use crate::job::Progress;

/// Visitors that say where they come from; port scanners do not.
pub(crate) const ADDRESSES: usize = 60;

const CONNECTIONS: usize = 8;
/// Requests that are sent on a connection before the answers are read.
const PIPELINED: usize = 10;
/// How far the log may be ahead of the queue, in lines. Else the job would count for minutes
/// when the load has ended.
const AHEAD_MAX: usize = 4_000;

/// What a port scanner sends; nginx refuses it, and notes the bytes and its own side's address.
const SCAN: &[u8] = b"\x16\x03\x01\x00\x2e\"\r\n\r\n";

/// A thread that sends requests until it is told to stop.
#[derive(Debug)]
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    sending: JoinHandle<usize>,
}

impl Load {
    pub(crate) fn start(server: SocketAddr, progress: &Arc<Progress>) -> Load {
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, progress) = (Arc::clone(&stop), Arc::clone(progress));
        let sending = thread::spawn(move || {
            let mut visitors = Visitors::connect(server);
            while !stopped.load(Ordering::Relaxed) {
                visitors.round();
                progress.wait_for(visitors.requests.saturating_sub(AHEAD_MAX));
            }
            visitors.requests
        });
        Load { stop, sending }
    }

    /// Returns how many requests there were; all are answered.
    pub(crate) fn stop(self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        self.sending.join().unwrap()
    }
}

struct Visitors {
    server: SocketAddr,
    connections: Vec<BufReader<TcpStream>>,
    random: fastrand::Rng,
    requests: usize,
}

impl Visitors {
    fn connect(server: SocketAddr) -> Visitors {
        let connections = (0..CONNECTIONS).map(|_| BufReader::new(connect(server)));
        Visitors {
            server,
            connections: connections.collect(),
            random: fastrand::Rng::with_seed(13),
            requests: 0,
        }
    }

    /// Some requests on each connection, and one scan.
    fn round(&mut self) {
        for connection in &mut self.connections {
            let random = &mut self.random;
            let requests: String = (0..PIPELINED).map(|_| request(random)).collect();
            connection.get_mut().write_all(requests.as_bytes()).unwrap();
        }
        for connection in &mut self.connections {
            for _ in 0..PIPELINED {
                read_answer(connection);
            }
        }
        let mut scanner = connect(self.server);
        scanner.write_all(SCAN).unwrap();
        scanner.shutdown(Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        scanner.read_to_end(&mut answer).unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 400 "), "{answer:?}");
        self.requests += CONNECTIONS * PIPELINED + 1;
    }
}

fn connect(server: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(server).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// A few visitors come more often than the others. A third of all has IPv6.
fn request(random: &mut fastrand::Rng) -> String {
    let visitors = if random.bool() { ADDRESSES } else { 6 };
    let visitor = random.usize(0..visitors);
    let address = match visitor % 3 {
        0 => format!("2001:db8::{visitor:x}"),
        _ => format!("203.0.113.{visitor}"),
    };
    let page = random.u8(..);
    format!(
        "GET /page/{page}?from=\"index\" HTTP/1.1\r\nHost: shop\r\nX-Forwarded-For: {address}\r\n\
         User-Agent: a \"quoted\" \\ agent\r\n\r\n"
    )
}

/// An answer without a body.
fn read_answer(connection: &mut BufReader<TcpStream>) {
    let mut line = String::new();
    connection.read_line(&mut line).unwrap();
    assert!(line.starts_with("HTTP/1.1 204 "), "{line}");
    while line != "\r\n" {
        line.clear();
        assert!(connection.read_line(&mut line).unwrap() > 0, "it is closed");
    }
}
