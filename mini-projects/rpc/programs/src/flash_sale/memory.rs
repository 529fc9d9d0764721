//! The topic of orders as the stock's memory: it keeps all that was ever ordered.

use anyhow::{Context as _, Result, bail, ensure};
use client::{Client, Error, OffsetSpec, Target};
use message_model::{Offset, PartitionIndex, TopicName, TopicPartition};
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    IncrementalAlterConfigsRequest, IncrementalAlterConfigsResource, IncrementallyAlterableConfig,
};

use crate::topics::Configs;

/// The settings of a topic that keeps all its records.
pub(super) const KEEPS_ALL: &Configs = &[
    ("cleanup.policy", "delete"),
    ("retention.ms", "-1"),
    ("retention.bytes", "-1"),
];
/// What a request calls a topic.
const TOPIC: i8 = 2;
/// A setting gets the value that the request has.
const SET: i8 = 0;

/// Makes the topic keep all orders, and returns if it has kept all until now.
///
/// # Errors
/// If it has not, or it cannot be found out. Nothing may be sold then: pieces that were sold
/// would be sold again.
pub(super) async fn check_memory(client: &Client, orders: &TopicName) -> Result<()> {
    // In this order: what is there at the look stays.
    let kept = keep_all(client, orders).await;
    kept.with_context(|| format!("{orders} cannot be made to keep all orders"))?;
    let partition = TopicPartition {
        topic: orders.clone(),
        partition: PartitionIndex(0),
    };
    let first = client.find_offset(&partition, OffsetSpec::Earliest, client.deadline());
    let first = first.await?.unwrap_or(Offset::ZERO);
    ensure!(
        first == Offset::ZERO,
        "the first {first} orders are not in {orders} any more, so what was sold is not known: \
         count the pieces that are left, delete the topic (mqd topics delete {orders}), and start \
         the stock with what is left"
    );
    Ok(())
}

async fn keep_all(client: &Client, orders: &TopicName) -> Result<()> {
    let set = |(name, value): &(&str, &str)| IncrementallyAlterableConfig {
        name: (*name).to_owned(),
        config_operation: SET,
        value: Some((*value).to_owned()),
    };
    let request = IncrementalAlterConfigsRequest {
        resources: vec![IncrementalAlterConfigsResource {
            resource_type: TOPIC,
            resource_name: orders.to_string(),
            configs: KEEPS_ALL.iter().map(set).collect(),
        }],
        validate_only: false,
    };
    let answer = client.call(&Target::Controller, &request, client.deadline());
    let result = answer.await?.responses.into_iter().next();
    match result.ok_or(Error::Incomplete)? {
        result if result.error_code == ErrorCode::NONE => Ok(()),
        result => bail!(
            "{}",
            result
                .error_message
                .unwrap_or(result.error_code.to_string())
        ),
    }
}
