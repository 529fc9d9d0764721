//! A client, and the peer that it talks to instead of a broker.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

/// A client that waits for each answer. It has a plain socket and no runtime.
pub(crate) struct Client {
    stream: TcpStream,
    answer: Vec<u8>,
    /// The peer, if it is a thread that ends with the client.
    peer: Option<JoinHandle<()>>,
}

impl Drop for Client {
    /// Waits for the peer, so that it does not tidy up while something else is measured.
    fn drop(&mut self) {
        if let Some(peer) = self.peer.take() {
            let _ = self.stream.shutdown(Shutdown::Both);
            let _ = peer.join();
        }
    }
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Client {
        let stream = TcpStream::connect(address).expect("somebody listens");
        stream.set_nodelay(true).expect("it is a socket");
        Client {
            stream,
            answer: Vec::new(),
            peer: None,
        }
    }

    /// Sends a frame and reads the one that answers it; returns its payload.
    pub(crate) fn call(&mut self, frame: &[u8]) -> &[u8] {
        self.stream.write_all(frame).expect("the peer reads");
        let mut length = [0; 4];
        self.stream
            .read_exact(&mut length)
            .expect("the peer answers");
        let length = usize::try_from(u32::from_be_bytes(length)).expect("it fits");
        self.answer.resize(length, 0);
        self.stream
            .read_exact(&mut self.answer)
            .expect("the peer answers");
        &self.answer
    }
}

/// A client of a peer that knows how long each request is, hands it to `work`, and
/// sends always the same `answer`. Both ends are plain threads with plain sockets.
pub(crate) fn connect_to_limit(
    request_size: usize,
    answer: Vec<u8>,
    mut work: impl FnMut(&[u8]) + Send + 'static,
) -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let mut client = Client::connect(listener.local_addr().expect("it has one"));
    client.peer = Some(thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("the client is there");
        stream.set_nodelay(true).expect("it is a socket");
        let mut request = vec![0; request_size];
        while stream.read_exact(&mut request).is_ok() {
            work(&request);
            if stream.write_all(&answer).is_err() {
                return;
            }
        }
    }));
    client
}
