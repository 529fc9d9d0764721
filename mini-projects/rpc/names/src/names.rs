//! A name service, as servers and clients use it.

use std::future::pending;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use rpc::Leases;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::board::{Board, Seen};
use crate::error::Error;

/// How long leases last, if nothing speaks for another length.
pub const LEASE: Duration = Duration::from_secs(10);

/// A name service. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Names {
    board: Arc<Board>,
    pub(crate) leases: watch::Receiver<Leases>,
}

/// Returns the name service with this URI, when what it knows has been read. Must be called
/// inside a tokio runtime.
///
/// `lease` is how long a server is known that is not heard of. Let it be the same in all
/// processes, and their clocks agree to within a small part of it.
///
/// # Errors
/// If there is no such name service, or it cannot be read within about the length of a lease.
pub async fn open(uri: &str, lease: Duration) -> Result<Names, Error> {
    let board = Arc::new(Board::open(uri, lease).await?);
    let mut seen = Seen::default();
    let looked = timeout(lease, board.look(&mut seen, Duration::ZERO)).await;
    looked.unwrap_or(Err(Error::TooSlow))?;
    let leases = board.leases.subscribe();
    tokio::spawn(Arc::clone(&board).watch(seen));
    Ok(Names { board, leases })
}

impl Names {
    /// Returns the addresses of the servers that offer `service`, as far as is known; sorted.
    #[must_use]
    pub fn living(&self, service: &str) -> Vec<String> {
        let leases = self.leases.borrow();
        match leases.living(service) {
            none if none.is_empty() => leases.living(""),
            living => living,
        }
    }

    /// Returns when servers of any service have come or gone since this was last called for
    /// this clone. May be dropped while it waits.
    pub async fn changed(&mut self) {
        if self.leases.changed().await.is_err() {
            pending().await
        }
    }

    /// Makes the server at `address` known as one that offers `service`, for as long as the
    /// registration is kept.
    ///
    /// # Errors
    /// If it could not be written down. Perhaps it is all the same, for the length of a lease.
    pub async fn register(&self, service: &str, address: &str) -> Result<Registration, Error> {
        let offer = format!("{service} {address}");
        if !offer.split_whitespace().eq([service, address]) {
            return Err(Error::NotOneWord);
        }
        let (board, lease) = (Arc::clone(&self.board), self.board.lease);
        board.put(&offer, true).await?;
        let (kept, mut dropped) = oneshot::channel();
        // ANCHOR: heartbeats
        let heartbeats = tokio::spawn(async move {
            let mut pause = lease / 3;
            while timeout(pause, &mut dropped).await.is_err() {
                pause = lease / 3;
                if let Err(error) = board.put(&offer, true).await {
                    tracing::warn!("{offer} may be forgotten, a heartbeat is lost: {error}");
                    pause = lease / 10;
                }
            }
            board.put(&offer, false).await
        });
        // ANCHOR_END: heartbeats
        Ok(Registration { kept, heartbeats })
    }
}

/// A server that is known. When this is dropped, the server is forgotten: at once if the
/// runtime goes on, else when its lease ends.
#[derive(Debug)]
pub struct Registration {
    kept: oneshot::Sender<()>,
    heartbeats: JoinHandle<Result<(), Error>>,
}

impl Registration {
    /// Makes the server forgotten, and returns when that is written down.
    ///
    /// # Errors
    /// If it could not be; the lease ends all the same.
    pub async fn close(self) -> Result<(), Error> {
        drop(self.kept);
        let closed = self.heartbeats.await;
        closed.unwrap_or_else(|error| resume_unwind(error.into_panic()))
    }
}
