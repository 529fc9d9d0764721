//! A broker with topics, a service, its servers and their callers.

use std::future::ready;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use client::Client;
use message_model::{PartitionIndex, TopicName, TopicPartition};
use mqd_guard::{Mqd, Port};
use rpc::{Codec as _, Error, Items, MethodName, Outcome, Postcard, Request};
use rpc::{Server, ServerSettings, Side, Stream, Transport};
use rpc_queue::{CallerSettings, OverQueue, TopicSettings, serve_topic};
use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::support::{PATIENCE, mqd};

/// How long calls wait that are to end without a reply.
pub(super) const MOMENT: Duration = Duration::from_millis(200);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ByZero;

/// Methods of all kinds.
#[rpc::service]
pub(super) trait Work {
    /// Returns `text`.
    async fn echo(&self, text: String) -> String;
    /// Returns `text` when the gate lets it pass.
    async fn gated(&self, text: String) -> String;
    /// Divides.
    async fn divide(&self, dividend: i64, divisor: i64) -> Result<i64, ByZero>;
    /// Panics.
    async fn panic(&self) -> u8;
    /// Returns so many bytes.
    async fn bytes(&self, count: usize) -> Vec<u8>;
    /// Returns how long the caller still waits, in milliseconds.
    async fn left(&self) -> u64;
    /// Makes a call, and returns its trace.
    async fn trace(&self) -> String;
    /// Keeps a line.
    #[rpc(one_way)]
    async fn note(&self, line: String);
    /// Counts.
    fn count(&self) -> impl Stream<Item = u8>;
}

/// What servers have seen.
pub(super) struct Seen {
    /// The texts of the calls that have begun.
    begun: Mutex<Vec<String>>,
    changed: watch::Sender<()>,
    pub(super) gate: Semaphore,
}

impl Seen {
    pub(super) fn begun(&self) -> Vec<String> {
        self.begun.lock().unwrap().clone()
    }

    /// How often a call with this text has begun.
    pub(super) fn times(&self, text: &str) -> usize {
        self.begun().iter().filter(|begun| *begun == text).count()
    }

    fn begin(&self, text: &str) {
        self.begun.lock().unwrap().push(text.to_owned());
        self.changed.send_replace(());
    }

    /// Waits until the texts that have begun are as wanted.
    pub(super) async fn until(&self, wanted: impl Fn(&[String]) -> bool) {
        let mut changes = self.changed.subscribe();
        let seen = changes.wait_for(|()| wanted(&self.begun()));
        timeout(PATIENCE, seen).await.expect("in time").unwrap();
    }
}

struct Worker(Arc<Seen>);

impl Work for Worker {
    async fn echo(&self, text: String) -> String {
        self.0.begin(&text);
        text
    }

    async fn gated(&self, text: String) -> String {
        self.0.begin(&text);
        self.0.gate.acquire().await.unwrap().forget();
        text
    }

    async fn divide(&self, dividend: i64, divisor: i64) -> Result<i64, ByZero> {
        dividend.checked_div(divisor).ok_or(ByZero)
    }

    async fn panic(&self) -> u8 {
        panic!("as it was told to")
    }

    async fn bytes(&self, count: usize) -> Vec<u8> {
        vec![7; count]
    }

    async fn left(&self) -> u64 {
        let left = rpc::left().unwrap();
        u64::try_from(left.as_millis()).unwrap()
    }

    async fn trace(&self) -> String {
        let name = MethodName::new::<Postcard>("Other", "trace");
        let other = rpc::Client::over(Traces, PATIENCE);
        other.call::<Postcard, _, _>(name, ()).await.unwrap()
    }

    async fn note(&self, line: String) {
        self.0.begin(&line);
    }

    fn count(&self) -> impl Stream<Item = u8> {
        futures_util::stream::once(ready(1))
    }
}

/// Answers each call with its trace.
struct Traces;

impl Transport for Traces {
    async fn call(&self, request: Request<'_>) -> Outcome {
        let mut body = Vec::new();
        Postcard::encode(&request.trace.to_string(), &mut body).unwrap();
        Ok((Side::Value, body.into()))
    }

    async fn stream(&self, _: Request<'_>) -> Result<Items, Error> {
        Err(Error::NoStreams)
    }
}

/// A broker, and a service.
pub(super) struct Bed {
    pub(super) mqd: Mqd,
    pub(super) seen: Arc<Seen>,
}

/// A server of the service.
pub(super) struct Serving {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Serving {
    /// Asks it to end, and waits until it has.
    pub(super) async fn stop(self) {
        drop(self.stop);
        timeout(PATIENCE, self.task)
            .await
            .expect("in time")
            .unwrap();
    }
}

impl Serving {
    /// Ends it as a crash would, as far as the group can see.
    pub(super) async fn kill(self) {
        self.task.abort();
        let _cancelled = self.task.await;
    }
}

pub(super) fn topic(name: &str) -> TopicName {
    TopicName::new(name).unwrap()
}

pub(super) fn over(queue: OverQueue) -> WorkClient<OverQueue> {
    WorkClient::new(rpc::Client::over(queue, PATIENCE))
}

impl Bed {
    pub(super) async fn start() -> Bed {
        let mqd = mqd().set("group.initial.rebalance.delay.ms", "0");
        let mqd = mqd.set("group.min.session.timeout.ms", "100");
        let mqd = mqd.stable_port().start().unwrap();
        let bootstrap = mqd.address().to_string();
        let client = Client::connect(&bootstrap, client::Settings::default());
        let client = client.await.unwrap();
        client
            .create_topic(&topic("requests"), 2, &[])
            .await
            .unwrap();
        client
            .create_topic(&topic("replies"), 4, &[])
            .await
            .unwrap();
        let seen = Seen {
            begun: Mutex::default(),
            changed: watch::Sender::new(()),
            gate: Semaphore::new(0),
        };
        Bed {
            mqd,
            seen: Arc::new(seen),
        }
    }

    pub(super) fn bootstrap(&self) -> String {
        self.mqd.address().to_string()
    }

    pub(super) fn restart(&mut self) {
        self.mqd.restart(Port::Same).unwrap();
    }

    pub(super) fn serve(&self) -> Serving {
        let worker = WorkServer::new(Worker(Arc::clone(&self.seen)));
        let server = Server::new(ServerSettings::default());
        let server = Arc::new(server.with_service(worker).unwrap());
        let (bootstrap, (stop, stopped)) = (self.bootstrap(), oneshot::channel());
        let task = tokio::spawn(async move {
            let settings = TopicSettings {
                requests: topic("requests"),
                group: "workers".to_owned(),
                running_max: 4,
                patience_max: Duration::from_secs(60),
                session_timeout: Duration::from_secs(1),
                remembered_bytes_max: 1 << 20,
            };
            let stopped = async { drop(stopped.await) };
            let served = serve_topic(server, &bootstrap, settings, stopped);
            served.await.unwrap();
        });
        Serving { stop, task }
    }

    pub(super) fn settings(number: i32, in_flight_max: usize) -> CallerSettings {
        CallerSettings {
            requests: topic("requests"),
            replies: TopicPartition {
                topic: topic("replies"),
                partition: PartitionIndex(number),
            },
            name: format!("caller-{number}"),
            in_flight_max,
        }
    }

    pub(super) async fn caller(&self, number: i32) -> OverQueue {
        self.caller_of(number, 100).await
    }

    pub(super) async fn caller_of(&self, number: i32, in_flight_max: usize) -> OverQueue {
        let settings = Bed::settings(number, in_flight_max);
        OverQueue::connect(&self.bootstrap(), settings)
            .await
            .unwrap()
    }
}
