//! Between a job and `mqd`: it knows each request, and stops at the one that a test waits for.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::support::PATIENCE;

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    /// Produce, of lines.
    Lines,
    /// Produce, of rows: it names a transaction.
    Rows,
    /// InitProducerId, of a transactional id.
    TakeId,
    /// Any other one, by its key.
    Key(i16),
}

/// When the relay stops, as seen from a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// The request does not arrive.
    Before,
    /// The request is on its way.
    During,
    /// The answer has come, and is not passed on.
    After,
}

/// Where the relay is to stop.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stop {
    pub(super) call: Call,
    pub(super) moment: Moment,
}

/// A relay, which runs for as long as the test does.
pub(super) struct Relay {
    address: SocketAddr,
    target: Arc<Mutex<Option<SocketAddr>>>,
    /// Where it is still to stop.
    at: Arc<Mutex<Vec<Stop>>>,
    stopped: Receiver<Sender<()>>,
}

impl Relay {
    /// Listens on a free port. A client that connects before there is a target is sent away.
    pub(super) fn listen() -> Relay {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (stops, stopped) = channel();
        let (target, at) = (Arc::default(), Arc::default());
        let relay = Relay {
            address,
            target: Arc::clone(&target),
            at: Arc::clone(&at),
            stopped,
        };
        thread::spawn(move || {
            for client in listener.incoming() {
                let to: Option<SocketAddr> = *target.lock().unwrap();
                let broker = to.and_then(|to| TcpStream::connect(to).ok());
                if let (Ok(client), Some(broker)) = (client, broker) {
                    let wire = Wire {
                        client,
                        broker,
                        at: Arc::clone(&at),
                        stops: stops.clone(),
                        awaited: Arc::default(),
                    };
                    wire.serve();
                }
            }
        });
        relay
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn point_to(&self, target: SocketAddr) {
        *self.target.lock().unwrap() = Some(target);
    }

    /// Stops there, once for each call of this.
    pub(super) fn stop_at(&self, stop: Stop) {
        self.at.lock().unwrap().push(stop);
    }

    /// Waits until a request is stopped at. It goes no further: its connection ends when what
    /// is returned is dropped.
    pub(super) fn stopped(&self) -> Option<Sender<()>> {
        self.stopped.recv_timeout(PATIENCE).ok()
    }
}

/// A connection of a client.
struct Wire {
    client: TcpStream,
    broker: TcpStream,
    at: Arc<Mutex<Vec<Stop>>>,
    stops: Sender<Sender<()>>,
    /// The request whose answer is not to be passed on.
    awaited: Arc<Mutex<Option<[u8; 4]>>>,
}

impl Wire {
    fn serve(self) {
        let wire = Arc::new(self);
        let answers = Arc::clone(&wire);
        thread::spawn(move || {
            drop(wire.carry_requests());
            wire.end();
        });
        thread::spawn(move || {
            drop(answers.carry_answers());
            answers.end();
        });
    }

    fn end(&self) {
        drop(self.client.shutdown(Shutdown::Both));
        drop(self.broker.shutdown(Shutdown::Both));
    }

    fn carry_requests(&self) -> io::Result<()> {
        loop {
            let frame = read_frame(&self.client)?;
            match self.is_to_stop(call_of(&frame)) {
                Some(Moment::Before) => return self.blow(),
                Some(Moment::During) => {
                    write_frame(&self.broker, &frame)?;
                    return self.blow();
                }
                Some(Moment::After) => {
                    *self.awaited.lock().unwrap() = frame[4..8].try_into().ok();
                }
                None => {}
            }
            write_frame(&self.broker, &frame)?;
        }
    }

    fn carry_answers(&self) -> io::Result<()> {
        loop {
            let frame = read_frame(&self.broker)?;
            if *self.awaited.lock().unwrap() == frame[..4].try_into().ok() {
                return self.blow();
            }
            write_frame(&self.client, &frame)?;
        }
    }

    /// Whether this is the request to stop at, and how.
    fn is_to_stop(&self, call: Call) -> Option<Moment> {
        let mut at = self.at.lock().unwrap();
        let first = at.iter().position(|stop| stop.call == call)?;
        Some(at.remove(first).moment)
    }

    /// Tells the test, and waits until it has killed what it wants to kill.
    fn blow(&self) -> io::Result<()> {
        let (held, waiting) = channel::<()>();
        if self.stops.send(held).is_ok() {
            let _dropped = waiting.recv();
        }
        Ok(())
    }
}

fn read_frame(mut from: &TcpStream) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let mut frame = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap()];
    from.read_exact(&mut frame)?;
    Ok(frame)
}

fn write_frame(mut to: &TcpStream, frame: &[u8]) -> io::Result<()> {
    let length = u32::try_from(frame.len()).unwrap().to_be_bytes();
    to.write_all(&[&length, frame].concat())
}

/// The first words of a request: key, version, number, the client's name; then of Produce and
/// InitProducerId a transactional id.
fn call_of(request: &[u8]) -> Call {
    let short = |at: usize| i16::from_be_bytes([request[at], request[at + 1]]);
    let (key, version) = (short(0), short(2));
    let (flexible, unnamed, named) = match key {
        0 => (9, Call::Lines, Call::Rows),
        22 => (2, Call::Key(22), Call::TakeId),
        key => return Call::Key(key),
    };
    let behind_name = 10 + usize::try_from(short(8)).unwrap_or(0);
    // Compact, behind the header's tags.
    let is_transactional = match version >= flexible {
        true => request[behind_name + 1] != 0,
        false => short(behind_name) >= 0,
    };
    match is_transactional {
        true => named,
        false => unnamed,
    }
}
