//! DescribeConfigs (32): version 1.

use message_model::BrokerId;
use wire_protocol::message::{DescribeConfigsRequest, DescribeConfigsResponse};

use crate::topics::Topics;

/// Where a setting's value comes from; the numbers are the wire's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingSource {
    /// The topic's own.
    Topic = 1,
    /// The broker's configuration file or command line.
    Broker = 4,
    /// Nobody set it.
    Default = 5,
}

/// A setting as clients see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Kafka's name of it.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Where the value comes from.
    pub source: SettingSource,
}

/// Shows the settings of topics, and of the broker `broker`: `settings`.
#[must_use]
pub fn describe_configs(
    topics: &Topics,
    broker: BrokerId,
    settings: &[Setting],
    request: DescribeConfigsRequest,
) -> DescribeConfigsResponse {
    let _ = (topics, broker, settings, request);
    todo!()
}
