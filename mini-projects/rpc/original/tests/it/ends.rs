//! Both ends of a connection.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use rpc::{Server, ServerSettings};
use rpc_original::{
    Answer, Call, Failure, NO_PROVIDER, UNKNOWN_ERROR, call, call_frame, connect, get_answer,
    take_frame,
};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::net::TcpSocket;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::Instant;

const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, Serialize, Deserialize)]
struct TooShort {
    letters: usize,
}

#[rpc::service]
trait HelloService {
    /// Greets.
    async fn hello(&self, name: String) -> String;
    /// Counts letters.
    async fn letters(&self, text: String) -> usize;
    /// Has an error of its own.
    async fn strict(&self, text: String) -> Result<String, TooShort>;
    /// Waits for a permit.
    async fn wait(&self, text: String) -> String;
    /// Takes two texts.
    async fn two(&self, one: String, other: String) -> String;
}

struct Hello(Arc<Semaphore>);

impl HelloService for Hello {
    async fn hello(&self, name: String) -> String {
        format!("Hello, {name}")
    }

    async fn letters(&self, text: String) -> usize {
        text.chars().count()
    }

    async fn strict(&self, text: String) -> Result<String, TooShort> {
        match text.len() {
            letters @ 0..3 => Err(TooShort { letters }),
            _ => Ok(text),
        }
    }

    async fn wait(&self, text: String) -> String {
        self.0.acquire().await.unwrap().forget();
        text
    }

    async fn two(&self, one: String, other: String) -> String {
        one + &other
    }
}

struct Served {
    stream: DuplexStream,
    /// Bytes of answers.
    read: BytesMut,
    permits: Arc<Semaphore>,
    serving: JoinHandle<io::Result<()>>,
}

fn served(settings: ServerSettings) -> Served {
    let permits = Arc::new(Semaphore::new(0));
    let service = HelloServiceServer::new(Hello(Arc::clone(&permits)));
    let server = Arc::new(Server::new(settings).with_service(service).unwrap());
    served_by(server, settings, permits)
}

fn served_by(server: Arc<Server>, settings: ServerSettings, permits: Arc<Semaphore>) -> Served {
    let (stream, theirs) = tokio::io::duplex(256);
    let serving =
        tokio::spawn(
            async move { rpc_original::serve(theirs, &server, &settings, PATIENCE).await },
        );
    Served {
        stream,
        read: BytesMut::new(),
        permits,
        serving,
    }
}

fn to(method: &str, argument: &str) -> Call {
    Call {
        interface: "com.github.liyue2008.rpc.hello.HelloService".to_owned(),
        method: method.to_owned(),
        argument: argument.to_owned(),
    }
}

fn failure(code: i32, message: &str) -> Answer {
    Err(Failure {
        code,
        message: message.to_owned(),
    })
}

impl Served {
    /// Returns the next answer, with the id of its call.
    async fn answer(&mut self) -> (i32, Answer) {
        loop {
            if let Some((id, rest)) = take_frame(&mut self.read, 10_000).unwrap() {
                return (id, get_answer(rest).unwrap());
            }
            assert_ne!(self.stream.read_buf(&mut self.read).await.unwrap(), 0);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn calls_end_as_their_methods_do() {
    let mut served = served(ServerSettings::default());
    let cases = [
        (to("hello", "Mei"), Ok("Hello, Mei".to_owned())),
        (to("letters", "四个字母"), Ok("4".to_owned())),
        (to("strict", "abc"), Ok("abc".to_owned())),
        (
            to("strict", "ab"),
            failure(UNKNOWN_ERROR, r#"{"letters":2}"#),
        ),
        (
            to("none", ""),
            failure(UNKNOWN_ERROR, "the service does not have this method"),
        ),
        (
            to("two", ""),
            failure(UNKNOWN_ERROR, "the server cannot read the arguments"),
        ),
        (
            Call {
                interface: "a.Other".to_owned(),
                ..to("hello", "")
            },
            failure(NO_PROVIDER, "the server does not have this service"),
        ),
        // Nothing lets it go on.
        (
            to("wait", ""),
            failure(UNKNOWN_ERROR, "no reply before the deadline"),
        ),
    ];
    for (id, (made, expected)) in (1..).zip(cases) {
        let answer = call(&mut served.stream, id, &made, PATIENCE * 2).await;
        assert_eq!(answer.unwrap(), expected, "{made:?}");
    }
    drop(served.stream);
    served.serving.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_call_that_cannot_be_read_is_answered_and_the_connection_goes_on() {
    let mut served = served(ServerSettings::default());
    let mut frame = call_frame(5, &to("hello", "Mei"));
    frame[16] = 100;
    served.stream.write_all(&frame).await.unwrap();
    let expected = failure(UNKNOWN_ERROR, "the server cannot read the arguments");
    assert_eq!(served.answer().await, (5, expected));
    let next = call(&mut served.stream, 6, &to("hello", "Mei"), PATIENCE).await;
    assert_eq!(next.unwrap(), Ok("Hello, Mei".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn no_call_waits_for_a_slower_one_and_no_more_run_than_may() {
    let mut served = served(ServerSettings {
        running_max: 2,
        ..ServerSettings::default()
    });
    for (id, method) in [(1, "wait"), (2, "hello"), (3, "wait"), (4, "hello")] {
        let frame = call_frame(id, &to(method, "x"));
        served.stream.write_all(&frame).await.unwrap();
        if id == 2 {
            let hello = Ok("Hello, x".to_owned());
            assert_eq!(served.answer().await, (2, hello));
        }
    }
    // Both places are taken. What would be read behind the third call is not.
    let mut byte = [0];
    let read = tokio::time::timeout(PATIENCE / 2, served.stream.read(&mut byte));
    assert!(read.await.is_err());
    served.permits.add_permits(2);
    let mut ended = Vec::new();
    while ended.len() < 3 {
        ended.push(served.answer().await.0);
    }
    ended.sort_unstable();
    assert_eq!(ended, [1, 3, 4]);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_breaks_the_protocol_or_is_silent_is_closed() {
    let too_long = 1000_i32.to_be_bytes();
    let other_version = [0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1];
    let half = &call_frame(1, &to("hello", "Mei"))[..20];
    for sent in [&too_long[..], &other_version, half, &[]] {
        let mut served = served(ServerSettings {
            frame_bytes_max: 999,
            ..ServerSettings::default()
        });
        let began = Instant::now();
        served.stream.write_all(sent).await.unwrap();
        let ended = served.serving.await.unwrap();
        assert!(ended.is_err(), "{sent:?}");
        // The time of this test stands still unless all wait.
        assert!(
            began.elapsed() <= ServerSettings::default().idle,
            "{sent:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_never_waits_longer_than_its_patience() {
    let (mut silent, _theirs) = tokio::io::duplex(1000);
    let ended = call(&mut silent, 1, &to("hello", ""), PATIENCE).await;
    assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::TimedOut);
    let (mut closed, theirs) = tokio::io::duplex(1000);
    let hello = to("hello", "");
    let closing = async { drop(theirs) };
    let (ended, ()) = tokio::join!(call(&mut closed, 1, &hello, PATIENCE), closing);
    assert!(ended.is_err());
}

#[tokio::test(start_paused = true)]
async fn an_answer_to_another_call_is_no_answer() {
    let (mut stream, mut theirs) = tokio::io::duplex(1000);
    let frame = rpc_original::answer_frame(2, &Ok("late".to_owned()));
    theirs.write_all(&frame).await.unwrap();
    let ended = call(&mut stream, 1, &to("hello", ""), PATIENCE).await;
    assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::InvalidData);
}

#[tokio::test(start_paused = true)]
async fn calls_of_all_connections_share_the_budget_and_silent_halves_lock_nobody_out() {
    let settings = ServerSettings {
        calls_bytes_max: 20_000,
        ..ServerSettings::default()
    };
    let permits = Arc::new(Semaphore::new(0));
    let service = HelloServiceServer::new(Hello(Arc::clone(&permits)));
    let server = Arc::new(Server::new(settings).with_service(service).unwrap());
    let connect = || served_by(Arc::clone(&server), settings, Arc::clone(&permits));
    let frame = call_frame(1, &to("wait", &"?".repeat(5_000)));
    let mut halves: Vec<_> = std::iter::repeat_with(connect).take(20).collect();
    let mut arrived = 0;
    for half in &mut halves {
        let written = half.stream.write_all(&frame[..5_000]);
        let written = tokio::time::timeout(PATIENCE / 100, written).await;
        arrived += usize::from(written.is_ok());
        assert!(server.budget().taken() <= 20_000);
    }
    assert!((2..=4).contains(&arrived), "{arrived} halves have arrived");
    let mut other = connect();
    let hello = call(&mut other.stream, 1, &to("hello", "Mei"), PATIENCE * 4).await;
    assert_eq!(hello.unwrap(), Ok("Hello, Mei".to_owned()));
    drop(halves);
    other.stream.write_all(&frame).await.unwrap();
    // There is room for the first call, and not for both.
    let second = call_frame(2, &to("wait", &"?".repeat(6_000)));
    other.stream.write_all(&second).await.unwrap();
    let refused = Failure {
        code: UNKNOWN_ERROR,
        message: rpc::Error::Overloaded.to_string(),
    };
    assert_eq!(other.answer().await, (2, Err(refused)));
    permits.add_permits(1);
    assert_eq!(other.answer().await, (1, Ok("?".repeat(5_000))));
    other
        .stream
        .write_all(&call_frame(3, &to("hello", "Mei")))
        .await
        .unwrap();
    assert_eq!(other.answer().await.0, 3);
    assert_eq!(server.budget().taken(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_caller_waits_no_longer_than_its_patience_for_a_machine_that_is_silent() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    // What is beyond its backlog has no answer, as from a machine that is off.
    let wait = Duration::from_millis(300);
    let mut waiting = Vec::new();
    while let Ok(one) = std::net::TcpStream::connect_timeout(&address, wait) {
        waiting.push(one);
    }
    let began = Instant::now();
    let connected = connect(&address.to_string(), PATIENCE).await;
    assert_eq!(connected.unwrap_err().kind(), io::ErrorKind::TimedOut);
    assert_eq!(began.elapsed(), PATIENCE);
}
