//! A client over another transport, and a server behind it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use rpc::{
    Call, CallError, CallId, Client, Error, Items, Outcome, Postcard, Request, Server,
    ServerSettings, Target, Transport, name_id,
};
use tokio::time::Instant;

use crate::fixture::{DivideError, Doer, KindsClient, KindsServer, Seen};

/// Hands each call to a server in the same process, and keeps what a call says of itself.
struct Direct {
    server: Arc<Server>,
    requests: Mutex<Vec<(bool, Option<u64>, u64)>>,
}

impl Direct {
    async fn answer(&self, request: Request<'_>) -> Outcome {
        let about = (request.is_idempotent, request.key, request.trace);
        self.requests.lock().unwrap().push(about);
        let call = request.call(CallId::ONE_WAY, 0);
        let (side, body) = self.server.answer(&call, request.arguments).await?;
        Ok((side, Bytes::from(body)))
    }
}

impl Transport for Direct {
    async fn call(&self, request: Request<'_>) -> Outcome {
        self.answer(request).await
    }

    async fn stream(&self, _: Request<'_>) -> Result<Items, Error> {
        Err(Error::NoStreams)
    }
}

fn direct() -> (Client<Direct>, Arc<Seen>) {
    let doer = Doer::default();
    let seen = Arc::clone(&doer.0);
    let server = Server::new(ServerSettings {
        frame_bytes_max: 1000,
        ..ServerSettings::default()
    });
    let server = server.with_service(KindsServer::new(doer)).unwrap();
    let transport = Direct {
        server: Arc::new(server),
        requests: Mutex::default(),
    };
    (Client::over(transport, Duration::from_secs(2)), seen)
}

#[tokio::test(start_paused = true)]
async fn calls_over_no_connection_end_as_over_one() {
    let (client, seen) = direct();
    let kinds = KindsClient::new(client);
    assert_eq!(kinds.echo("text".to_owned()).await, Ok("text".to_owned()));
    let by_zero = CallError::Service(DivideError::ByZero { dividend: 1 });
    assert_eq!(kinds.divide(1, 0).await, Err(by_zero));
    assert_eq!(kinds.sum(vec![1, 2]).await, Ok(3));
    assert_eq!(kinds.note("line".to_owned()).await, Ok(()));
    assert_eq!(*seen.lines.lock().unwrap(), ["line"]);
    assert_eq!(kinds.panic(true).await, Err(Error::Panicked));
    assert_eq!(kinds.panic(false).await, Err(Error::Panicked));
    assert_eq!(kinds.bytes(2000).await, Err(Error::TooLarge));
    assert_eq!(kinds.left().await, Ok(2000));
    let began = Instant::now();
    assert_eq!(kinds.never().await, Err(Error::DeadlinePassed));
    assert_eq!(began.elapsed(), Duration::from_secs(2));
    assert_eq!(seen.dropped(), 2, "of `never` and `bytes`");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_called_over_no_connection() {
    let (client, _seen) = direct();
    let kinds = KindsClient::new(client.clone());
    assert!(matches!(kinds.count(1).await, Err(Error::NoStreams)));
    let call = async |service, method| {
        let name = rpc::MethodName::new::<rpc::Json>(service, method);
        client.call::<rpc::Json, _, ()>(name, [1]).await
    };
    assert_eq!(call("Kinds", "count").await, Err(Error::BadRequest));
    assert_eq!(call("Kind", "count").await, Err(Error::NoProvider));
    assert_eq!(call("Kinds", "one").await, Err(Error::NoMethod));
}

#[rpc::service]
trait Store {
    #[rpc(idempotent)]
    async fn get(&self) -> u64;
    #[rpc(blocking, idempotent)]
    fn read(&self) -> Result<u64, String>;
    async fn add(&self);
}

struct Stored;

impl Store for Stored {
    async fn get(&self) -> u64 {
        7
    }

    fn read(&self) -> Result<u64, String> {
        Err("nothing is there".to_owned())
    }

    async fn add(&self) {}
}

#[tokio::test]
async fn a_transport_gets_to_know_what_may_run_twice_and_the_key() {
    let server = Server::new(ServerSettings::default());
    let server = server.with_service(StoreServer::new(Stored));
    let client = Client::over(
        Direct {
            server: Arc::new(server.unwrap()),
            requests: Mutex::default(),
        },
        Duration::from_secs(1),
    );
    let store = StoreClient::new(client.clone()).with_key(5);
    assert_eq!(store.get().await, Ok(7));
    let nothing = CallError::Service("nothing is there".to_owned());
    assert_eq!(store.read().await, Err(nothing));
    let store = StoreClient::new(client.clone());
    assert_eq!(store.add().await, Ok(()));
    let requests = client.transport().requests.lock().unwrap();
    let untraced = [(true, Some(5), 0), (true, Some(5), 0), (false, None, 0)];
    assert_eq!(*requests, untraced);
}

/// What a method does with a call is done by another service.
#[rpc::service]
trait Front {
    /// Calls at its first poll, and later.
    async fn pass_on(&self);
}

struct Passing(Client<Direct>);

impl Front for Passing {
    async fn pass_on(&self) {
        let store = StoreClient::new(self.0.clone());
        store.add().await.unwrap();
        tokio::task::yield_now().await;
        store.add().await.unwrap();
    }
}

#[tokio::test]
async fn a_server_without_spans_hands_a_trace_on() {
    let store = Server::new(ServerSettings::default());
    let store = store.with_service(StoreServer::new(Stored));
    let client = Client::over(
        Direct {
            server: Arc::new(store.unwrap()),
            requests: Mutex::default(),
        },
        Duration::from_secs(1),
    );
    let front = Server::new(ServerSettings::default());
    let front = front.with_service(FrontServer::new(Passing(client.clone())));
    let front = Arc::new(front.unwrap());
    let target = Target {
        service: name_id("Front"),
        method: name_id("pass_on"),
        codec: <Postcard as rpc::Codec>::ID,
    };
    for trace in [7, 0, u64::MAX] {
        let call = Call {
            id: CallId::ONE_WAY,
            patience_ms: 1000,
            credit: 0,
            target,
            trace,
        };
        front.answer(&call, &[]).await.unwrap();
        let mut requests = client.transport().requests.lock().unwrap();
        let passed_on = [(false, None, trace), (false, None, trace)];
        assert_eq!(*requests, passed_on);
        requests.clear();
    }
}

#[test]
fn what_may_be_tried_again() {
    for error in [Error::Unreachable, Error::Overloaded, Error::Stopping] {
        assert!(error.may_try_again(false), "{error}");
    }
    assert!(Error::Closed.may_try_again(true));
    for error in [Error::Closed, Error::DeadlinePassed, Error::Panicked] {
        assert!(!error.may_try_again(false), "{error}");
    }
    assert!(!Error::DeadlinePassed.may_try_again(true));
}
