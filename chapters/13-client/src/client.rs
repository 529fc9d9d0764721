//! One call to the right broker, and calls that are repeated.

use std::sync::Arc;
use std::time::Duration;

use async_model::Clock;
use message_model::{Moment, TopicName};
use networking::CallError;
use tokio::task::JoinHandle;
use wire_protocol::Request;

use crate::address::{BrokerAddress, InvalidAddress};
use crate::broker::Broker;
use crate::brokers::Brokers;
use crate::cluster::Cluster;
use crate::error::Error;
use crate::part::{Attempts, Backoff, Staleness};
use crate::settings::Settings;
use crate::target::{Role, Target};
use crate::topic_metadata::TopicMetadata;

/// A client. All methods may be called at the same time; share it by reference or `Arc`.
///
/// Each broker has a connection for fetches, one for produce requests, and others for
/// groups and for the rest, made when they are first needed. A connection that died,
/// or left a call unanswered, is replaced at the next call. A broker that wants no requests
/// for a while (`throttle_time_ms`) gets none on the connection that it said so on.
///
/// A request that waits at its broker holds up the later ones on its connection. So two
/// members of a group, whose requests the coordinator answers when both have come, cannot
/// share a client: each has one [`with_own_connections`](Client::with_own_connections).
#[derive(Debug)]
pub struct Client {
    settings: Settings,
    clock: Clock,
    pub(crate) cluster: Arc<Cluster>,
    /// Ends look-ups that run out of time.
    overdue: JoinHandle<()>,
}

impl Drop for Client {
    fn drop(&mut self) {
        self.overdue.abort();
    }
}

impl Client {
    /// Connects to the first of the comma-separated `bootstrap` addresses that answers.
    ///
    /// # Errors
    /// When an address is malformed, or none answers within [`Settings::patience`].
    pub async fn connect(bootstrap: &str, settings: Settings) -> Result<Client, Error> {
        let bootstrap: Vec<BrokerAddress> = bootstrap
            .split(',')
            .map(str::parse)
            .collect::<Result<_, InvalidAddress>>()?;
        let clock = Clock::start();
        let brokers = Brokers::new(clock, settings.clone(), bootstrap);
        let client = Client::new(clock, settings, brokers);
        let brokers = client.cluster.brokers();
        brokers.any(Role::Rest, client.deadline()).await?;
        Ok(client)
    }

    /// Returns a client of the same brokers, with the same settings and clock, and with
    /// routes and connections of its own. They are made when they are needed, and close when
    /// it is dropped: no request of one client waits behind one of the other. Must be called
    /// inside a tokio runtime.
    #[must_use]
    pub fn with_own_connections(&self) -> Client {
        let brokers = self.cluster.brokers().unconnected();
        Client::new(self.clock, self.settings.clone(), brokers)
    }

    fn new(clock: Clock, settings: Settings, brokers: Brokers) -> Client {
        let cluster = Arc::new(Cluster::new(clock, settings.clone(), brokers));
        let overdue = tokio::spawn({
            let cluster = Arc::clone(&cluster);
            async move { cluster.end_overdue().await }
        });
        Client {
            settings,
            clock,
            cluster,
            overdue,
        }
    }

    /// Returns the clock that deadlines are measured with.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Returns the settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Returns the deadline of a call that begins now and has [`Settings::patience`].
    #[must_use]
    pub fn deadline(&self) -> Moment {
        self.clock.now().plus(self.settings.patience)
    }

    /// Sends `request` to `target` once, in the highest version that both sides speak,
    /// and returns the answer as it came: error codes in it are the caller's to read.
    ///
    /// Finds the broker (as remembered, else by asking), and connects if need be. May be
    /// dropped while it waits; the request may have been carried out then.
    ///
    /// # Errors
    /// See [`Error`]. It ends at `deadline` at the latest. After [`Error::Call`] the
    /// request may or may not have been carried out.
    // ANCHOR: call
    pub async fn call<R: Request>(
        &self,
        target: &Target,
        request: &R,
        deadline: Moment,
    ) -> Result<R::Response, Error> {
        let (_, answer) = self.call_timed(target, request, deadline).await?;
        Ok(answer)
    }

    /// The same, with the moment at which the call took its route.
    pub(crate) async fn call_timed<R: Request>(
        &self,
        target: &Target,
        request: &R,
        deadline: Moment,
    ) -> Result<(Moment, R::Response), Error> {
        let role = Role::of(R::KEY);
        let (taken, broker) = self.connection(target, role, deadline).await?;
        let answer = broker.ask(request, deadline).await;
        self.judge((target, taken), &broker, &answer);
        Ok((taken, answer?))
    }
    // ANCHOR_END: call

    /// Sends a request that the broker does not answer (`acks=0`). Whether it arrives
    /// is not known.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn send<R: Request>(
        &self,
        target: &Target,
        request: &R,
        deadline: Moment,
    ) -> Result<(), Error> {
        let role = Role::of(R::KEY);
        let (taken, broker) = self.connection(target, role, deadline).await?;
        let sent = broker.send(request, deadline).await;
        self.judge((target, taken), &broker, &sent);
        sent
    }

    /// The connection to the target's broker, and when the route to it was taken. What led
    /// to a broker that cannot be reached is forgotten: it may have moved.
    async fn connection(
        &self,
        target: &Target,
        role: Role,
        deadline: Moment,
    ) -> Result<(Moment, Arc<Broker>), Error> {
        let brokers = self.cluster.brokers();
        let address = self.cluster.address(target, deadline).await?;
        let taken = self.clock.now();
        let broker = match address {
            Some(address) => brokers.link(&address, role).connection(deadline).await,
            None => brokers.any(role, deadline).await,
        };
        if broker.is_err() {
            self.forget_since(target, taken);
        }
        Ok((taken, broker?))
    }

    /// After a call without a readable answer the connection takes no further calls: the
    /// broker may be stuck, or gone. It may not be the target's broker any more either.
    fn judge<T>(
        &self,
        (target, taken): (&Target, Moment),
        broker: &Broker,
        answer: &Result<T, Error>,
    ) {
        use CallError::Refused;
        match answer {
            Ok(_)
            | Err(
                Error::Broker(_)
                | Error::UnsupportedApi(_)
                | Error::Throttled
                | Error::Call(Refused),
            ) => {}
            Err(_) => {
                broker.retire();
                self.forget_since(target, taken);
            }
        }
    }

    /// Makes the client look up what led to `target` again, when it is next needed.
    pub fn forget(&self, target: &Target) {
        self.forget_since(target, self.clock.now());
    }

    /// The same, for a call that took its route at `taken`, or a little before: what has
    /// been asked for since then stays. When many calls are refused together, those whose
    /// refusals come late then cost no further look-up.
    pub fn forget_since(&self, target: &Target, taken: Moment) {
        self.cluster.forget(target, taken);
    }

    /// Runs `attempt`, and again after a pause while its error
    /// [`is_retriable`](Error::is_retriable) and there is time before `deadline`; returns
    /// its last result. What led to `target` is forgotten in between when the error
    /// [`is_stale_route`](Error::is_stale_route).
    ///
    /// The pauses grow, with jitter. Whether a repetition is safe is the caller's to know.
    ///
    /// # Errors
    /// The last attempt's.
    pub async fn retry<T, Attempt>(
        &self,
        target: &Target,
        deadline: Moment,
        attempt: impl FnMut() -> Attempt,
    ) -> Result<T, Error>
    where
        Attempt: Future<Output = Result<T, Error>>,
    {
        let backoff = self.cluster.brokers().backoff();
        self.retry_after(backoff, target, deadline, attempt).await
    }

    /// As [`retry`](Client::retry), with these pauses instead of those of the settings.
    ///
    /// # Errors
    /// The last attempt's.
    // ANCHOR: retry
    pub async fn retry_after<T, Attempt>(
        &self,
        backoff: Backoff,
        target: &Target,
        deadline: Moment,
        mut attempt: impl FnMut() -> Attempt,
    ) -> Result<T, Error>
    where
        // A type of its own, and no `AsyncFnMut`: the future of this call can be sent to
        // another thread if that one can.
        Attempt: Future<Output = Result<T, Error>>,
    {
        let mut attempts = Attempts::new(backoff, deadline);
        loop {
            let began = self.clock.now();
            let error = match attempt().await {
                Err(error) if error.is_retriable() => error,
                result => return result,
            };
            if error.is_stale_route() {
                self.forget_since(target, began);
            }
            match attempts.failed(self.clock.now(), fastrand::f64()) {
                Some(next) => self.clock.sleep_until(next).await,
                None => return Err(error),
            }
        }
    }
    // ANCHOR_END: retry

    /// Returns the partitions of a topic with their leaders: as remembered, else as the
    /// cluster answers. Creates no topic.
    ///
    /// # Errors
    /// See [`Error`]; [`UNKNOWN_TOPIC_OR_PARTITION`](wire_protocol::ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)
    /// for a topic that does not exist.
    pub async fn topic(&self, name: &TopicName, deadline: Moment) -> Result<TopicMetadata, Error> {
        self.cluster.topic(name, deadline).await
    }

    /// Returns how many routes were found to be wrong so far, and how old those were.
    #[must_use]
    pub fn staleness(&self) -> Staleness {
        self.cluster.staleness()
    }

    pub(crate) fn patience(&self) -> Duration {
        self.settings.patience
    }
}
