//! The caller's end.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use client::Client;
use consumer::{Consumer, OffsetReset};
use message_model::{Timestamp, TopicName, TopicPartition};
use producer::{Delivery, Producer, Record};
use rpc::{CallId, Error, Items, Outcome, Request, Side, ToServer, Transport};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio::time::timeout_at;

use crate::in_flight::InFlight;
use crate::record::{naming, reply_to, value};
use crate::replies::Replies;

/// The topics, the name and the limit of a caller.
#[derive(Debug, Clone)]
pub struct CallerSettings {
    /// The topic that the servers read.
    pub requests: TopicName,
    /// Where this caller's replies go. It reads all that is in this partition, so give each
    /// caller a partition of its own. Callers that share one pass over each other's replies.
    pub replies: TopicPartition,
    /// The caller's name. No other caller that the servers know has it; this caller has it
    /// again after a restart. No `/` is in it.
    pub name: String,
    /// How many calls may be in flight; a further one waits its turn.
    pub in_flight_max: usize,
}

/// Carries calls over the queue. Cheap to clone.
///
/// A call may run twice if a server dies, see [`serve_topic`](crate::serve_topic). A call that
/// is given up is not stopped on the server: it ends at its deadline. When the last clone is
/// dropped, requests that the broker does not have yet are dropped, too.
#[derive(Debug, Clone)]
pub struct OverQueue {
    shared: Arc<Shared>,
    /// Of its calls; `None`: each has another one.
    name: Option<Arc<str>>,
    /// Makes no call, and looks for a reply from then on.
    made_since: Option<Timestamp>,
}

#[derive(Debug)]
struct Shared {
    settings: CallerSettings,
    client: Arc<Client>,
    producer: Producer,
    in_flight: Arc<InFlight<Arc<str>, Outcome>>,
    permits: Semaphore,
    /// From when on the reader is to read again.
    again: mpsc::Sender<Timestamp>,
    reader: JoinHandle<()>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl OverQueue {
    /// Returns a transport through the broker at `bootstrap`. Both topics exist already.
    ///
    /// # Errors
    /// If the broker cannot be reached, or the partition for replies cannot be read.
    ///
    /// # Panics
    /// If there is a `/` in the caller's name.
    pub async fn connect(
        bootstrap: &str,
        settings: CallerSettings,
    ) -> Result<OverQueue, consumer::Error> {
        assert!(!settings.name.contains('/'), "it ends the caller's name");
        // Its own: a fetch that waits for records holds up other fetches of its client.
        let client = Arc::new(Client::connect(bootstrap, client::Settings::default()).await?);
        let rules = consumer::Settings {
            reset: OffsetReset::Latest,
            ..consumer::Settings::default()
        };
        let mut consumer = Consumer::new(Arc::clone(&client), rules);
        // What comes from now on is read.
        consumer.assign([settings.replies.clone()].into()).await?;
        let (again, asked) = mpsc::channel(1);
        let in_flight = Arc::new(InFlight::default());
        let replies = Replies {
            consumer,
            client: Arc::clone(&client),
            partition: settings.replies.clone(),
            in_flight: Arc::clone(&in_flight),
        };
        let shared = Shared {
            permits: Semaphore::new(settings.in_flight_max),
            settings,
            producer: Producer::new(Arc::clone(&client), sending()),
            client,
            in_flight,
            again,
            reader: tokio::spawn(replies.read(asked)),
        };
        Ok(OverQueue {
            shared: Arc::new(shared),
            name: None,
            made_since: None,
        })
    }

    /// Returns a transport for one call, which has this name. A server that remembers the name
    /// answers another call of the name with the first one's reply, and does not run the
    /// method again.
    #[must_use]
    pub fn named(&self, name: &str) -> OverQueue {
        OverQueue {
            shared: Arc::clone(&self.shared),
            name: Some(format!("{}/{name}", self.shared.settings.name).into()),
            made_since: None,
        }
    }

    /// Returns a transport that makes no call. It waits for the reply of the call of this name
    /// that this caller made at `since` or later, before it died or after. Call the same
    /// method; the arguments do not matter. All that has come since is read again, so the reply
    /// is found for as long as its topic keeps it.
    #[must_use]
    pub fn resume(&self, name: &str, since: Timestamp) -> OverQueue {
        OverQueue {
            made_since: Some(since),
            ..self.named(name)
        }
    }

    /// Returns how many calls wait for a reply.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.shared.in_flight.count()
    }

    /// The name of the next call.
    fn name(&self) -> Arc<str> {
        let caller = &self.shared.settings.name;
        let new = || format!("{caller}//{:032x}", fastrand::u128(..)).into();
        self.name.clone().unwrap_or_else(new)
    }

    async fn outcome(&self, request: Request<'_>) -> Outcome {
        let Shared {
            in_flight, permits, ..
        } = &*self.shared;
        // ANCHOR: call
        let name = self.name();
        let _permit = permits.acquire().await;
        let mut waiting = in_flight.wait(Arc::clone(&name));
        let delivery = match self.made_since {
            Some(since) => {
                // The reader is there for as long as this is.
                let _ = self.shared.again.send(since).await;
                return waiting.outcome().await.unwrap_or(Err(Error::Closed));
            }
            None => self.put(&name, request.renewed()).await?,
        };
        tokio::select! {
            biased;
            outcome = waiting.outcome() => outcome.unwrap_or(Err(Error::Closed)),
            Err(error) = delivery => Err(why(&error)),
        }
        // ANCHOR_END: call
    }

    /// Returns when a call that nothing answers is in the log.
    async fn sent(&self, request: Request<'_>) -> Outcome {
        if self.made_since.is_some() {
            // Nothing is sent, and nothing answers such a call.
            return Err(Error::Unreachable);
        }
        let delivery = self.put(&self.name(), request).await?;
        delivery.await.map_err(|error| why(&error))?;
        Ok((Side::Value, Bytes::new()))
    }

    /// Puts a request into its topic.
    async fn put(&self, name: &str, request: Request<'_>) -> Result<Delivery, Error> {
        let Shared {
            settings, client, ..
        } = &*self.shared;
        let id = match request.is_one_way {
            true => CallId::ONE_WAY,
            false => CallId(1),
        };
        let value = value(&ToServer::Call(request.call(id, 0)), request.arguments);
        let key = request.key.map(u64::to_be_bytes);
        let partition = settings.replies.partition.0.to_be_bytes();
        let [topic, partition] = reply_to(&settings.replies.topic, &partition);
        let headers = [naming(name), topic, partition];
        let record = Record {
            timestamp: Some(client.clock().wall()),
            key: key.as_ref().map(|key| &key[..]),
            value: Some(&value),
            headers: match request.is_one_way {
                true => &headers[..1],
                false => &headers,
            },
            ..Record::default()
        };
        let producer = &self.shared.producer;
        Ok(producer.send(&settings.requests, record).await)
    }
}

impl Transport for OverQueue {
    async fn call(&self, request: Request<'_>) -> Outcome {
        let ended = async {
            match request.is_one_way {
                true => self.sent(request).await,
                false => self.outcome(request).await,
            }
        };
        let ended = timeout_at(request.deadline, ended).await;
        ended.unwrap_or(Err(Error::DeadlinePassed))
    }

    async fn stream(&self, _: Request<'_>) -> Result<Items, Error> {
        Err(Error::NoStreams)
    }
}

/// How both ends send: at once, and each record into the log once.
pub(crate) fn sending() -> producer::Settings {
    producer::Settings {
        linger: Duration::ZERO,
        max_block: Duration::from_secs(5),
        ..producer::Settings::idempotent()
    }
}

/// Returns what it means for a call that its request did not get into the log.
fn why(error: &producer::Error) -> Error {
    match error {
        producer::Error::TooLarge => Error::TooLarge,
        producer::Error::Expired {
            may_be_in_log: true,
        } => Error::Closed,
        _ => Error::Unreachable,
    }
}
