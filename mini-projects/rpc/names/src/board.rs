//! Where servers and the ends of their leases are written down, and how they are followed.

use std::collections::BTreeMap;
use std::future::pending;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_model::{Clock, Lane};
use client::BrokerAddress;
use message_model::{Moment, Offset, Timestamp};
use rpc::Leases;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::error::Error;
use crate::file;
use crate::topic::Topic;

/// How often a file is read.
const LOOK: Duration = Duration::from_millis(100);
/// How long a look waits for news at most, and how long none is made after one that failed.
const WAIT: Duration = Duration::from_secs(1);

/// When the leases of servers end, by `SERVICE ADDRESS`.
pub(crate) type Ends = BTreeMap<String, Timestamp>;

#[derive(Debug)]
pub(crate) struct Board {
    place: Place,
    clock: Clock,
    pub(crate) lease: Duration,
    /// The servers that live, as far as is known.
    pub(crate) leases: watch::Sender<Leases>,
}

#[derive(Debug)]
enum Place {
    Static(Ends),
    /// A disk may be slow, so it has a lane.
    File(PathBuf, Lane<()>),
    Topic(Topic),
}

/// What was read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    pub(crate) ends: Ends,
    /// Where to read on in a topic; `None`: at its beginning.
    pub(crate) next: Option<Offset>,
    /// How long all looks together have taken that did not fail. This is the time for leases:
    /// it stands still while no heartbeat can be read.
    heard: Duration,
}

impl Board {
    pub(crate) async fn open(uri: &str, lease: Duration) -> Result<Board, Error> {
        let place = match uri.split_once(':') {
            Some(("static", servers)) => {
                let address = |server: &str| server.parse::<BrokerAddress>().ok();
                // Of the service without a name: servers of all services.
                let end = |server| Some((format!(" {}", address(server)?), Timestamp(i64::MAX)));
                let ends = servers.split(',').map(end).collect::<Option<_>>();
                Place::Static(ends.ok_or(Error::UnknownUri)?)
            }
            Some(("file", path)) if !path.is_empty() => {
                Place::File(PathBuf::from(path), Lane::new(1))
            }
            Some(("queue", place)) => Place::Topic(Topic::connect(place, lease).await?),
            _ => return Err(Error::UnknownUri),
        };
        Ok(Board {
            place,
            clock: Clock::start(),
            lease,
            leases: watch::Sender::new(Leases::new(lease)),
        })
    }

    /// Writes that a server lives, or that it lives no longer.
    pub(crate) async fn put(&self, offer: &str, is_living: bool) -> Result<(), Error> {
        let now = self.clock.wall();
        let lease = i64::try_from(self.lease.as_millis()).unwrap_or(i64::MAX);
        let end = is_living.then(|| Timestamp(now.0.saturating_add(lease)));
        let put = async {
            match &self.place {
                Place::Static(_) => Err(Error::Fixed),
                Place::File(path, disk) => loop {
                    let (path, offer) = (path.clone(), offer.to_owned());
                    let change = move || Some(file::change(&path, &offer, now, end));
                    if disk.run((), change).await? {
                        return Ok(());
                    }
                    // Another process has locked it.
                    sleep(Duration::from_millis(fastrand::u64(5..15))).await;
                },
                Place::Topic(topic) => topic.put(offer, end).await,
            }
        };
        let put = timeout(self.lease, put).await;
        put.unwrap_or(Err(Error::TooSlow))
    }

    /// Brings `seen` up to date. If nothing is new, waits for it, at most about for `wait`.
    async fn read(&self, seen: &mut Seen, wait: Duration) -> Result<(), Error> {
        match &self.place {
            Place::Static(_) if !seen.ends.is_empty() => pending().await,
            Place::Static(servers) => seen.ends.clone_from(servers),
            Place::File(path, disk) => {
                sleep(wait.min(LOOK)).await;
                let path = path.clone();
                seen.ends = disk.run((), move || Some(file::read(&path))).await?;
            }
            Place::Topic(topic) => topic.read(seen, wait).await?,
        }
        Ok(())
    }

    /// Takes in what is new. If that is nothing, waits for it, at most about for `wait`.
    pub(crate) async fn look(&self, seen: &mut Seen, wait: Duration) -> Result<(), Error> {
        let (mut new, began) = (seen.clone(), self.clock.now());
        // A topic may be another one after a failure, and is then read from its beginning.
        seen.next = None;
        self.read(&mut new, wait).await?;
        new.heard += self.clock.now().since(began);
        let today = self.clock.wall();
        self.leases.send_if_modified(|leases| {
            let mut has_changed = false;
            for offer in seen.ends.keys().chain(new.ends.keys()) {
                let Some((service, address)) = offer.split_once(' ') else {
                    continue;
                };
                has_changed |= match new.ends.get(offer) {
                    None => leases.release(service, address),
                    Some(end) if *end <= today || seen.ends.get(offer) == Some(end) => false,
                    Some(end) => {
                        let left = end.since(today).min(self.lease);
                        let renewed = Moment::after_start(new.heard + left);
                        leases.renew(service, address, renewed)
                    }
                };
            }
            has_changed | !leases.expire(self.now(&new)).is_empty()
        });
        new.ends.retain(|_, end| *end > today);
        *seen = new;
        Ok(())
    }

    // ANCHOR: watch
    /// Looks again and again, for as long as somebody wants to know.
    pub(crate) async fn watch(self: Arc<Board>, mut seen: Seen) {
        let looks = async {
            loop {
                let expiry = self.leases.borrow().next_expiry();
                let wait = expiry.map_or(WAIT, |expiry| expiry.since(self.now(&seen)).min(WAIT));
                if let Err(error) = self.look(&mut seen, wait).await {
                    tracing::warn!("what is known of servers stays as it is: {error}");
                    sleep(WAIT.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
                }
            }
        };
        tokio::select! {
            () = self.leases.closed() => {}
            () = looks => {}
        }
    }
    // ANCHOR_END: watch

    /// The time for leases. It begins with a lease, so that one can have been renewed before.
    fn now(&self, seen: &Seen) -> Moment {
        Moment::after_start(self.lease + seen.heard)
    }
}
