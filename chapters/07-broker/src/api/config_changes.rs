//! Changes of settings, as AlterConfigs and IncrementalAlterConfigs have in common.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use message_model::TopicName;
use wire_protocol::ErrorCode;

use super::refusal::{Refusal, answer_and_log};
use super::setting_type::{SettingType, list_items, setting_type};
use crate::broker::Broker;
use crate::error::Error;
use crate::topic_settings::topic_settings;
use crate::topics::TopicConfig;

/// What a request calls a topic.
const TOPIC: i8 = 2;
/// What a request calls a broker.
const BROKER: i8 = 4;

/// What is to become of one setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Set,
    /// Back to what holds without it.
    Delete,
    /// Adds values to a list.
    Append,
    /// Takes values from a list.
    Subtract,
}

/// A change of one setting.
#[derive(Debug)]
pub(super) struct ConfigChange {
    pub(super) name: String,
    pub(super) operation: Operation,
    pub(super) value: Option<String>,
}

/// What is to be changed of one topic or broker.
#[derive(Debug)]
pub(super) struct ResourceChange {
    pub(super) resource_type: i8,
    pub(super) resource_name: String,
    /// Whether what is not named goes back to what holds without it.
    pub(super) replaces_all: bool,
    /// A refusal: they could not be read.
    pub(super) changes: Result<Vec<ConfigChange>, Refusal>,
}

/// A change of a topic, as far as it can be known without the topic.
struct TopicChange {
    replaces_all: bool,
    changes: Vec<ConfigChange>,
    /// What holds where the topic has no setting of its own.
    default: Arc<TopicConfig>,
}

/// A resource of a request, and what came of its change.
#[derive(Debug)]
pub(super) struct ChangedResource {
    pub(super) resource_type: i8,
    pub(super) resource_name: String,
    pub(super) error_code: ErrorCode,
    pub(super) error_message: Option<String>,
}

/// Changes the settings of topics, and returns what came of each resource, in their
/// order. All topics that can be changed are changed together: a request costs one
/// replacement of `topics.json`. Nothing of a resource is changed if one of its settings
/// cannot be.
///
/// A resource that comes twice is refused each time, as in Kafka.
pub(super) async fn change_configs(
    broker: &Broker,
    resources: Vec<ResourceChange>,
    validate_only: bool,
) -> Vec<ChangedResource> {
    let is_repeated = repeated(&resources);
    let default = Arc::new(broker.topics.new_config());
    let mut changed = Vec::with_capacity(resources.len());
    let mut places = Vec::new();
    let mut topics = Vec::new();
    for (place, mut resource) in resources.into_iter().enumerate() {
        tokio::task::consume_budget().await;
        let changes = std::mem::replace(&mut resource.changes, Ok(Vec::new()));
        let checked = match is_repeated[place] {
            true => Err(invalid("named twice")),
            false => changes.and_then(|changes| check(broker, &default, &resource, changes)),
        };
        let checked = checked.map(|left| {
            if let Some((name, change)) = left {
                places.push(place);
                topics.push((name, move |config: &TopicConfig| change.apply(config)));
            }
        });
        changed.push(ChangedResource::new(resource, checked));
    }
    let results = match validate_only {
        true => validate(broker, topics),
        false => broker.topics.configure(topics).await,
    };
    for (place, result) in places.into_iter().zip(results) {
        changed[place].note(result);
    }
    changed
}

impl ChangedResource {
    fn new(resource: ResourceChange, result: Result<(), Refusal>) -> ChangedResource {
        let mut changed = ChangedResource {
            resource_type: resource.resource_type,
            resource_name: resource.resource_name,
            error_code: ErrorCode::NONE,
            error_message: None,
        };
        if result.is_err() {
            changed.note(result);
        }
        changed
    }

    fn note(&mut self, result: Result<(), Refusal>) {
        (self.error_code, self.error_message) =
            answer_and_log("settings of", &self.resource_name, result);
    }
}

/// What would come of it.
fn validate<Change>(broker: &Broker, topics: Vec<(TopicName, Change)>) -> Vec<Result<(), Refusal>>
where
    Change: FnOnce(&TopicConfig) -> Result<TopicConfig, Refusal>,
{
    let would = topics
        .into_iter()
        .map(|(name, change)| match broker.topics.get(&name) {
            Some(topic) => change(&topic.config).map(drop),
            None => change(&broker.topics.new_config()).and(Err(Error::Unknown.into())),
        });
    would.collect()
}

/// Of each resource, whether it is not the only one of its type and name.
fn repeated(resources: &[ResourceChange]) -> Vec<bool> {
    let mut first: HashMap<(i8, &str), usize> = HashMap::new();
    let mut repeated = vec![false; resources.len()];
    for (place, resource) in resources.iter().enumerate() {
        let key = (resource.resource_type, resource.resource_name.as_str());
        let earlier = *first.entry(key).or_insert(place);
        if earlier != place {
            repeated[earlier] = true;
            repeated[place] = true;
        }
    }
    repeated
}

/// In Kafka's order: the form of the changes, the resource, then the values. Returns
/// what is left to do with a topic; of a broker nothing is.
fn check(
    broker: &Broker,
    default: &Arc<TopicConfig>,
    resource: &ResourceChange,
    changes: Vec<ConfigChange>,
) -> Result<Option<(TopicName, TopicChange)>, Refusal> {
    check_form(&changes)?;
    let name = resource.resource_name.as_str();
    match resource.resource_type {
        TOPIC if name.is_empty() => Err(invalid(
            "there are no settings of all topics; a broker has them from its start",
        )),
        TOPIC => {
            let name = TopicName::new(name).map_err(Error::from)?;
            let change = TopicChange {
                replaces_all: resource.replaces_all,
                changes,
                default: Arc::clone(default),
            };
            Ok(Some((name, change)))
        }
        BROKER => check_broker(broker, name, &changes).map(|()| None),
        other => Err(invalid(format!(
            "nothing of type {other} has settings that change"
        ))),
    }
}

fn check_form(changes: &[ConfigChange]) -> Result<(), Refusal> {
    let mut names = HashSet::new();
    for ConfigChange {
        name,
        operation,
        value,
    } in changes
    {
        if value.is_none() && *operation != Operation::Delete {
            return Err(invalid(format!("{name} has no value")));
        }
        if !names.insert(name) {
            return Err(invalid(format!("{name} comes twice")));
        }
    }
    Ok(())
}

/// A broker's settings are given at its start: what would change one is refused.
fn check_broker(broker: &Broker, id: &str, changes: &[ConfigChange]) -> Result<(), Refusal> {
    let ours = broker.info.id.to_string();
    // The empty name is for all brokers.
    if !id.is_empty() && id != ours {
        return Err(invalid(format!("this is broker {ours}")));
    }
    let changes = changes.iter();
    let mut fixed = changes.filter(|change| change.operation != Operation::Delete);
    fixed.next().map_or(Ok(()), |change| {
        let name = &change.name;
        Err(invalid(format!(
            "{name} cannot change while the broker runs: set it at the start"
        )))
    })
}

impl TopicChange {
    /// The settings of the topic after the change.
    fn apply(self, present: &TopicConfig) -> Result<TopicConfig, Refusal> {
        let mut overrides = match self.replaces_all {
            true => BTreeMap::new(),
            false => present.overrides.clone(),
        };
        for ConfigChange {
            name,
            operation,
            value,
        } in self.changes
        {
            let value = value.unwrap_or_default();
            match operation {
                Operation::Set => {
                    overrides.insert(name, value);
                }
                Operation::Delete => {
                    overrides.remove(&name);
                }
                Operation::Append | Operation::Subtract => {
                    let list = change_list(&name, operation, &value, present)?;
                    overrides.insert(name, list);
                }
            }
        }
        let mut config = TopicConfig::clone(&self.default);
        for (name, value) in overrides {
            config.set(&name, &value).map_err(|error| {
                let reason = format!("{name}={value}: {error}");
                Refusal::new(ErrorCode::INVALID_CONFIG, reason)
            })?;
        }
        Ok(config)
    }
}

/// The values of a list after some are added or taken away.
fn change_list(
    name: &str,
    operation: Operation,
    value: &str,
    present: &TopicConfig,
) -> Result<String, Refusal> {
    if setting_type(name) != SettingType::List {
        let reason = format!("{name} is not a list: it can be set or deleted");
        return Err(Refusal::new(ErrorCode::INVALID_CONFIG, reason));
    }
    let settings = topic_settings(&present.settings);
    let own = present.overrides.get(name);
    let holds = own.or_else(|| {
        let mut settings = settings.iter();
        settings
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    });
    let mut values: Vec<&str> = holds.map_or(Vec::new(), |list| list_items(list).collect());
    match operation {
        Operation::Subtract => values.retain(|one| list_items(value).all(|gone| gone != *one)),
        _ => {
            for one in list_items(value) {
                if !values.contains(&one) {
                    values.push(one);
                }
            }
        }
    }
    Ok(values.join(","))
}

fn invalid(reason: impl Into<Cow<'static, str>>) -> Refusal {
    Refusal::new(ErrorCode::INVALID_REQUEST, reason)
}
