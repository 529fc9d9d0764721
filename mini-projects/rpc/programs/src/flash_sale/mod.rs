//! A flash sale: many buyers, few pieces.
//!
//! The gateway takes calls, and puts each order into a topic. The stock takes the orders one
//! after the other, and writes a result for each into another topic. The gateway reads the
//! results, and each goes to the buyer that waits for it.
//!
//! # Invariants
//! - Not more pieces are sold than there are, whatever is killed and started again. The topic of
//!   orders keeps all of them for that; a stock that finds some missing does not start.
//! - A buyer that buys again what it has bought gets the same piece.
//! - A call of the gateway ends by its deadline, and leaves nothing behind.

mod gateway;
mod memory;
mod reading;
mod stock;
mod worker;

pub use gateway::gateway;
pub use stock::{Stock, parse_stock};
pub use worker::worker;

use serde::{Deserialize, Serialize};

/// The topic of orders, JSON.
const ORDERS: &str = "flash-sale-orders";
/// The topic of results, JSON.
const RESULTS: &str = "flash-sale-results";

/// What buyers call.
#[rpc::service]
pub trait FlashSale {
    /// Buys one piece of `item`, and returns its number. A user gets at most one: the second
    /// call returns what the first one did, also when the first had no reply in time.
    #[rpc(idempotent)]
    async fn buy(&self, user: String, item: String) -> Result<u32, Refused>;
    /// Returns how the calls of this gateway fare.
    #[rpc(idempotent)]
    async fn counts(&self) -> Counts;
}

/// How the calls of a gateway fare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// How many buyers wait.
    pub waiting: usize,
    /// For how many results no buyer waited: they came too late, or twice.
    pub late: u64,
}

/// Why nothing was bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refused {
    /// Others were faster.
    SoldOut,
    /// There is no such item.
    UnknownItem,
    /// Whether the order is in the queue is unknown: buy again.
    QueueAway,
}

/// What a gateway asks the stock.
#[derive(Debug, Serialize, Deserialize)]
struct Order {
    ticket: Ticket,
    user: String,
    item: String,
}

/// What the stock answers.
#[derive(Debug, Serialize, Deserialize)]
struct Answer {
    ticket: Ticket,
    outcome: Result<u32, Refused>,
}

/// Which gateway waits for the result, and with which of its calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Ticket {
    gateway: u64,
    call: u64,
}
