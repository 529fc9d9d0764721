//! A flash sale: a gateway, a stock and a queue, each a process of its own.

use std::fs::{self, File};
use std::ops::Range;
use std::process::Command;
use std::time::Duration;

use client::{OffsetSpec, Target};
use message_model::{Offset, PartitionIndex, TopicName, TopicPartition};
use rpc::{CallError, Client, ClientSettings};
use rpc_programs::flash_sale::{Counts, FlashSaleClient, Refused};
use rustix::process::Signal;
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio::time::timeout;
use wire_protocol::message::{
    DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic, DescribeConfigsRequest,
    DescribeConfigsResource,
};

use crate::process::{CALL, Process, SALE, run};
use crate::queue::Queue;

type Bought = Result<u32, CallError<Refused>>;

fn names(queue: &Queue) -> String {
    format!("queue:{}/names", queue.address)
}

/// A gateway, and a client of it.
fn gateway(queue: &Queue, patience: Duration) -> (Process, FlashSaleClient) {
    let names = names(queue);
    let arguments = ["gateway", "--queue", &queue.address, "--names", &names];
    let mut process = Process::start(SALE, &arguments);
    let place = process.find("FlashSale is ready on ");
    let (address, _) = place.split_once(", in ").unwrap();
    let settings = ClientSettings {
        patience,
        ..ClientSettings::default()
    };
    (
        process,
        FlashSaleClient::new(Client::tcp(address, settings)),
    )
}

fn stock(queue: &Queue, items: &[&str]) -> Process {
    let arguments = [&["stock", "--queue", &queue.address], items].concat();
    let mut process = Process::start(SALE, &arguments);
    process.find("the stock is ready");
    process
}

/// These buyers at a time; returns what each has.
async fn rush(gateways: &[&FlashSaleClient], buyers: Range<usize>) -> Vec<Bought> {
    let mut calls = JoinSet::new();
    for buyer in buyers {
        let gateway = gateways[buyer % gateways.len()].clone();
        calls.spawn(async move {
            (
                buyer,
                gateway
                    .buy(format!("buyer {buyer}"), "phone".to_owned())
                    .await,
            )
        });
    }
    let mut bought = calls.join_all().await;
    bought.sort_by_key(|(buyer, _)| *buyer);
    bought.into_iter().map(|(_, bought)| bought).collect()
}

fn pieces(bought: &[Bought]) -> Vec<u32> {
    let mut pieces: Vec<_> = bought.iter().flatten().copied().collect();
    pieces.sort_unstable();
    pieces
}

const LONG: Duration = Duration::from_secs(60);

fn counts(waiting: usize, late: u64) -> Counts {
    Counts { waiting, late }
}

/// Looks again and again, until `is_so`.
async fn until(is_so: impl AsyncFn() -> bool) {
    let looks = async { while !is_so().await {} };
    timeout(LONG, looks).await.unwrap();
}

async fn connect(queue: &Queue) -> client::Client {
    let settings = client::Settings::default();
    let connected = client::Client::connect(&queue.address, settings).await;
    connected.unwrap()
}

fn orders() -> TopicPartition {
    TopicPartition {
        topic: TopicName::new("flash-sale-orders").unwrap(),
        partition: PartitionIndex(0),
    }
}

/// Buys by hand.
fn buy(queue: &Queue, patience: &str) -> (i32, String, String) {
    let arguments = r#"["Mei", "phone"]"#;
    run(
        CALL,
        &[
            &names(queue),
            "FlashSale.buy",
            arguments,
            "--patience",
            patience,
        ],
    )
}

#[tokio::test]
async fn of_many_buyers_exactly_as_many_get_a_piece_as_there_are() {
    let queue = Queue::start();
    let _stock = stock(&queue, &["phone=10"]);
    let ((_one, one), (_other, other)) = (gateway(&queue, LONG), gateway(&queue, LONG));
    let bought = rush(&[&one, &other], 0..300).await;
    assert_eq!(pieces(&bought), Vec::from_iter(1..=10));
    let sold_out = Err(CallError::Service(Refused::SoldOut));
    assert_eq!(
        bought.iter().filter(|bought| **bought == sold_out).count(),
        290
    );
    for gateway in [one, other] {
        assert_eq!(gateway.counts().await, Ok(counts(0, 0)));
        let car = gateway.buy("buyer 1".to_owned(), "car".to_owned()).await;
        assert_eq!(car, Err(CallError::Service(Refused::UnknownItem)));
    }
}

#[tokio::test]
async fn a_stock_that_was_killed_goes_on_and_sells_nothing_twice() {
    let queue = Queue::start();
    let killed = stock(&queue, &["phone=10"]);
    let (_gateway, gateway) = gateway(&queue, LONG);
    let before = rush(&[&gateway], 93..100).await;
    assert_eq!(pieces(&before), Vec::from_iter(1..=7));
    drop(killed);
    // Those orders wait in the queue for the next stock.
    let waiting = gateway.clone();
    let after = tokio::spawn(async move { rush(&[&waiting], 0..100).await });
    let _stock = stock(&queue, &["phone=10"]);
    let after = after.await.unwrap();
    assert_eq!(pieces(&after), Vec::from_iter(1..=10));
    assert_eq!(after[93..], before);
    assert_eq!(gateway.counts().await.unwrap().waiting, 0);
}

#[tokio::test]
async fn a_call_whose_result_is_missing_ends_by_its_deadline_and_leaves_nothing() {
    let queue = Queue::start();
    let (_gateway, gateway) = gateway(&queue, LONG);
    let (status, _, error) = buy(&queue, "0.5");
    assert_eq!(status, 2);
    assert!(error.contains("no reply before the deadline"), "{error}");
    until(async || gateway.counts().await == Ok(counts(0, 0))).await;
}

#[tokio::test]
async fn a_late_result_is_counted_and_the_buyer_may_ask_again() {
    let queue = Queue::start();
    let (_gateway, gateway) = gateway(&queue, LONG);
    let gives_up = gateway.clone();
    let gives_up =
        tokio::spawn(async move { gives_up.buy("Mei".to_owned(), "phone".to_owned()).await });
    let (client, orders) = (connect(&queue).await, orders());
    until(async || {
        let end = client.find_offset(&orders, OffsetSpec::Latest, client.deadline());
        end.await.unwrap() == Some(Offset(1))
    })
    .await;
    gives_up.abort();
    until(async || gateway.counts().await == Ok(counts(0, 0))).await;
    let _stock = stock(&queue, &["phone=1"]);
    // The order of Mei was the first one, and the piece is hers.
    let other = gateway.buy("Bo".to_owned(), "phone".to_owned()).await;
    assert_eq!(other, Err(CallError::Service(Refused::SoldOut)));
    let printed = |text: &str| (0, text.to_owned(), String::new());
    let by_hand = run(CALL, &[&names(&queue), "FlashSale.counts"]);
    assert_eq!(by_hand, printed(r#"{"waiting":0,"late":1}"#));
    assert_eq!(buy(&queue, "60"), printed("1"));
}

#[tokio::test]
async fn a_gateway_that_stops_ends_the_calls_that_run() {
    let queue = Queue::start();
    let (process, gateway) = gateway(&queue, LONG);
    let waits = gateway.clone();
    let bought = tokio::spawn(async move { waits.buy("Mei".to_owned(), "phone".to_owned()).await });
    until(async || gateway.counts().await == Ok(counts(1, 0))).await;
    process.send(Signal::INT);
    let _stock = stock(&queue, &["phone=1"]);
    assert_eq!(bought.await.unwrap(), Ok(1));
    assert_eq!(process.rest().last().unwrap(), "stopped");
}

/// The settings that the topic of orders has of its own.
async fn settings(client: &client::Client) -> Vec<(String, Option<String>)> {
    let request = DescribeConfigsRequest {
        resources: vec![DescribeConfigsResource {
            resource_type: 2,
            resource_name: orders().topic.to_string(),
            configuration_keys: None,
        }],
        ..DescribeConfigsRequest::default()
    };
    let answer = client.call(&Target::Any, &request, client.deadline()).await;
    let configs = answer.unwrap().results.remove(0).configs.into_iter();
    let own = configs.filter(|config| config.config_source == 1);
    own.map(|config| (config.name, config.value)).collect()
}

#[tokio::test]
async fn the_topic_of_orders_keeps_all_of_them() {
    let kept = [
        ("cleanup.policy", "delete"),
        ("retention.bytes", "-1"),
        ("retention.ms", "-1"),
    ];
    let kept = kept.map(|(name, value)| (name.to_owned(), Some(value.to_owned())));
    let is_kept = async |client: &client::Client| {
        let own = settings(client).await;
        assert!(kept.iter().all(|kept| own.contains(kept)), "{own:?}");
    };
    // By a gateway that has created it, and by a stock that finds another program's.
    let queue = Queue::start();
    let _gateway = gateway(&queue, LONG);
    is_kept(&connect(&queue).await).await;
    let queue = Queue::start();
    let client = connect(&queue).await;
    let short = [
        ("retention.ms", "1000"),
        ("cleanup.policy", "compact,delete"),
    ];
    let created = client.create_topic(&orders().topic, 1, &short).await;
    created.unwrap();
    let _stock = stock(&queue, &["phone=1"]);
    is_kept(&client).await;
}

#[tokio::test]
async fn a_stock_that_does_not_know_all_orders_sells_nothing() {
    let queue = Queue::start();
    let sells = stock(&queue, &["phone=2"]);
    let (_gateway, gateway) = gateway(&queue, LONG);
    assert_eq!(pieces(&rush(&[&gateway], 0..1).await), [1]);
    drop(sells);
    let client = connect(&queue).await;
    let request = DeleteRecordsRequest {
        topics: vec![DeleteRecordsTopic {
            name: orders().topic.to_string(),
            partitions: vec![DeleteRecordsPartition {
                partition_index: 0,
                offset: 1,
            }],
        }],
        timeout_ms: 30_000,
    };
    let deadline = client.deadline();
    let deleted = client
        .call(&Target::Leader(orders()), &request, deadline)
        .await;
    assert_eq!(deleted.unwrap().topics[0].partitions[0].low_watermark, 1);
    // A stock that sells all the same is stopped.
    let again = ["30", SALE, "stock", "--queue", &queue.address, "phone=2"];
    let (status, printed, error) = run("timeout", &again);
    assert_eq!((status, &*printed), (2, ""));
    let wanted = "the first 1 orders are not in flash-sale-orders any more, so what was sold is";
    assert!(error.contains(wanted), "{error}");
    assert!(
        error.contains("mqd topics delete flash-sale-orders"),
        "{error}"
    );
}

#[tokio::test]
async fn topics_that_are_gone_begin_anew_and_that_is_said() {
    let (queue, dir) = (Queue::start(), TempDir::new().unwrap());
    let log = dir.path().join("log");
    let mut command = Command::new(SALE);
    command.args(["stock", "--queue", &queue.address, "phone=9"]);
    let mut stock = Process::of(command.stderr(File::create(&log).unwrap()));
    stock.find("the stock is ready");
    let (_gateway, gateway) = gateway(&queue, Duration::from_secs(1));
    let buys = async |buyer: usize| {
        let bought = async || rush(&[&gateway], buyer..buyer + 1).await;
        until(async || pieces(&bought().await) == [u32::try_from(buyer).unwrap()]).await;
    };
    let client = connect(&queue).await;
    buys(1).await;
    for (buyer, topic) in [(2, "flash-sale-results"), (3, "flash-sale-orders")] {
        let deleted = client.delete_topic(&TopicName::new(topic).unwrap()).await;
        deleted.unwrap();
        buys(buyer).await;
        buys(1).await;
    }
    let said = fs::read_to_string(log).unwrap();
    let wanted = "flash-sale-orders was gone and begins anew: only this process knows";
    assert!(said.contains(wanted), "{said}");
}
