//! A method of a server: bytes in, bytes out.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::{Stream, StreamExt as _};
use tokio::sync::Semaphore;

use crate::codec::{Codec, Travels, Unfit};
use crate::outbox::Queue;
use crate::part::{CallId, Error, Side, ToClient};
use crate::scratch;
use crate::session::Session;
use crate::transport::Outcome;

/// How a call ended on the server.
pub type Ending = Outcome<Vec<u8>>;

/// A value without an encoding is a mistake of the method, as a panic is.
fn encoded<C: Codec, T: Travels>(side: Side, value: &T) -> Ending {
    let mut body = scratch::take();
    let encoded = C::encode(value, &mut body);
    encoded.map_err(|Unfit| Error::Panicked)?;
    Ok((side, body))
}

/// Returns how a method ends that returns `value`.
///
/// # Errors
/// If the value has no encoding.
pub fn value<C: Codec, T: Travels>(value: &T) -> Ending {
    encoded::<C, T>(Side::Value, value)
}

/// Returns how a method ends that returns `result`, of which either side arrives as what it is.
///
/// # Errors
/// If it has no encoding.
pub fn result<C: Codec, T: Travels, E: Travels>(result: &Result<T, E>) -> Ending {
    match result {
        Ok(value) => encoded::<C, T>(Side::Value, value),
        Err(error) => encoded::<C, E>(Side::Error, error),
    }
}

// ANCHOR: start
/// Decodes the arguments at once. There is a sink if the caller wants items.
type Start = dyn Fn(&[u8], &Arc<Session>, Option<Sink>) -> Result<Started, Unfit> + Send + Sync;
// ANCHOR_END: start

/// What does the work, and about how many bytes its arguments take.
type Started = (BoxFuture<'static, Ending>, usize);

/// One method of a service, for one codec. The attribute [`service`](crate::service) makes
/// them.
pub struct Method {
    pub(crate) name: &'static str,
    pub(crate) start: Box<Start>,
}

impl Method {
    // ANCHOR: new
    /// A method that waits.
    pub fn new<C, A, F>(
        name: &'static str,
        method: impl Fn(A) -> F + Send + Sync + 'static,
    ) -> Method
    where
        C: Codec,
        A: Travels,
        F: Future<Output = Ending> + Send + 'static,
    {
        let start = Box::new(move |body: &[u8], _: &Arc<Session>, _: Option<Sink>| {
            let (arguments, held) = C::decode_sized(body)?;
            Ok((Box::pin(method(arguments)) as _, held))
        });
        Method { name, start }
    }
    // ANCHOR_END: new

    /// A method that blocks its thread.
    pub fn blocking<C: Codec, A: Travels>(
        name: &'static str,
        method: impl Fn(A) -> Ending + Clone + Send + Sync + 'static,
    ) -> Method {
        let start = Box::new(
            move |body: &[u8], session: &Arc<Session>, _: Option<Sink>| {
                let (arguments, held) = C::decode_sized(body)?;
                let method = method.clone();
                let mut work = Some(move || method(arguments));
                let piece = move || work.take().map(|work| work());
                let session = Arc::clone(session);
                let run = async move { session.server.blocking.run(session.number, piece).await };
                Ok((Box::pin(run) as _, held))
            },
        );
        Method { name, start }
    }

    /// A method that sends items, one after the other, with [`Sink::send_all`].
    pub fn streaming<C, A, F>(
        name: &'static str,
        method: impl Fn(A, Sink) -> F + Send + Sync + 'static,
    ) -> Method
    where
        C: Codec,
        A: Travels,
        F: Future<Output = Ending> + Send + 'static,
    {
        let start = Box::new(move |body: &[u8], _: &Arc<Session>, sink: Option<Sink>| {
            let sink = sink.ok_or(Unfit)?;
            let (arguments, held) = C::decode_sized(body)?;
            Ok((Box::pin(method(arguments, sink)) as _, held))
        });
        Method { name, start }
    }
}

impl fmt::Debug for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Method").field(&self.name).finish()
    }
}

/// Where the items of one call go.
#[derive(Debug)]
pub struct Sink {
    pub(crate) session: Arc<Session>,
    pub(crate) id: CallId,
    /// How many items the caller has room for.
    pub(crate) credit: Arc<Semaphore>,
}

impl Sink {
    /// Sends the items of `stream`, until it ends. No item is asked for before the caller
    /// has room for it.
    pub async fn send_all<C: Codec, T: Travels>(self, stream: impl Stream<Item = T>) -> Ending {
        let mut stream = pin!(stream);
        let outbox = &self.session.outbox;
        // ANCHOR: send-all
        loop {
            // It fails only when the call has ended, which drops this future.
            let credit = self.credit.acquire().await;
            let Some(value) = stream.next().await else {
                return Ok((Side::Value, Vec::new()));
            };
            credit.into_iter().for_each(|credit| credit.forget());
            let (_, item) = encoded::<C, T>(Side::Value, &value)?;
            if item.len() > self.session.body_bytes_max() {
                return Err(Error::TooLarge);
            }
            let message = ToClient::Item(self.id);
            let put = |queue: &mut Queue<_>| queue.has_room().then(|| queue.put(&message, &item));
            outbox.until(put).await;
            scratch::give_back(item);
        }
        // ANCHOR_END: send-all
    }
}
