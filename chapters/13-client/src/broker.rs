//! One broker: a connection, and what it speaks.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_model::Clock;
use message_model::Moment;
use networking::{CallId, Connection, ConnectionLimits};
use tokio::net::TcpStream;
use wire_protocol::message::{ApiVersion, ApiVersionsRequest};
use wire_protocol::{ApiKey, Request, decode_response, request_pieces};

use crate::address::BrokerAddress;
use crate::error::{Error, check};
use crate::throttle::Throttle;
use crate::versions::highest_common;

/// What a client allows a broker to send, and itself to ask.
const LIMITS: ConnectionLimits = ConnectionLimits {
    // `socket.request.max.bytes` is 100 MiB; a fetch may return one batch more.
    frame_bytes_max: 128 * 1024 * 1024,
    in_flight_max: 10_000,
};

/// A connection to a broker that has said which versions it serves.
#[derive(Debug)]
pub(crate) struct Broker {
    connection: Connection,
    client_id: Arc<str>,
    serves: Vec<ApiVersion>,
    clock: Clock,
    /// It takes no further calls.
    is_retired: AtomicBool,
    throttle: Throttle,
}

impl Broker {
    /// Connects and asks for the versions.
    pub(crate) async fn dial(
        clock: Clock,
        address: &BrokerAddress,
        client_id: Arc<str>,
        deadline: Moment,
    ) -> Result<Broker, Error> {
        let stream = TcpStream::connect((address.host.as_str(), address.port));
        let patience = deadline.since(clock.now());
        let stream = tokio::time::timeout(patience, stream)
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            .map_err(|source| Error::Dial {
                address: address.clone(),
                source: Arc::new(source),
            })?;
        let mut broker = Broker {
            connection: Connection::new(stream, LIMITS),
            client_id,
            serves: Vec::new(),
            clock,
            is_retired: AtomicBool::new(false),
            throttle: Throttle::new(clock),
        };
        // Version 0 is the one that every broker can answer.
        let request = ApiVersionsRequest::default();
        let answer = broker.ask_version(&request, 0, deadline).await?;
        check(answer.error_code)?;
        broker.serves = answer.api_keys;
        Ok(broker)
    }

    /// Whether another connection must be made for further calls.
    pub(crate) fn is_closed(&self) -> bool {
        self.is_retired.load(Ordering::Relaxed) || self.connection.is_closed()
    }

    /// Lets the calls that are in flight end, and takes no others.
    pub(crate) fn retire(&self) {
        self.is_retired.store(true, Ordering::Relaxed);
    }

    /// Asks in the highest version that both sides speak.
    pub(crate) async fn ask<R: Request>(
        &self,
        request: &R,
        deadline: Moment,
    ) -> Result<R::Response, Error> {
        let version = self.version(R::KEY)?;
        self.ask_version(request, version, deadline).await
    }

    /// Sends a request that the broker does not answer.
    pub(crate) async fn send<R: Request>(
        &self,
        request: &R,
        deadline: Moment,
    ) -> Result<(), Error> {
        let version = self.version(R::KEY)?;
        self.throttle.passed(deadline).await?;
        let payload = |id: CallId| request_pieces(request, version, id.0, &self.client_id);
        Ok(self.connection.send(self.left(deadline), payload).await?)
    }

    async fn ask_version<R: Request>(
        &self,
        request: &R,
        version: i16,
        deadline: Moment,
    ) -> Result<R::Response, Error> {
        self.throttle.passed(deadline).await?;
        let payload = |id: CallId| request_pieces(request, version, id.0, &self.client_id);
        let reply = self.connection.call(self.left(deadline), payload).await?;
        let answer = decode_response::<R>(&reply, version)?;
        self.throttle.note(R::throttle_time(&answer));
        Ok(answer)
    }

    fn left(&self, deadline: Moment) -> Duration {
        deadline.since(self.clock.now())
    }

    fn version(&self, api: ApiKey) -> Result<i16, Error> {
        highest_common(api, &self.serves).ok_or(Error::UnsupportedApi(api))
    }
}
