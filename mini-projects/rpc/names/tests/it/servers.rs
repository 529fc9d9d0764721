//! Servers on sockets, which stop and are killed while they are called.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rpc::{Client, ClientSettings, Policy, Server, ServerSettings, Stream, Tcp};
use rpc_names::{Balanced, Names, Registration};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use crate::file::Place;
use crate::{PATIENCE, until};

/// Says where it is.
#[rpc::service]
pub(crate) trait Greeter {
    /// Returns a greeting.
    async fn greet(&self, name: String) -> String;
    /// Returns a greeting; it does no harm to greet twice.
    #[rpc(idempotent)]
    async fn greet_again(&self, name: String) -> String;
    /// Counts down to 0.
    fn count(&self, from: u64) -> impl Stream<Item = u64>;
    /// No client hears it.
    #[rpc(one_way)]
    async fn whisper(&self, name: String);
}

struct Polite;

impl Greeter for Polite {
    async fn greet(&self, name: String) -> String {
        // Others are served meanwhile, so calls are under way when it stops.
        tokio::task::yield_now().await;
        format!("good morning, {name}")
    }

    async fn greet_again(&self, name: String) -> String {
        self.greet(name).await
    }

    fn count(&self, from: u64) -> impl Stream<Item = u64> {
        futures_util::stream::iter((0..from).rev())
    }

    async fn whisper(&self, _name: String) {}
}

/// A server that is registered.
struct Running {
    address: String,
    registration: Registration,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl Running {
    async fn start(names: &Names) -> Running {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = Server::new(ServerSettings::default());
        let server = server.with_service(GreeterServer::new(Polite)).unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(async move {
            let stopped = async move { drop(stopped.await) };
            server.serve(listener, stopped).await;
        });
        let registration = names.register("Greeter", &address).await.unwrap();
        Running {
            address,
            registration,
            stop,
            serving,
        }
    }

    /// Leaves, and ends what it has begun.
    async fn stop(self) {
        self.registration.close().await.unwrap();
        drop(self.stop);
        self.serving.await.unwrap();
    }
}

fn client(names: &Names) -> GreeterClient<Balanced<Tcp>> {
    let settings = ClientSettings {
        patience: PATIENCE,
        ..ClientSettings::default()
    };
    let connect = move |server: &str| Tcp::new(server, settings);
    let balanced = Balanced::new(names.clone(), "Greeter", Policy::RoundRobin, connect);
    GreeterClient::new(Client::over(balanced, PATIENCE))
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_fails_while_all_servers_are_replaced() {
    let place = Place::new();
    let mut names = place.open().await;
    let mut running = vec![Running::start(&names).await, Running::start(&names).await];
    let client = client(&names);
    let is_over = Arc::new(AtomicBool::new(false));
    let mut callers = JoinSet::new();
    for _ in 0..4 {
        let (client, is_over) = (client.clone(), Arc::clone(&is_over));
        callers.spawn(async move {
            let mut calls = 0;
            while !is_over.load(Ordering::SeqCst) {
                let greeting = client.greet("Mei".to_owned()).await;
                assert_eq!(greeting.as_deref(), Ok("good morning, Mei"));
                calls += 1;
            }
            calls
        });
    }
    for _ in 0..6 {
        running.push(Running::start(&names).await);
        running.remove(0).stop().await;
        let mut servers: Vec<&str> = running.iter().map(|server| &*server.address).collect();
        servers.sort_unstable();
        until(&mut names, "Greeter", &servers).await;
    }
    is_over.store(true, Ordering::SeqCst);
    let calls: usize = callers.join_all().await.iter().sum();
    assert!(calls > 100, "{calls} calls");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_harms_no_call_that_may_run_twice() {
    let place = Place::new();
    let names = place.open().await;
    let (dies, stays) = (Running::start(&names).await, Running::start(&names).await);
    let mut watching = names.clone();
    let mut servers = [&*dies.address, &*stays.address];
    servers.sort_unstable();
    until(&mut watching, "Greeter", &servers).await;
    let client = client(&names);
    let mut callers = JoinSet::new();
    for _ in 0..4 {
        let client = client.clone();
        callers.spawn(async move {
            for _ in 0..300 {
                let greeting = client.greet_again("Mei".to_owned()).await;
                assert_eq!(greeting.as_deref(), Ok("good morning, Mei"));
            }
        });
    }
    // It is still registered: nothing but the failures says that it is gone.
    dies.serving.abort();
    callers.join_all().await;
    let mut countdown = client.count(3).await.unwrap();
    while let Some(item) = countdown.next().await {
        item.unwrap();
    }
    for _ in 0..4 {
        client.whisper("Mei".to_owned()).await.unwrap();
    }
}
