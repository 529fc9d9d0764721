//! The server's end.

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_model::Clock;
use bytes::Bytes;
use client::{Client, ConsumedRecord};
use consumer::{OffsetReset, Topics};
use futures_util::FutureExt as _;
use futures_util::future::FusedFuture as _;
use message_model::{TopicName, TopicPartition};
use ordering::{Error, Failed, Processor, process_in_order};
use producer::{Producer, Record};
use rpc::{Call, Server, ToClient, whole_millis};
use tokio::sync::Notify;
use tokio::time::timeout;
use wire_protocol::ErrorCode;

use crate::over_queue::sending;
use crate::recent::{Recent, Seen};
use crate::record::{Request, naming, value};

/// The pause after the requests could not be read.
const PAUSE: Duration = Duration::from_millis(500);
/// How long it may take to look up the topic of a reply.
const LOOK_UP: Duration = Duration::from_secs(5);

/// How a topic of requests is served.
#[derive(Debug, Clone)]
pub struct TopicSettings {
    /// The topic.
    pub requests: TopicName,
    /// The group of servers that share the topic's partitions.
    pub group: String,
    /// How many calls of a partition may run at a time. Further requests wait in the topic.
    pub running_max: usize,
    /// The longest that a call may take, whatever its caller says.
    pub patience_max: Duration,
    /// After how long the partitions of a server that has died go to others. A broker has a
    /// bound for it, 6 seconds if it is not set.
    pub session_timeout: Duration,
    /// How many bytes the calls may take that the server remembers, with their replies.
    pub remembered_bytes_max: usize,
}

/// Answers the requests of a topic with the methods of `server`, together with the other
/// servers of the group, until `stop` ends. Then the calls that run end, and the others are
/// left to the group.
///
/// Requests with one key run one after the other, others at the same time. While as many run
/// as may, requests wait in the topic. One whose arguments find no room in memory is answered
/// as [`Overloaded`](rpc::Error::Overloaded). One whose deadline has passed is not begun.
///
/// A request says where its reply goes, so a program that may write requests can have replies
/// written into any topic. If there is no such topic, there is no reply.
///
/// # Twice
/// A request is committed when its reply is in the log. If the server dies in between, another
/// one runs the method again, as far as the call's deadline has not passed. A request whose
/// name the server remembers, because its caller has made it again, is answered with the
/// first one's reply. But what is remembered is bounded, and dies with the server. So a method
/// that must not act twice has a name for the act among its arguments, and keeps it with the
/// effect, as the inbox of chapter 19 does.
///
/// # Errors
/// When the topic cannot be read, for a reason that does not pass. A broker that is away is
/// waited for.
pub async fn serve_topic(
    server: Arc<Server>,
    bootstrap: &str,
    settings: TopicSettings,
    stop: impl Future<Output = ()>,
) -> Result<(), Error> {
    let mut rules = ordering::Settings {
        consumer: consumer::Settings {
            group: Some(settings.group),
            reset: OffsetReset::Earliest,
            session_timeout: settings.session_timeout,
            heartbeat_interval: settings.session_timeout / 4,
            ..consumer::Settings::default()
        },
        // By then the calls that run have ended.
        drain_patience: settings.patience_max,
        ..ordering::Settings::default()
    };
    rules.limits.workers = settings.running_max;
    rules.limits.window_max = rules.limits.window_max.max(4 * settings.running_max);
    let topics = Topics::Named([settings.requests].into());
    let recent = Recent::new(settings.remembered_bytes_max);
    let known = Arc::new((Mutex::new(recent), Notify::new()));
    let clock = Clock::start();
    let mut stop = pin!(stop.fuse());
    loop {
        let serving = async {
            let connected = Client::connect(bootstrap, client::Settings::default()).await;
            let client = Arc::new(connected.map_err(consumer::Error::from)?);
            let answering = Answering {
                server: Arc::clone(&server),
                client: Arc::clone(&client),
                producer: Producer::new(Arc::clone(&client), sending()),
                clock,
                patience_max: settings.patience_max,
                known: Arc::clone(&known),
            };
            process_in_order(
                client,
                topics.clone(),
                answering,
                rules.clone(),
                stop.as_mut(),
            )
            .await
        };
        match serving.await {
            Err(Error::Consumer(consumer::Error::Client(error)))
                if error.is_retriable() && !stop.is_terminated() =>
            {
                tracing::warn!(%error, "requests cannot be read at the moment");
                clock.sleep_until(clock.now().plus(PAUSE)).await;
            }
            ended => return ended,
        }
    }
}

/// What is done with a request.
struct Answering {
    server: Arc<Server>,
    client: Arc<Client>,
    producer: Producer,
    clock: Clock,
    patience_max: Duration,
    /// The calls that are known, and what is notified when one has ended.
    known: Arc<(Mutex<Recent>, Notify)>,
}

impl Processor for Answering {
    /// Fails if the reply is not in the log. The next try does not run the method again.
    async fn process(&self, _: &TopicPartition, record: &ConsumedRecord) -> Result<(), Failed> {
        let Some(request) = Request::read(record) else {
            tracing::debug!(offset = record.offset.0, "a record that is no request");
            return Ok(());
        };
        let waited = self.clock.wall().0.saturating_sub(record.timestamp.0);
        let waited = Duration::from_millis(u64::try_from(waited).unwrap_or(0));
        let patience = Duration::from_millis(request.call.patience_ms.into());
        let patience = patience.saturating_sub(waited);
        let reply = loop {
            // Subscribed to before the look.
            let ended = self.known.1.notified();
            let seen = self.recent().begin(&request.name, patience.is_zero());
            match seen {
                Seen::TooLate => return Ok(()),
                Seen::Answered(reply) => break reply,
                Seen::Never => break self.run(&request, patience).await,
                // This record is not done before that one.
                Seen::Running => timeout(self.patience_max, ended)
                    .await
                    .map_err(|_| Failed)?,
            }
        };
        match &request.reply_to {
            Some(to) => self.reply(to, &request, &reply).await,
            None => Ok(()),
        }
    }

    /// The caller cannot be answered. The request is not kept: its caller has given up.
    async fn give_up(&self, _: &TopicPartition, record: &ConsumedRecord) -> Result<(), Failed> {
        tracing::warn!(offset = record.offset.0, "a reply could not be written");
        Ok(())
    }
}

impl Answering {
    /// Runs the method, and returns the value of the reply's record.
    async fn run(&self, request: &Request, patience: Duration) -> Bytes {
        let call = Call {
            patience_ms: whole_millis(patience.min(self.patience_max)),
            ..request.call
        };
        let (ending, body) = match self.server.answer(&call, &request.arguments).await {
            Ok((side, body)) => (Ok(side), body),
            Err(error) => (Err(error), Vec::new()),
        };
        let reply = Bytes::from(value(&ToClient::Reply(call.id, ending), &body));
        self.recent().ended(&request.name, reply.clone());
        self.known.1.notify_waiters();
        reply
    }

    /// Returns when the reply is in the log.
    async fn reply(
        &self,
        to: &TopicPartition,
        request: &Request,
        reply: &[u8],
    ) -> Result<(), Failed> {
        // The producer would wait for the topic, with all that comes behind this request.
        let until = self.client.clock().now().plus(LOOK_UP);
        if let Err(client::Error::Broker(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)) =
            self.client.topic(&to.topic, until).await
        {
            tracing::debug!(topic = %to.topic, "there is no such topic for a reply");
            return Err(Failed);
        }
        let mut record = Record {
            partition: Some(to.partition),
            value: Some(reply),
            headers: &[naming(&request.name)],
            ..Record::default()
        };
        let sent = self.producer.send(&to.topic, record).await.await;
        let sent = match sent {
            Err(producer::Error::TooLarge) => {
                let too_large = ToClient::Reply(request.call.id, Err(rpc::Error::TooLarge));
                let too_large = value(&too_large, &[]);
                record.value = Some(&too_large);
                self.producer.send(&to.topic, record).await.await
            }
            sent => sent,
        };
        sent.map(drop).map_err(|error| {
            tracing::debug!(%error, "a reply could not be written");
            Failed
        })
    }

    /// Nothing panics under the lock but an allocation.
    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.known.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
