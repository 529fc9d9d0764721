//! The end that sells, and how both ends write to the queue.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use message_model::TopicName;
use producer::{Producer, Record};

use super::memory::{KEEPS_ALL, check_memory};
use super::reading::Reading;
use super::{Answer, ORDERS, Order, RESULTS, Stock};
use crate::print::{printable, tell};
use crate::serve::stop;
use crate::topics::create_topic;

const ORDERS_ADVICE: &str =
    "only this process knows what was sold before, so start the next stock with what is left";
/// No buyer waits longer, so older orders are not answered once more.
const ANSWERED_FOR: Duration = Duration::from_secs(60);

/// How both ends send: at once, and each record into the log once.
pub(super) fn sending() -> producer::Settings {
    producer::Settings {
        linger: Duration::ZERO,
        ..producer::Settings::idempotent()
    }
}

/// Sells `stock` to those whose orders come first, until Ctrl-C.
///
/// The topic of orders is the stock's memory: all of them are read at each start, which leads
/// to the same sales again. So start it with the same stock.
///
/// # Errors
/// If the queue cannot be reached at the start, or does not keep all orders.
pub async fn worker(bootstrap: &str, stock: Stock) -> Result<()> {
    let results = create_topic(bootstrap, RESULTS, &[]).await?;
    let orders = Reading::of_all(bootstrap, ORDERS, KEEPS_ALL, ORDERS_ADVICE).await?;
    check_memory(&orders.client, &orders.partition.topic).await?;
    let producer = Producer::new(Arc::clone(&orders.client), sending());
    tell("the stock is ready");
    tokio::select! {
        ended = sell(stock, orders, &producer, &results) => return ended,
        () = stop() => {}
    }
    producer.flush().await;
    tell("stopped");
    Ok(())
}

async fn sell(
    mut stock: Stock,
    mut orders: Reading<Order>,
    producer: &Producer,
    results: &TopicName,
) -> Result<()> {
    loop {
        let mut deliveries = Vec::new();
        for (time, order) in orders.next().await {
            let outcome = stock.sell(&order.user, &order.item);
            if orders.client.clock().wall().since(time) > ANSWERED_FOR {
                continue;
            }
            let (item, user) = (printable(&order.item), printable(&order.user));
            tell(format_args!("{item} of {user}: {outcome:?}"));
            let ticket = order.ticket;
            let answer = serde_json::to_vec(&Answer { ticket, outcome });
            let answer = answer.context("a result as JSON")?;
            let record = Record {
                value: Some(&answer),
                ..Record::default()
            };
            deliveries.push(producer.send(results, record).await);
        }
        for delivery in deliveries {
            if let Err(error) = delivery.await {
                tracing::warn!("a result is lost, its buyer has to ask again: {error}");
            }
        }
    }
}
