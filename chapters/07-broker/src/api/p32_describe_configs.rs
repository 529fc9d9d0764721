//! DescribeConfigs (32): versions 1 to 4.

use message_model::TopicName;
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    DescribeConfigsEntry, DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResponse,
    DescribeConfigsResult, DescribeConfigsSynonym,
};

use super::refusal::Refusal;
use super::setting_type::{SettingType, list_items, setting_type};
use crate::broker::Broker;
use crate::error::Error;
use crate::topic_settings::{broker_name, topic_settings};
use crate::topics::TopicConfig;

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

/// A setting of the broker as clients see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Kafka's name of it.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Where the value comes from.
    pub source: SettingSource,
    /// Its value if nobody sets it.
    pub default: String,
    /// What it is for; empty if that is not known.
    pub documentation: &'static str,
}

/// What a request calls a topic.
const TOPIC: i8 = 2;
/// What a request calls a broker.
const BROKER: i8 = 4;
/// What else a request of Kafka's can name: loggers, metrics of clients, groups.
const OTHERS: [i8; 3] = [8, 16, 32];

/// The most resources that one request is answered for: a short request could
/// make us build a huge response.
pub(super) const RESOURCES_MAX: usize = 1_000;

/// How much memory the settings of one resource take, in bytes: with all that can be said of
/// them, also if less is asked for.
const SETTINGS: usize = 20_000;

/// How much memory the settings of so many resources take in an answer, and while that is
/// made, in bytes.
#[must_use]
pub fn settings_size(resources: usize) -> usize {
    resources.min(RESOURCES_MAX) * SETTINGS
}

/// The settings of topics, and of this broker.
#[must_use]
pub fn describe_configs(
    broker: &Broker,
    request: DescribeConfigsRequest,
) -> DescribeConfigsResponse {
    let is_known = |wanted: &DescribeConfigsResource| {
        [TOPIC, BROKER].contains(&wanted.resource_type) || OTHERS.contains(&wanted.resource_type)
    };
    // As in Kafka, nothing is described beside what does not exist.
    let all_known = request.resources.iter().all(is_known);
    let mut results = Vec::new();
    for (index, wanted) in request.resources.into_iter().enumerate() {
        let found = match index < RESOURCES_MAX {
            false => Err(invalid("more than 1,000 resources")),
            true if !all_known => Err(invalid("one of the resources is of no known type")),
            true => find(broker, &wanted),
        };
        let mut result = result(wanted, found);
        for entry in &mut result.configs {
            if !request.include_synonyms {
                entry.synonyms.clear();
            }
            if !request.include_documentation {
                entry.documentation = None;
            }
        }
        results.push(result);
    }
    DescribeConfigsResponse {
        results,
        ..DescribeConfigsResponse::default()
    }
}

/// With all that can be said of each setting.
fn find(
    broker: &Broker,
    wanted: &DescribeConfigsResource,
) -> Result<Vec<DescribeConfigsEntry>, Refusal> {
    let name = wanted.resource_name.as_str();
    let is_wanted = |name: &str| {
        let keys = wanted.configuration_keys.as_ref();
        // Kafka takes an empty list of names for all of them.
        keys.is_none_or(|keys| keys.is_empty() || keys.iter().any(|key| key == name))
    };
    match wanted.resource_type {
        TOPIC => {
            let name = TopicName::new(name).map_err(Error::from)?;
            let topic = broker.topics.get(&name).ok_or(Error::Unknown)?;
            let mut entries = entries_of_topic(&topic.config, &broker.settings);
            entries.retain(|entry| is_wanted(&entry.name));
            Ok(entries)
        }
        // What holds for all brokers and can be changed while they run: nothing.
        BROKER if name.is_empty() => Ok(Vec::new()),
        BROKER if name == broker.info.id.to_string() => {
            let settings = broker.settings.iter();
            let wanted = settings.filter(|setting| is_wanted(&setting.name));
            Ok(wanted.map(entry_of_broker).collect())
        }
        BROKER => Err(invalid("this is another broker")),
        _ => Err(invalid("only topics and this broker have settings")),
    }
}

/// The settings of a topic, by name; `broker` holds for those that it does not set.
pub(super) fn entries_of_topic(
    config: &TopicConfig,
    broker: &[Setting],
) -> Vec<DescribeConfigsEntry> {
    let describe = |(name, value): (&'static str, String)| {
        let value = as_set(config, name).unwrap_or(value);
        let mut synonyms = Vec::new();
        if config.overrides.contains_key(name) {
            synonyms.push(synonym(name, &value, SettingSource::Topic));
        }
        let brokers_name = broker_name(name).unwrap_or(name);
        let of_broker = broker.iter().find(|setting| setting.name == brokers_name);
        match of_broker {
            Some(setting) => synonyms.extend(origins(setting)),
            None => synonyms.push(synonym(brokers_name, &value, SettingSource::Default)),
        }
        let documentation = of_broker.map_or("", |setting| setting.documentation);
        DescribeConfigsEntry {
            name: name.to_owned(),
            config_source: synonyms[0].source,
            value: Some(value),
            synonyms,
            config_type: setting_type(name) as i8,
            documentation: Some(documentation.to_owned()),
            ..DescribeConfigsEntry::default()
        }
    };
    let settings = topic_settings(&config.settings).into_iter();
    settings.map(describe).collect()
}

/// The values of a list that the topic has of its own, in the order in which they were
/// set; `None` for everything else.
fn as_set(config: &TopicConfig, name: &str) -> Option<String> {
    let own = config.overrides.get(name)?;
    let is_list = setting_type(name) == SettingType::List;
    is_list.then(|| list_items(own).collect::<Vec<_>>().join(","))
}

fn entry_of_broker(setting: &Setting) -> DescribeConfigsEntry {
    DescribeConfigsEntry {
        name: setting.name.clone(),
        value: Some(setting.value.clone()),
        read_only: true,
        config_source: setting.source as i8,
        synonyms: origins(setting),
        config_type: setting_type(&setting.name) as i8,
        documentation: Some(setting.documentation.to_owned()),
        ..DescribeConfigsEntry::default()
    }
}

/// Where a broker's value could come from, first where it does come from.
fn origins(setting: &Setting) -> Vec<DescribeConfigsSynonym> {
    let default = synonym(&setting.name, &setting.default, SettingSource::Default);
    match setting.source {
        SettingSource::Default => vec![default],
        source => vec![synonym(&setting.name, &setting.value, source), default],
    }
}

fn synonym(name: &str, value: &str, source: SettingSource) -> DescribeConfigsSynonym {
    DescribeConfigsSynonym {
        name: name.to_owned(),
        value: Some(value.to_owned()),
        source: source as i8,
    }
}

fn result(
    wanted: DescribeConfigsResource,
    found: Result<Vec<DescribeConfigsEntry>, Refusal>,
) -> DescribeConfigsResult {
    let (error_code, error_message, configs) = match found {
        Ok(configs) => (ErrorCode::NONE, None, configs),
        Err(refusal) => (refusal.code, Some(refusal.reason.into_owned()), Vec::new()),
    };
    DescribeConfigsResult {
        error_code,
        error_message,
        resource_type: wanted.resource_type,
        resource_name: wanted.resource_name,
        configs,
    }
}

fn invalid(reason: &'static str) -> Refusal {
    Refusal::new(ErrorCode::INVALID_REQUEST, reason)
}
