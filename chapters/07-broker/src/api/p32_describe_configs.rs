//! DescribeConfigs (32): version 1.

use std::collections::BTreeSet;

use message_model::{BrokerId, TopicName};
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    DescribeConfigsEntry, DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResponse,
    DescribeConfigsResult, DescribeConfigsSynonym,
};

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

/// Shows the settings of topics, and of the broker `broker`: `settings`.
#[must_use]
pub fn describe_configs(
    topics: &Topics,
    broker: BrokerId,
    settings: &[Setting],
    request: DescribeConfigsRequest,
) -> DescribeConfigsResponse {
    let mut seen = BTreeSet::new();
    let mut results = Vec::new();
    for asked in request.resources {
        // What is asked for a thousand times is answered once: else a small
        // request could make us build a huge response.
        if seen.insert((asked.resource_type, asked.resource_name.clone())) {
            let found = match asked.resource_type {
                TOPIC => of_topic(topics, &asked.resource_name, settings),
                BROKER if asked.resource_name == broker.to_string() => Ok(settings.to_vec()),
                _ => Err((ErrorCode::INVALID_REQUEST, "only topics and this broker")),
            };
            results.push(describe(asked, found, request.include_synonyms));
        }
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
    let settings = topic_settings(&config.log).into_iter();
    Ok(settings
        .map(|(name, value)| Setting {
            name: name.to_owned(),
            value,
            source: source(name),
        })
        .collect())
}

fn describe(asked: DescribeConfigsResource, found: Found, synonyms: bool) -> DescribeConfigsResult {
    let wanted = |name: &String| {
        let keys = asked.configuration_keys.as_ref();
        keys.is_none_or(|keys| keys.contains(name))
    };
    let (error, settings) = match found {
        Ok(settings) => ((ErrorCode::NONE, None), settings),
        Err((code, reason)) => ((code, Some(reason.to_owned())), Vec::new()),
    };
    DescribeConfigsResult {
        error_code: error.0,
        error_message: error.1,
        resource_type: asked.resource_type,
        configs: settings
            .into_iter()
            .filter(|setting| wanted(&setting.name))
            .map(|setting| entry(setting, synonyms))
            .collect(),
        resource_name: asked.resource_name,
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
    }
}
