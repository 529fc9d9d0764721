//! A client.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread::JoinHandle;

/// A client that waits for each answer. It has a plain socket and no runtime.
pub(crate) struct Client {
    stream: TcpStream,
    answer: Vec<u8>,
    /// The peer, if it is a thread that ends with the client.
    pub(crate) peer: Option<JoinHandle<()>>,
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
