//! The caller's end.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;
use tracing::{Instrument as _, Span, debug_span};

use crate::codec::{Codec, Travels};
use crate::part::{Error, Side, Target, name_id};
use crate::scratch;
use crate::served::Served;
use crate::settings::ClientSettings;
use crate::streaming::Streaming;
use crate::tcp::Tcp;
use crate::trace;
use crate::transport::{Outcome, Request, Transport};

/// More patience than this cannot travel: 49 days.
const PATIENCE_MAX: Duration = Duration::from_millis(u32::MAX as u64);

/// Calls methods of a server. The attribute [`service`](crate::service) makes a typed
/// client of each service, which is made of this one.
///
/// Cheap to clone; all clones share one transport.
#[derive(Debug)]
pub struct Client<T = Tcp> {
    transport: Arc<T>,
    patience: Duration,
    key: Option<u64>,
}

/// A method, as its caller names it.
#[derive(Debug, Clone, Copy)]
pub struct MethodName {
    service: &'static str,
    name: &'static str,
    target: Target,
    is_idempotent: bool,
}

impl MethodName {
    /// Returns the name of method `name` of `service`, with arguments and results written by `C`.
    #[must_use]
    pub const fn new<C: Codec>(service: &'static str, name: &'static str) -> MethodName {
        MethodName {
            service,
            name,
            target: Target {
                service: name_id(service),
                method: name_id(name),
                codec: C::ID,
            },
            is_idempotent: false,
        }
    }

    /// Returns the span of a call, at the caller's end, if any is wanted.
    fn span(&self, trace: u64) -> Option<Span> {
        trace::is_on().then(|| {
            let trace = format_args!("{trace:016x}");
            debug_span!("call", trace, service = self.service, method = self.name)
        })
    }

    /// Returns the name of a method that may run twice for one call.
    #[must_use]
    pub const fn idempotent(self) -> MethodName {
        MethodName {
            is_idempotent: true,
            ..self
        }
    }
}

/// Why a call of a method that returns a `Result` has no `Ok`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallError<E> {
    /// The method returned this.
    #[error("{0}")]
    Service(E),
    /// The method did not return, or what it returned did not arrive.
    #[error(transparent)]
    Rpc(#[from] Error),
}

impl Client {
    /// Returns a client of the server at `address`, such as `127.0.0.1:7000`. Must be called
    /// inside a tokio runtime.
    #[must_use]
    pub fn tcp(address: impl Into<String>, settings: ClientSettings) -> Client {
        Client::over(Tcp::new(address, settings), settings.patience)
    }
}

impl<T: Transport> Client<T> {
    /// Returns a client over `transport`, whose calls may take `patience`.
    #[must_use]
    pub fn over(transport: T, patience: Duration) -> Client<T> {
        Client {
            transport: Arc::new(transport),
            patience,
            key: None,
        }
    }

    /// Returns a client over the same transport, whose calls may take `patience`.
    #[must_use]
    pub fn with_patience(&self, patience: Duration) -> Client<T> {
        Client {
            patience,
            ..self.clone()
        }
    }

    /// Returns a client over the same transport, whose calls go where `key` says if the
    /// transport chooses between servers by keys.
    #[must_use]
    pub fn with_key(&self, key: u64) -> Client<T> {
        Client {
            key: Some(key),
            ..self.clone()
        }
    }

    /// Returns what carries the calls.
    #[must_use]
    pub fn transport(&self) -> &T {
        &self.transport
    }

    /// Calls a method that returns a `V`.
    ///
    /// # Errors
    /// See [`Error`]. It never waits longer than the client's patience, nor longer than the
    /// caller of the method from which it is called.
    pub async fn call<C: Codec, A: Serialize + Send, V: Travels>(
        &self,
        method: MethodName,
        arguments: A,
    ) -> Result<V, Error> {
        match self
            .outcome(&method, encoded::<C, A>(arguments)?, false)
            .await?
        {
            (Side::Value, value) => decode::<C, V>(&value),
            // An error of a method that has none is as unreadable as any other wrong reply.
            (Side::Error, _) => Err(Error::BadReply),
        }
    }

    /// Calls a method that returns a `Result<V, E>`.
    ///
    /// # Errors
    /// [`CallError::Service`] with what the method returned, else as [`call`](Client::call).
    pub async fn try_call<C: Codec, A: Serialize + Send, V: Travels, E: Travels>(
        &self,
        method: MethodName,
        arguments: A,
    ) -> Result<V, CallError<E>> {
        match self
            .outcome(&method, encoded::<C, A>(arguments)?, false)
            .await?
        {
            (Side::Value, value) => Ok(decode::<C, V>(&value)?),
            (Side::Error, error) => Err(CallError::Service(decode::<C, E>(&error)?)),
        }
    }

    /// Calls a method that returns nothing, and does not wait for its end. Returns when the
    /// call is queued; whether it arrives is not known.
    ///
    /// # Errors
    /// If it could not be queued within the client's patience.
    pub async fn send<C: Codec, A: Serialize + Send>(
        &self,
        method: MethodName,
        arguments: A,
    ) -> Result<(), Error> {
        let sent = self.outcome(&method, encoded::<C, A>(arguments)?, true);
        sent.await.map(drop)
    }

    async fn outcome(&self, method: &MethodName, arguments: Vec<u8>, is_one_way: bool) -> Outcome {
        let request = self.request(method, &arguments, is_one_way);
        let outcome = match method.span(request.trace) {
            None => self.transport.call(request).await,
            Some(span) => self.transport.call(request).instrument(span).await,
        };
        scratch::give_back(arguments);
        outcome
    }

    /// Calls a method that returns a stream of `V`s.
    ///
    /// # Errors
    /// As [`call`](Client::call), as far as the call was not sent. The client's patience is
    /// for the whole stream.
    pub async fn stream<C: Codec, A: Serialize + Send, V: Travels>(
        &self,
        method: MethodName,
        arguments: A,
    ) -> Result<Streaming<V>, Error> {
        let arguments = encoded::<C, A>(arguments)?;
        let request = self.request(&method, &arguments, false);
        let span = method.span(request.trace).unwrap_or_else(Span::none);
        let items = self.transport.stream(request).instrument(span).await?;
        Ok(Streaming::new::<C>(items))
    }

    // ANCHOR: request
    /// A call begins now; one that a method makes ends with the method's own deadline, and
    /// has its trace.
    fn request<'a>(
        &self,
        method: &MethodName,
        arguments: &'a [u8],
        is_one_way: bool,
    ) -> Request<'a> {
        let (served, now) = (Served::here(), Instant::now());
        let left = |served: Served| served.deadline.saturating_duration_since(now);
        let of_caller = served.map_or(PATIENCE_MAX, left);
        let patience = self.patience.min(of_caller).min(PATIENCE_MAX);
        Request {
            target: method.target,
            deadline: now + patience,
            patience,
            trace: trace::of_call(served.map_or(0, |served| served.trace)),
            is_idempotent: method.is_idempotent,
            is_one_way,
            key: self.key,
            arguments,
        }
    }
    // ANCHOR_END: request
}

/// Not held while the call waits: the arguments.
fn encoded<C: Codec, A: Serialize>(arguments: A) -> Result<Vec<u8>, Error> {
    let mut body = scratch::take();
    C::encode(&arguments, &mut body).map_err(|_| Error::Unencodable)?;
    Ok(body)
}

fn decode<C: Codec, V: Travels>(body: &[u8]) -> Result<V, Error> {
    C::decode(body).map_err(|_| Error::BadReply)
}

impl<T> Clone for Client<T> {
    fn clone(&self) -> Client<T> {
        Client {
            transport: Arc::clone(&self.transport),
            ..*self
        }
    }
}
