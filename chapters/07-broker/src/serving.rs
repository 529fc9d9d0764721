//! What is being served right now, for the last words of a panic.

use std::fmt::{self, Write};
use std::future::Future;
use std::net::SocketAddr;

use wire_protocol::ApiKey;

/// How much of a request is shown, in bytes.
const SHOWN: usize = 64;

tokio::task_local! {
    static SERVING: Serving;
}

/// A request, as far as a person wants to see it. Nothing of it is decoded
/// before it is shown: the decoding may be what panics.
#[derive(Debug, Clone)]
pub(crate) struct Serving {
    peer: SocketAddr,
    start: Vec<u8>,
    length: usize,
}

impl Serving {
    pub(crate) fn new(peer: SocketAddr, payload: &[u8]) -> Serving {
        Serving {
            peer,
            start: payload[..payload.len().min(SHOWN)].to_vec(),
            length: payload.len(),
        }
    }

    /// Runs `future` as what serves this request.
    pub(crate) async fn scope<F: Future>(self, future: F) -> F::Output {
        SERVING.scope(self, future).await
    }
}

impl fmt::Display for Serving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // API, version and correlation id, as every request begins.
        if let Some([k, key, v, version, id @ ..]) = self.start.first_chunk::<8>() {
            let key = i16::from_be_bytes([*k, *key]);
            match ApiKey::from_wire(key) {
                Some(api) => write!(f, "{api:?}")?,
                None => write!(f, "API {key}")?,
            }
            let version = i16::from_be_bytes([*v, *version]);
            let id = i32::from_be_bytes(*id);
            write!(f, " v{version}, correlation id {id}, ")?;
        }
        write!(f, "from {}, {} bytes: ", self.peer, self.length)?;
        let mut hex = String::new();
        for byte in &self.start {
            let _ = write!(hex, "{byte:02x} ");
        }
        f.write_str(hex.trim_end())?;
        f.write_str(if self.length > SHOWN { " …" } else { "" })
    }
}

/// What the current task serves: API, version, correlation id, peer, and the
/// first bytes of the request; `None` outside of a request.
///
/// A panic hook that prints it says which request met a hole in a learner's part.
#[must_use]
pub fn serving() -> Option<String> {
    SERVING.try_with(ToString::to_string).ok()
}

/// `piece`, which says on whatever thread it runs what is being served now.
pub(crate) fn pieces_as_served<T>(mut piece: impl FnMut() -> T) -> impl FnMut() -> T {
    let serving = SERVING.try_with(Clone::clone).ok();
    move || match serving.clone() {
        Some(serving) => SERVING.sync_scope(serving, &mut piece),
        None => piece(),
    }
}

/// A future that goes on by itself, also when its client is gone, and says what
/// was served when it began. Its panic goes on here.
pub(crate) async fn to_the_end<T: Send + 'static>(
    future: impl Future<Output = T> + Send + 'static,
) -> T {
    let serving = SERVING.try_with(Clone::clone).ok();
    let task = tokio::spawn(async move {
        match serving {
            Some(serving) => SERVING.scope(serving, future).await,
            None => future.await,
        }
    });
    match task.await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is shutting down, and drops this task too.
            Err(_) => std::future::pending().await,
        },
    }
}
