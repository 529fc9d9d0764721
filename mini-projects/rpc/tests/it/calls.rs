//! Calls of all kinds.

use std::any::type_name;
use std::future::pending;
use std::sync::atomic::Ordering;

use rpc::{
    CallError, Client, ClientSettings, Codec, Duplicate, Error, Json, MethodName, Postcard, Server,
    ServerSettings, Unfit,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::fixture::{DivideError, Doer, KindsClient, KindsServer, Place};

async fn each_kind(kinds: &KindsClient) {
    assert_eq!(kinds.echo("text".to_owned()).await, Ok("text".to_owned()));
    assert_eq!(kinds.divide(7, 2).await, Ok(3));
    let by_zero = DivideError::ByZero { dividend: 7 };
    let failed = Err(CallError::Service(by_zero));
    assert_eq!(kinds.divide(7, 0).await, failed);
    assert_eq!(kinds.sum(vec![1, 2, 3]).await, Ok(6));
    assert_eq!(kinds.divide_slowly(7, 2).await, Ok(3));
    assert_eq!(kinds.divide_slowly(7, 0).await, failed);
    assert_eq!(kinds.nothing().await, Ok(()));
    let mut items = kinds.count(1000).await.unwrap();
    for expected in 0..1000 {
        assert_eq!(items.next().await, Some(Ok(expected)));
    }
    assert_eq!(items.next().await, None);
    assert_eq!(items.next().await, None);
}

#[tokio::test]
async fn every_kind_of_method_over_tcp() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = Server::new(ServerSettings::default());
    let server = server
        .with_service(KindsServer::new(Doer::default()))
        .unwrap();
    tokio::spawn(server.serve(listener, pending()));
    let client = Client::tcp(address, ClientSettings::default());
    each_kind(&KindsClient::new(client.clone())).await;
    assert_eq!(client.transport().in_flight(), 0);
}

/// As many callers as threads can make race for few places.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn callers_on_many_threads_each_get_their_own_reply() {
    let place = Place::new(ServerSettings::default());
    let client = place.client(ClientSettings {
        in_flight_max: 4,
        ..ClientSettings::default()
    });
    let mut callers = JoinSet::new();
    for caller in 0..32 {
        let kinds = KindsClient::new(client.clone());
        callers.spawn(async move {
            for number in 0..300 {
                let text = format!("{caller} {number}");
                assert_eq!(kinds.echo(text.clone()).await, Ok(text));
                let mut items = kinds.count(3).await.unwrap();
                assert_eq!(items.next().await, Some(Ok(0)));
            }
        });
    }
    callers.join_all().await;
    assert_eq!(client.transport().in_flight(), 0);
}

#[tokio::test]
async fn every_kind_of_method_in_memory() {
    each_kind(&Place::new(ServerSettings::default()).kinds()).await;
}

#[tokio::test]
async fn a_one_way_call_arrives_and_has_no_end() {
    let place = Place::new(ServerSettings::default());
    let kinds = place.kinds();
    assert_eq!(kinds.note("first".to_owned()).await, Ok(()));
    assert_eq!(kinds.note("second".to_owned()).await, Ok(()));
    place
        .seen
        .until(|seen| seen.lines.lock().unwrap().len() == 2)
        .await;
    assert_eq!(*place.seen.lines.lock().unwrap(), ["first", "second"]);
}

#[tokio::test]
async fn a_one_way_call_is_written_before_its_client_closes() {
    let place = Place::new(ServerSettings::default());
    let kinds = place.kinds();
    assert_eq!(kinds.note("last words".to_owned()).await, Ok(()));
    drop(kinds);
    place
        .seen
        .until(|seen| !seen.lines.lock().unwrap().is_empty())
        .await;
}

#[tokio::test]
async fn every_service_takes_json() {
    let place = Place::new(ServerSettings::default());
    let client = place.client(ClientSettings::default());
    let divide = MethodName::new::<Json>("Kinds", "divide");
    let arguments = serde_json::json!([7, 0]);
    let quotient = client
        .try_call::<Json, _, i64, serde_json::Value>(divide, arguments)
        .await;
    let by_zero = serde_json::json!({"ByZero": {"dividend": 7}});
    assert_eq!(quotient, Err(CallError::Service(by_zero)));
}

#[tokio::test]
async fn what_a_server_does_not_have() {
    let place = Place::new(ServerSettings::default());
    let client = place.client(ClientSettings::default());
    let call = async |service, method| {
        let name = MethodName::new::<Postcard>(service, method);
        client.call::<Postcard, _, ()>(name, ()).await
    };
    assert_eq!(call("Kind", "nothing").await, Err(Error::NoProvider));
    assert_eq!(call("Kinds", "everything").await, Err(Error::NoMethod));
    assert_eq!(call("Kinds", "nothing").await, Ok(()));
    assert_eq!(call("Kinds", "echo").await, Err(Error::BadRequest));
    // An item stream is no reply, and the other way round.
    assert_eq!(call("Kinds", "stall").await, Err(Error::BadRequest));
    let as_other = MethodName::new::<Postcard>("Kinds", "echo");
    let reply: Result<u64, _> = client.call::<Postcard, _, _>(as_other, ("text",)).await;
    assert_eq!(reply, Err(Error::BadReply));
    let unknown_codec = MethodName::new::<Second>("Kinds", "nothing");
    let reply: Result<(), _> = client.call::<Second, _, _>(unknown_codec, ()).await;
    assert_eq!(reply, Err(Error::BadRequest));
}

/// Postcard under another type id.
struct Second;

impl Codec for Second {
    const ID: u8 = 77;

    fn encode<T: Serialize>(value: &T, out: &mut Vec<u8>) -> Result<(), Unfit> {
        Postcard::encode(value, out)
    }

    fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Unfit> {
        Postcard::decode(bytes)
    }
}

/// Another codec with the type id of [`Second`].
struct Third;

impl Codec for Third {
    const ID: u8 = Second::ID;

    fn encode<T: Serialize>(value: &T, out: &mut Vec<u8>) -> Result<(), Unfit> {
        Postcard::encode(value, out)
    }

    fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Unfit> {
        Postcard::decode(bytes)
    }
}

#[rpc::service(codec = Second)]
trait OfSecond {
    async fn method(&self);
}

#[rpc::service(codec = Third)]
trait OfThird {
    async fn method(&self);
}

struct Nothing;

impl OfSecond for Nothing {
    async fn method(&self) {}
}

impl OfThird for Nothing {
    async fn method(&self) {}
}

#[test]
fn a_type_id_has_one_codec_and_a_name_one_method() {
    let server = || Server::new(ServerSettings::default());
    let twice = server()
        .with_service(OfSecondServer::new(Nothing))
        .and_then(|server| server.with_service(OfThirdServer::new(Nothing)));
    let codecs = [type_name::<Second>(), type_name::<Third>()];
    let same = Duplicate(codecs[0], codecs[1]);
    assert_eq!(twice.err(), Some(same));
    let twice = server()
        .with_service(OfSecondServer::new(Nothing))
        .and_then(|server| server.with_service(OfSecondServer::new(Nothing)));
    assert_eq!(twice.err(), Some(Duplicate("method", "method")));
}

#[tokio::test]
async fn a_panic_ends_its_own_call_only() {
    let place = Place::new(ServerSettings::default());
    let kinds = place.kinds();
    let sleeping = kinds.sleep(20);
    let panicked = async {
        assert_eq!(kinds.panic(true).await, Err(Error::Panicked));
        assert_eq!(kinds.panic(false).await, Err(Error::Panicked));
    };
    let (slept, ()) = tokio::join!(sleeping, panicked);
    assert_eq!(slept, Ok(()));
    assert_eq!(place.seen.dropped.load(Ordering::SeqCst), 1);
}
