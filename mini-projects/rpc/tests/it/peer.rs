//! A client that does as a test says, byte for byte.

use std::time::Duration;

use networking::FrameReader;
use rpc::{
    Call, CallId, Codec as _, Error, Hello, Postcard, Side, Target, ToClient, ToServer, get,
    name_id, put,
};
use serde::Serialize;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, DuplexStream, ReadHalf, WriteHalf};

use crate::fixture::Place;

/// A client that does as a test says.
pub(crate) struct Peer<S = DuplexStream> {
    frames: FrameReader<ReadHalf<S>>,
    pub(crate) outgoing: WriteHalf<S>,
}

impl Peer {
    pub(crate) fn new(place: &Place) -> Peer {
        let (ours, theirs) = tokio::io::duplex(4096);
        place.serve(theirs);
        Peer::over(ours)
    }

    pub(crate) fn call_of(id: u32, method: &str, patience: Duration) -> ToServer {
        ToServer::Call(Call {
            id: CallId(id),
            patience_ms: patience.as_millis().try_into().unwrap(),
            credit: 0,
            target: Target {
                service: name_id("Kinds"),
                method: name_id(method),
                codec: Postcard::ID,
            },
            trace: 0,
        })
    }

    /// Returns a call of a stream.
    pub(crate) fn stream_of(id: u32, method: &str, credit: u32) -> ToServer {
        match Peer::call_of(id, method, Duration::from_secs(3600)) {
            ToServer::Call(call) => ToServer::Call(Call { credit, ..call }),
            other => other,
        }
    }
}

impl<S: AsyncRead + AsyncWrite> Peer<S> {
    pub(crate) fn over(stream: S) -> Peer<S> {
        let (incoming, outgoing) = tokio::io::split(stream);
        Peer {
            frames: FrameReader::new(incoming, 8 << 20),
            outgoing,
        }
    }

    pub(crate) async fn greet(&mut self) {
        self.send(&ToServer::Hello(Hello::OURS), b"").await;
        assert_eq!(self.message().await, Some(ToClient::Hello(Hello::OURS)));
    }

    pub(crate) async fn send(&mut self, message: &ToServer, body: &[u8]) {
        let mut out = Vec::new();
        put(message, body, &mut out);
        // A server that has closed the connection is what the test wants to see.
        let _ = self.outgoing.write_all(&out).await;
    }

    pub(crate) async fn call(&mut self, id: u32, method: &str, patience: Duration) {
        self.send(&Peer::call_of(id, method, patience), b"").await;
    }

    pub(crate) async fn message(&mut self) -> Option<ToClient> {
        let frame = self.frames.next(Duration::MAX).await.unwrap()?;
        let (message, _body) = get(frame).unwrap();
        Some(message)
    }

    pub(crate) async fn reply(&mut self) -> Option<(CallId, Result<Side, Error>)> {
        match self.message().await? {
            ToClient::Reply(id, result) => Some((id, result)),
            other => panic!("{other:?} is no reply"),
        }
    }

    /// Returns how many messages come until there are `most`, or the connection ends.
    pub(crate) async fn messages(&mut self, most: usize) -> usize {
        let mut count = 0;
        while count < most && matches!(self.frames.next(Duration::MAX).await, Ok(Some(_))) {
            count += 1;
        }
        count
    }

    /// Returns when the server has taken in all that was sent, with what it has sent meanwhile.
    pub(crate) async fn taken_in(&mut self) -> Vec<ToClient> {
        self.send(&ToServer::Ping, b"").await;
        let mut others = Vec::new();
        loop {
            match self.message().await.unwrap() {
                ToClient::Pong => return others,
                other => others.push(other),
            }
        }
    }
}

/// Returns arguments as they travel.
pub(crate) fn encoded(arguments: impl Serialize) -> Vec<u8> {
    let mut body = Vec::new();
    Postcard::encode(&arguments, &mut body).unwrap();
    body
}
