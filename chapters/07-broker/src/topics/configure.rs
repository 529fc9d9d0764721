//! Changing the settings of topics that exist.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use message_model::TopicName;

use super::registry::{Entry, Registry};
use super::{Topic, TopicConfig, Topics};
use crate::error::{Error, error_code};

impl Topics {
    /// Changes the settings of several topics, each by what its closure makes of those that
    /// it has. Returns for each whether it could be done, in their order. What has
    /// changed is in effect when this returns, and also after a power loss.
    ///
    /// All changes are one replacement of `topics.json`, however many they are. Name
    /// each topic once.
    ///
    /// # Errors
    /// As the closure says, which is asked about a topic that does not exist too, with
    /// the broker's settings: [`Error::Unknown`] comes behind its error. When the disk
    /// fails, no topic has changed; or all have after a restart.
    pub async fn configure<Change, E>(
        self: &Arc<Self>,
        changes: Vec<(TopicName, Change)>,
    ) -> Vec<Result<(), E>>
    where
        Change: FnOnce(&TopicConfig) -> Result<TopicConfig, E> + Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let topics = Arc::clone(self);
        let change = move |registry: &mut Registry| topics.change(registry, changes);
        self.with_registry(change).await
    }

    fn change<Change, E>(
        &self,
        registry: &mut Registry,
        changes: Vec<(TopicName, Change)>,
    ) -> Vec<Result<(), E>>
    where
        Change: FnOnce(&TopicConfig) -> Result<TopicConfig, E>,
        E: From<Error>,
    {
        let mut changed = BTreeMap::new();
        let mut results = Vec::with_capacity(changes.len());
        let mut change_one = |name: TopicName, change: Change| {
            let topic = self.get(&name).filter(|_| registry.live(&name).is_ok());
            let Some(topic) = topic else {
                return change(&self.new_config()).and(Err(Error::Unknown.into()));
            };
            let config = change(&topic.config)?;
            config.settings.check().map_err(Error::from)?;
            if config.overrides != topic.config.overrides {
                changed.insert(name, config);
            }
            Ok(())
        };
        for (name, change) in changes {
            results.push(change_one(name, change));
        }
        if let Err(error) = self.replace_configs(registry, changed) {
            tracing::error!(%error, "the settings of topics cannot be changed");
            let code = error_code(&error);
            for result in results.iter_mut().filter(|result| result.is_ok()) {
                *result = Err(Error::Rejected(code).into());
            }
        }
        results
    }

    /// Stores the new settings, then lets them take effect.
    fn replace_configs(
        &self,
        registry: &mut Registry,
        changed: BTreeMap<TopicName, TopicConfig>,
    ) -> Result<(), Error> {
        if changed.is_empty() {
            return Ok(());
        }
        let mut entries = Vec::with_capacity(changed.len());
        for (name, config) in &changed {
            let settings = config.overrides.clone();
            let entry = registry.live(name)?.clone();
            entries.push((name.clone(), Entry { settings, ..entry }));
        }
        registry.set_all(entries)?;
        let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
        for (name, config) in changed {
            let Some(topic) = live.get_mut(&name) else {
                continue;
            };
            for partition in &topic.partitions {
                partition.set_settings(config.settings);
            }
            *topic = Arc::new(Topic {
                name,
                partitions: topic.partitions.clone(),
                config,
            });
        }
        Ok(())
    }
}
