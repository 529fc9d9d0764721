//! DescribeConfigs (32): version 1.

use message_model::TopicName;
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    DescribeConfigsEntry, DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResponse,
    DescribeConfigsResult, DescribeConfigsSynonym,
};

use crate::broker::Broker;
use crate::topic_settings::{broker_name, topic_settings};
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

/// What a request calls a topic.
const TOPIC: i8 = 2;
/// What a request calls a broker.
const BROKER: i8 = 4;

/// The most resources that one request is answered for: a short request could
/// make us build a huge response.
const RESOURCES_MAX: usize = 1_000;

/// The settings of topics, and of this broker.
#[must_use]
pub fn describe_configs(
    broker: &Broker,
    request: DescribeConfigsRequest,
) -> DescribeConfigsResponse {
    let id = broker.info.id.to_string();
    let mut results = Vec::new();
    for (index, wanted) in request.resources.into_iter().enumerate() {
        let found = match wanted.resource_type {
            _ if index >= RESOURCES_MAX => {
                Err((ErrorCode::INVALID_REQUEST, "more than 1,000 resources"))
            }
            TOPIC => of_topic(&broker.topics, &wanted.resource_name, &broker.settings),
            BROKER if wanted.resource_name == id => Ok(broker.settings.clone()),
            _ => Err((ErrorCode::INVALID_REQUEST, "only topics and this broker")),
        };
        results.push(describe(wanted, found, request.include_synonyms));
    }
    DescribeConfigsResponse {
        results,
        ..DescribeConfigsResponse::default()
    }
}

type Found = Result<Vec<Setting>, (ErrorCode, &'static str)>;

fn of_topic(topics: &Topics, name: &str, broker: &[Setting]) -> Found {
    let topic = TopicName::new(name).ok().and_then(|name| topics.get(&name));
    let unknown = (
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
        "there is no such topic",
    );
    let config = &topic.as_ref().ok_or(unknown)?.config;
    let source = |name: &str| match broker_name(name) {
        _ if config.overrides.contains_key(name) => SettingSource::Topic,
        Some(name) => broker
            .iter()
            .find(|setting| setting.name == name)
            .map_or(SettingSource::Default, |setting| setting.source),
        None => SettingSource::Default,
    };
    let settings = topic_settings(&config.settings).into_iter();
    Ok(settings
        .map(|(name, value)| Setting {
            name: name.to_owned(),
            value,
            source: source(name),
        })
        .collect())
}

fn describe(
    wanted: DescribeConfigsResource,
    found: Found,
    synonyms: bool,
) -> DescribeConfigsResult {
    let is_shown = |name: &String| {
        let keys = wanted.configuration_keys.as_ref();
        // Kafka takes an empty list of names for all of them.
        keys.is_none_or(|keys| keys.is_empty() || keys.contains(name))
    };
    let (error, settings) = match found {
        Ok(settings) => ((ErrorCode::NONE, None), settings),
        Err((code, reason)) => ((code, Some(reason.to_owned())), Vec::new()),
    };
    DescribeConfigsResult {
        error_code: error.0,
        error_message: error.1,
        resource_type: wanted.resource_type,
        configs: settings
            .into_iter()
            .filter(|setting| is_shown(&setting.name))
            .map(|setting| entry(setting, synonyms))
            .collect(),
        resource_name: wanted.resource_name,
    }
}

fn entry(setting: Setting, synonyms: bool) -> DescribeConfigsEntry {
    let source = setting.source as i8;
    let itself = DescribeConfigsSynonym {
        name: setting.name.clone(),
        value: Some(setting.value.clone()),
        source,
    };
    DescribeConfigsEntry {
        name: setting.name,
        value: Some(setting.value),
        read_only: true,
        config_source: source,
        is_sensitive: false,
        synonyms: if synonyms { vec![itself] } else { Vec::new() },
        ..DescribeConfigsEntry::default()
    }
}
