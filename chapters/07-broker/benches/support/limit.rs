//! The peer that a client talks to instead of a broker, and the batch that both get.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use message_model::Timestamp;
use record_batch::{BatchBuilder, RecordToSend};

use crate::support::Client;

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

/// A batch of one record, `size` bytes long.
pub(crate) fn batch(size: usize) -> Vec<u8> {
    let with_value = |length: usize| {
        let mut builder = BatchBuilder::new();
        builder.push(&RecordToSend {
            timestamp: Timestamp(0),
            key: None,
            value: Some(&vec![b'x'; length]),
            headers: vec![],
        });
        builder.build()
    };
    let overhead = with_value(size).len() - size;
    let batch = with_value(size - overhead);
    assert_eq!(batch.len(), size, "the lengths in it have as many digits");
    batch
}
