//! A request of the Kafka protocol, and what its handler makes of it.

use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;

use networking::{Answer, Chunk, Frame, Peer, Share};
use wire_protocol::{ApiKey, Malformed, RequestHeader, Wire, encode_response};

use crate::unwritten::Unwritten;

/// A request of an API and a version that we advertise.
#[derive(Debug)]
pub struct Request {
    /// Which API.
    pub api: ApiKey,
    /// Its header.
    pub header: RequestHeader,
    /// The address that it came from.
    host: IpAddr,
    /// Header and body, and what they hold of the byte budget.
    frame: Frame,
    /// Of its connection.
    unwritten: Arc<Unwritten>,
}

/// The program that sent a request, as operators see it.
#[derive(Debug, Clone)]
pub struct Sender {
    /// What it calls itself.
    pub client_id: Option<String>,
    /// The address that it connects from.
    pub host: IpAddr,
}

/// How to answer one request, and what the request holds of the byte budget
/// until its answer has been made, and the answer from then on.
#[derive(Debug)]
pub struct Reply {
    api: ApiKey,
    version: i16,
    correlation_id: i32,
    /// The client that waits for the answer.
    pub peer: Peer,
    /// What the client says about itself.
    pub sender: Sender,
    /// `None` when the response accounts for what it holds.
    share: Option<Share>,
    unwritten: Arc<Unwritten>,
}

impl Request {
    /// The request in `frame`, whose header has been read.
    pub(crate) fn new(
        api: ApiKey,
        header: RequestHeader,
        host: IpAddr,
        frame: Frame,
        unwritten: Arc<Unwritten>,
    ) -> Request {
        Request {
            api,
            header,
            host,
            frame,
            unwritten,
        }
    }

    /// Whether the version is served; if not, it is a [canary](wire_protocol::CANARIES).
    #[must_use]
    pub fn is_served(&self) -> bool {
        self.api.serves(self.header.api_version)
    }

    /// The body, and how to answer it. The byte budget counts what decoding makes
    /// of the bytes, before it is made, and then the answer, once it is made. What a
    /// handler takes meanwhile is not counted: all together hold at most six times
    /// what is.
    ///
    /// # Errors
    /// When the bytes are no such request; the connection is to be closed then.
    pub fn decode<R: wire_protocol::Request>(self) -> Result<(R, Reply), Malformed> {
        let Frame {
            payload,
            peer,
            mut share,
        } = self.frame;
        let (_, mut body) = RequestHeader::decode(&payload)?;
        share.grow(self.api.decoded_size(&body)?);
        let request = R::decode(&mut body)?;
        let reply = Reply {
            api: self.api,
            version: self.header.api_version,
            correlation_id: self.header.correlation_id,
            peer,
            sender: Sender {
                client_id: self.header.client_id,
                host: self.host,
            },
            share: Some(share),
            unwritten: self.unwritten,
        };
        Ok((request, reply))
    }
}

impl Reply {
    /// The version of the request, for handlers that act by it.
    #[must_use]
    pub fn version(&self) -> i16 {
        self.version
    }

    /// Waits until there is room for about `bytes` of an answer, whose size is that of what the
    /// broker knows and not of what the client has sent: many small requests that come
    /// together are answered one after the other. The next request of the connection waits too.
    pub async fn room(&mut self, bytes: usize) {
        if let Some(share) = &mut self.share {
            share.grow_for_answer(bytes).await;
        }
    }

    /// A response that exists already.
    #[must_use]
    pub fn now<B: Wire>(self, response: &B) -> Answer<Vec<Chunk>> {
        Answer::Now(self.encode(response))
    }

    /// A response that comes later; requests behind this one may begin meanwhile.
    #[must_use]
    pub fn later<B: Wire>(
        self,
        response: impl Future<Output = B> + Send + 'static,
    ) -> Answer<Vec<Chunk>> {
        Answer::Later(Box::pin(async move { self.encode(&response.await) }))
    }

    /// As [`Reply::later`], for a request that is counted in another way while it
    /// waits: `response` gets what it holds of the byte budget, and may give it back.
    #[must_use]
    pub fn later_with_share<B: Wire, Response>(
        mut self,
        response: impl FnOnce(Option<Share>) -> Response,
    ) -> Answer<Vec<Chunk>>
    where
        Response: Future<Output = B> + Send + 'static,
    {
        let response = response(self.share.take());
        self.later(response)
    }

    /// As [`Reply::later`], for a request that holds nothing of the byte budget while it waits.
    /// The response holds what others own too; its bytes, of which `size` says about how
    /// many they are, are made when there is room for them.
    #[must_use]
    pub fn later_with_room<B: Wire + Send + Sync + 'static>(
        mut self,
        response: impl Future<Output = B> + Send + 'static,
        size: fn(&B) -> usize,
    ) -> Answer<Vec<Chunk>> {
        if let Some(share) = &mut self.share {
            share.shrink_to(0);
        }
        Answer::Later(Box::pin(async move {
            let response = response.await;
            self.room(size(&response)).await;
            self.encode(&response)
        }))
    }

    /// The response's bytes, which hold their part of the byte budget until they are
    /// written: a client that asks for much and reads nothing uses up its own room.
    fn encode<B: Wire>(self, response: &B) -> Vec<Chunk> {
        let mut chunks = encode_response(self.api, self.version, self.correlation_id, response);
        if let Some(share) = self.share {
            self.unwritten.count(&mut chunks, share);
        }
        chunks
    }
}
