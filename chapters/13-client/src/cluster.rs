//! What a client knows of a cluster, and how it learns the rest.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_model::Clock;
use futures_util::future::join_all;
use message_model::{BrokerId, LeaderEpoch, Moment, TopicName};
use wire_protocol::message::{
    FindCoordinatorRequest, MetadataRequest, MetadataResponse, MetadataTopic,
    MetadataTopicResponse, MetadataTopics,
};
use wire_protocol::{ErrorCode, Request};

use crate::address::BrokerAddress;
use crate::brokers::Brokers;
use crate::error::{Error, check};
use crate::look_ups::{Answers, LookUps, Subject};
use crate::part::{Route, Staleness};
use crate::settings::Settings;
use crate::target::{Role, Target};
use crate::topic_metadata::{PartitionMetadata, TopicMetadata};

/// A cluster, as far as it is known.
#[derive(Debug)]
pub(crate) struct Cluster {
    clock: Clock,
    settings: Settings,
    brokers: Brokers,
    /// Of topics and of the controller.
    metadata: LookUps,
    /// Of groups, apart from the others: a group's first coordinator takes time to be made.
    coordinators: LookUps,
}

impl Cluster {
    pub(crate) fn new(clock: Clock, settings: Settings, brokers: Brokers) -> Cluster {
        Cluster {
            clock,
            brokers,
            metadata: LookUps::new(clock, settings.metadata_max_age),
            coordinators: LookUps::new(clock, settings.metadata_max_age),
            settings,
        }
    }

    pub(crate) fn brokers(&self) -> &Brokers {
        &self.brokers
    }

    /// Never returns: ends look-ups that take too long.
    pub(crate) async fn end_overdue(&self) {
        tokio::join!(self.metadata.end_overdue(), self.coordinators.end_overdue());
    }

    /// Returns where `target` listens; `None`: any broker will do.
    pub(crate) async fn address(
        self: &Arc<Self>,
        target: &Target,
        deadline: Moment,
    ) -> Result<Option<BrokerAddress>, Error> {
        let node = match target {
            Target::Any => return Ok(None),
            Target::Node(node) => *node,
            routed => self.leader(routed, deadline).await?,
        };
        if let Some(address) = self.brokers.address(node) {
            return Ok(Some(address));
        }
        // The answer about a group or a partition did not say where its broker listens.
        self.metadata.forget(Subject::Cluster, 0, self.clock.now());
        self.known(Subject::Cluster, None, deadline).await?;
        let address = self.brokers.address(node);
        address.map(Some).ok_or(Error::UnknownBroker(node))
    }

    /// The broker that a subject's route leads to.
    async fn leader(
        self: &Arc<Self>,
        target: &Target,
        deadline: Moment,
    ) -> Result<BrokerId, Error> {
        let (subject, index) = subject(target);
        let look_ups = self.look_ups(&subject);
        if let Some(leader) = look_ups.leader(&subject, index) {
            return Ok(leader);
        }
        self.known(subject.clone(), Some(index), deadline).await?;
        look_ups
            .leader(&subject, index)
            .ok_or_else(|| match target {
                Target::Leader(partition) => match look_ups.routes(&subject) {
                    Some(routes) if index >= routes.len() => {
                        Error::Broker(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)
                    }
                    _ => Error::NoLeader(partition.clone()),
                },
                _ => Error::Incomplete,
            })
    }

    pub(crate) async fn topic(
        self: &Arc<Self>,
        name: &TopicName,
        deadline: Moment,
    ) -> Result<TopicMetadata, Error> {
        let subject = Subject::Topic(name.clone());
        if let Some(routes) = self.metadata.routes(&subject) {
            return Ok(described(&routes));
        }
        self.known(subject.clone(), None, deadline).await?;
        let routes = self.metadata.routes(&subject);
        // Forgotten again, by another call, since the answer came.
        let stale = Error::Broker(ErrorCode::LEADER_NOT_AVAILABLE);
        routes.map(|routes| described(&routes)).ok_or(stale)
    }

    /// Returns when a subject is known, as far as it can be.
    async fn known(
        self: &Arc<Self>,
        subject: Subject,
        index: Option<usize>,
        deadline: Moment,
    ) -> Result<(), Error> {
        let look_ups = self.look_ups(&subject);
        let look_up = |subjects| self.look_up(subjects);
        look_ups.want(subject, index, deadline, look_up).await
    }

    pub(crate) fn forget(&self, target: &Target, taken: Moment) {
        match target {
            Target::Any => {}
            Target::Node(node) => self.brokers.forget(*node),
            routed => {
                let (subject, index) = subject(routed);
                self.look_ups(&subject).forget(subject, index, taken);
            }
        }
    }

    pub(crate) fn staleness(&self) -> Staleness {
        let (metadata, groups) = (self.metadata.staleness(), self.coordinators.staleness());
        Staleness {
            found: metadata.found + groups.found,
            age_max: metadata.age_max.max(groups.age_max),
            age_sum: metadata.age_sum + groups.age_sum,
        }
    }

    fn look_ups(&self, subject: &Subject) -> &LookUps {
        match subject {
            Subject::Cluster | Subject::Topic(_) => &self.metadata,
            Subject::Group(_) | Subject::Transactions(_) => &self.coordinators,
        }
    }

    /// Begins a look-up. It belongs to no call: one that gives up does not end it.
    fn look_up(self: &Arc<Self>, subjects: BTreeSet<Subject>) {
        let cluster = Arc::clone(self);
        tokio::spawn(async move {
            let deadline = cluster.clock.now().plus(cluster.settings.patience);
            let is_coordinator =
                |subject: &Subject| matches!(subject, Subject::Group(_) | Subject::Transactions(_));
            let of_coordinators = subjects.first().is_some_and(is_coordinator);
            let look_ups = match of_coordinators {
                true => &cluster.coordinators,
                false => &cluster.metadata,
            };
            let answers = match of_coordinators {
                true => Ok(cluster.ask_coordinators(subjects, deadline).await),
                false => cluster.ask_metadata(subjects, deadline).await,
            };
            look_ups.ended(answers, |subjects| cluster.look_up(subjects));
        });
    }

    async fn ask_metadata(
        &self,
        subjects: BTreeSet<Subject>,
        deadline: Moment,
    ) -> Result<Answers, Error> {
        let topics: Vec<TopicName> = subjects
            .iter()
            .filter_map(|subject| match subject {
                Subject::Topic(name) => Some(name.clone()),
                _ => None,
            })
            .collect();
        let answer = self.metadata(Some(&topics), deadline).await?;
        let controller = Route {
            leader: broker_id(answer.controller_id),
            epoch: None,
        };
        let topics = answer.topics.iter().filter_map(topic_answer);
        let cluster = (Subject::Cluster, Ok(vec![controller]));
        Ok(topics.chain([cluster]).collect())
    }

    /// Asks about topics, or about all of them. It creates none.
    pub(crate) async fn metadata(
        &self,
        topics: Option<&[TopicName]>,
        deadline: Moment,
    ) -> Result<MetadataResponse, Error> {
        let named = |topic: &TopicName| MetadataTopic {
            name: topic.as_str().to_owned(),
        };
        let request = MetadataRequest {
            topics: MetadataTopics(topics.map(|topics| topics.iter().map(named).collect())),
            allow_auto_topic_creation: false,
            ..MetadataRequest::default()
        };
        let answer = self.ask_any(&request, deadline).await?;
        self.brokers.learn(&answer.brokers);
        Ok(answer)
    }

    async fn ask_coordinators(&self, subjects: BTreeSet<Subject>, deadline: Moment) -> Answers {
        let asking = subjects.into_iter().map(async |subject| {
            let answer = match &subject {
                Subject::Group(group) => self.ask_coordinator(0, group, deadline).await,
                Subject::Transactions(id) => self.ask_coordinator(1, id, deadline).await,
                _ => Err(Error::Incomplete),
            };
            (subject, answer.map(|route| vec![route]))
        });
        join_all(asking).await
    }

    async fn ask_coordinator(
        &self,
        key_type: i8,
        key: &str,
        deadline: Moment,
    ) -> Result<Route, Error> {
        let request = FindCoordinatorRequest {
            key: key.to_owned(),
            key_type,
            ..FindCoordinatorRequest::default()
        };
        let answer = self.ask_any(&request, deadline).await?;
        check(answer.error_code)?;
        let coordinator = broker_id(answer.node_id).ok_or(Error::Incomplete)?;
        let address = BrokerAddress {
            host: answer.host,
            port: u16::try_from(answer.port).map_err(|_| Error::Incomplete)?,
        };
        self.brokers.learn_one(coordinator, address);
        Ok(Route {
            leader: Some(coordinator),
            epoch: None,
        })
    }

    async fn ask_any<R: Request>(
        &self,
        request: &R,
        deadline: Moment,
    ) -> Result<R::Response, Error> {
        let broker = self.brokers.any(Role::Rest, deadline).await?;
        let answer = broker.ask(request, deadline).await;
        if matches!(answer, Err(Error::Call(_) | Error::Malformed(_))) {
            broker.retire();
        }
        answer
    }
}

/// What is asked about to find a target, and the place of its route.
fn subject(target: &Target) -> (Subject, usize) {
    match target {
        Target::Leader(partition) => {
            let index = usize::try_from(partition.partition.0).unwrap_or(usize::MAX);
            (Subject::Topic(partition.topic.clone()), index)
        }
        Target::Coordinator(group) => (Subject::Group(Arc::clone(group)), 0),
        Target::Transactions(id) => (Subject::Transactions(Arc::clone(id)), 0),
        Target::Any | Target::Controller | Target::Node(_) => (Subject::Cluster, 0),
    }
}

fn broker_id(id: i32) -> Option<BrokerId> {
    (id >= 0).then_some(BrokerId(id))
}

fn topic_answer(topic: &MetadataTopicResponse) -> Option<(Subject, Result<Vec<Route>, Error>)> {
    let subject = Subject::Topic(TopicName::new(&topic.name).ok()?);
    let answer = check(topic.error_code).map(|()| routes(topic));
    Some((subject, answer))
}

/// The routes of a topic by index. What the broker says of partitions beyond their
/// number is ignored, so that no index can ask for memory.
fn routes(topic: &MetadataTopicResponse) -> Vec<Route> {
    let unknown = Route {
        leader: None,
        epoch: None,
    };
    let mut routes = vec![unknown; topic.partitions.len()];
    for partition in &topic.partitions {
        let index = usize::try_from(partition.partition_index).ok();
        if let Some(route) = index.and_then(|index| routes.get_mut(index)) {
            let epoch = partition.leader_epoch;
            *route = Route {
                leader: broker_id(partition.leader_id),
                epoch: (epoch >= 0).then_some(LeaderEpoch(epoch)),
            };
        }
    }
    routes
}

fn described(routes: &[Route]) -> TopicMetadata {
    let partition = |route: &Route| PartitionMetadata {
        leader: route.leader,
        leader_epoch: route.epoch,
    };
    TopicMetadata {
        partitions: routes.iter().map(partition).collect(),
    }
}
