//! A proxy between clients and the broker, whose connections can be cut.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How a connection is to end.
#[derive(Debug, Clone, Copy)]
struct Order {
    /// Whether connections with even numbers, odd numbers, or both are meant.
    even: bool,
    odd: bool,
    /// For how long requests still pass while answers do not.
    swallow: Duration,
}

/// A proxy that runs until it is dropped.
#[derive(Debug)]
pub(super) struct Proxy {
    address: SocketAddr,
    target: watch::Sender<Option<SocketAddr>>,
    orders: watch::Sender<Order>,
    accepting: tokio::task::JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Proxy {
    /// Listens on a free port. There is no target yet.
    pub(super) async fn listen() -> Result<Proxy> {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.context("the proxy cannot listen")?;
        let (target, targets) = watch::channel(None);
        let nothing = Order {
            even: false,
            odd: false,
            swallow: Duration::ZERO,
        };
        let (orders, ordered) = watch::channel(nothing);
        Ok(Proxy {
            address: listener.local_addr()?,
            target,
            orders,
            accepting: tokio::spawn(accept(listener, targets, ordered)),
        })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// New connections go there.
    pub(super) fn point_to(&self, target: SocketAddr) {
        self.target.send_replace(Some(target));
    }

    /// Ends every connection, or every second one. For the time `swallow` the requests of
    /// these still pass, and the answers do not.
    pub(super) fn cut(&self, half: Option<bool>, swallow: Duration) {
        self.orders.send_replace(Order {
            even: half != Some(false),
            odd: half != Some(true),
            swallow,
        });
    }
}

async fn accept(
    listener: TcpListener,
    targets: watch::Receiver<Option<SocketAddr>>,
    orders: watch::Receiver<Order>,
) {
    let mut number = 0_u64;
    let mut connections = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let target = *targets.borrow();
                let (Ok((client, _)), Some(target)) = (accepted, target) else {
                    continue;
                };
                number += 1;
                // A connection hears of orders that come after it.
                let mut orders = orders.clone();
                orders.mark_unchanged();
                connections.spawn(serve(client, target, orders, number.is_multiple_of(2)));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Carries bytes both ways until one side ends, or an order ends both.
async fn serve(
    client: TcpStream,
    target: SocketAddr,
    orders: watch::Receiver<Order>,
    is_even: bool,
) {
    // While the broker is down the client sees a connection that ends at once.
    let Ok(broker) = TcpStream::connect(target).await else {
        return;
    };
    let (mut from_client, to_client) = client.into_split();
    let (from_broker, mut to_broker) = broker.into_split();
    tokio::select! {
        _ = copy(&mut from_client, &mut to_broker) => {}
        () = answers(from_broker, to_client, orders, is_even) => {}
    }
}

async fn answers(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut orders: watch::Receiver<Order>,
    is_even: bool,
) {
    let mut piece = [0; 16 * 1024];
    loop {
        tokio::select! {
            biased;
            changed = orders.changed() => {
                let order = *orders.borrow_and_update();
                let is_meant = if is_even { order.even } else { order.odd };
                if changed.is_err() {
                    return;
                }
                if is_meant {
                    let swallow = async { while !matches!(from.read(&mut piece).await, Ok(0) | Err(_)) {} };
                    let _ = tokio::time::timeout(order.swallow, swallow).await;
                    return;
                }
            }
            read = from.read(&mut piece) => {
                let count = read.unwrap_or(0);
                if count == 0 || to.write_all(&piece[..count]).await.is_err() {
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A proxy in front of a server that this test plays.
    async fn proxied() -> (Proxy, TcpStream, TcpStream) {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Proxy::listen().await.unwrap();
        proxy.point_to(server.local_addr().unwrap());
        let client = TcpStream::connect(proxy.address()).await.unwrap();
        let (broker, _) = server.accept().await.unwrap();
        (proxy, client, broker)
    }

    async fn receive(from: &mut TcpStream) -> Option<u8> {
        from.read_u8().await.ok()
    }

    #[tokio::test]
    async fn bytes_pass_both_ways() {
        let (_proxy, mut client, mut broker) = proxied().await;
        client.write_u8(1).await.unwrap();
        assert_eq!(receive(&mut broker).await, Some(1));
        broker.write_u8(2).await.unwrap();
        assert_eq!(receive(&mut client).await, Some(2));
    }

    #[tokio::test]
    async fn a_cut_ends_both_sides() {
        let (proxy, mut client, mut broker) = proxied().await;
        proxy.cut(None, Duration::ZERO);
        assert_eq!(receive(&mut client).await, None);
        assert_eq!(receive(&mut broker).await, None);
    }

    #[tokio::test]
    async fn a_cut_of_every_second_connection_spares_the_others() {
        // The first connection has the number 1.
        let (proxy, mut client, mut broker) = proxied().await;
        proxy.cut(Some(true), Duration::ZERO);
        broker.write_u8(2).await.unwrap();
        assert_eq!(receive(&mut client).await, Some(2));
        proxy.cut(Some(false), Duration::ZERO);
        assert_eq!(receive(&mut client).await, None);
    }

    #[tokio::test]
    async fn answers_are_swallowed_while_requests_pass() {
        let (proxy, mut client, mut broker) = proxied().await;
        // Longer than the test: the broker ends the connection.
        proxy.cut(None, Duration::from_secs(60));
        // The order has arrived when an answer has not.
        client.write_u8(1).await.unwrap();
        assert_eq!(receive(&mut broker).await, Some(1));
        broker.write_u8(2).await.unwrap();
        drop(broker);
        assert_eq!(receive(&mut client).await, None);
    }

    #[tokio::test]
    async fn a_client_sees_an_end_while_there_is_no_broker() {
        let (proxy, _client, _broker) = proxied().await;
        let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
        proxy.point_to(gone.local_addr().unwrap());
        drop(gone);
        let mut client = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(receive(&mut client).await, None);
    }
}
