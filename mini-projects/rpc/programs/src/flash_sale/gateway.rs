//! The end that buyers call.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use client::Client;
use message_model::TopicName;
use producer::{Producer, Record};
use rpc_queue::InFlight;

use super::memory::KEEPS_ALL;
use super::reading::Reading;
use super::worker::sending;
use super::{Answer, Counts, FlashSale, FlashSaleServer, ORDERS, Order, RESULTS, Refused, Ticket};
use crate::serve::{Place, serve};
use crate::topics::create_topic;

const RESULTS_ADVICE: &str = "buyers whose results are lost have to buy again";

struct Gateway {
    /// In every ticket. Results with another one are those of other gateways.
    id: u64,
    orders: TopicName,
    producer: Producer,
    pending: Arc<Pending>,
}

/// The calls that wait for results, by their numbers.
#[derive(Default)]
struct Pending {
    next: AtomicU64,
    waiting: InFlight<u64, Result<u32, Refused>>,
    late: AtomicU64,
}

impl FlashSale for Gateway {
    /// If no result comes, the call's deadline drops this, and the ticket with it.
    async fn buy(&self, user: String, item: String) -> Result<u32, Refused> {
        // Relaxed, here and below: nothing else follows from a number.
        let call = self.pending.next.fetch_add(1, Ordering::Relaxed);
        let mut waiting = self.pending.waiting.wait(call);
        let ticket = Ticket {
            gateway: self.id,
            call,
        };
        let order = Order { ticket, user, item };
        let order = serde_json::to_vec(&order).map_err(|_| Refused::QueueAway)?;
        let record = Record {
            value: Some(&order),
            ..Record::default()
        };
        let delivery = self.producer.send(&self.orders, record).await;
        delivery.await.map_err(|_| Refused::QueueAway)?;
        // Numbers are used once, so no other call takes the result.
        waiting.outcome().await.unwrap_or(Err(Refused::QueueAway))
    }

    async fn counts(&self) -> Counts {
        Counts {
            waiting: self.pending.waiting.count(),
            late: self.pending.late.load(Ordering::Relaxed),
        }
    }
}

/// Takes orders at `place` until Ctrl-C, for a stock that reads them from the queue.
///
/// # Errors
/// If the queue cannot be reached at the start, or the place cannot be served.
pub async fn gateway(bootstrap: &str, place: &Place) -> Result<()> {
    let orders = create_topic(bootstrap, ORDERS, KEEPS_ALL).await?;
    // Results that come from now on are read, and only then are orders taken.
    let mut results = Reading::of_new(bootstrap, RESULTS, RESULTS_ADVICE).await?;
    let connected = Client::connect(bootstrap, client::Settings::default()).await?;
    let gateway = Gateway {
        id: fastrand::u64(..),
        orders,
        producer: Producer::new(Arc::new(connected), sending()),
        pending: Arc::default(),
    };
    let (id, pending) = (gateway.id, Arc::clone(&gateway.pending));
    let read = async {
        loop {
            for (_, Answer { ticket, outcome }) in results.next().await {
                if ticket.gateway == id && !pending.waiting.end(&ticket.call, outcome) {
                    pending.late.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    };
    tokio::select! {
        served = serve(place, FlashSaleServer::new(gateway)) => served,
        never = read => never,
    }
}
