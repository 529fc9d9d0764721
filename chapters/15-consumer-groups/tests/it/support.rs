//! A coordinator without sockets, on a simulated disk, and what members ask of it.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_model::Clock;
use broker::api::{BrokerInfo, FetchLimits};
use broker::{
    Broker, InternalTopics, LaneWidths, ProducerIds, Sender, Services, TopicSettings, Topics,
    TopicsConfig,
};
use bytes::Bytes;
use consumer_groups::{Coordinator, GroupSettings, api};
use log_storage::{LogConfig, SegmentCache};
use message_model::{BrokerId, TopicName};
use sim_disk::SimDisk;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    FindCoordinatorRequest, HeartbeatRequest, JoinGroupProtocol, JoinGroupRequest,
    JoinGroupResponse, LeaveGroupRequest, LeavingMember, OffsetCommitPartition,
    OffsetCommitRequest, OffsetCommitTopic, OffsetFetchGroup, OffsetFetchRequest,
    OffsetFetchResponse, SyncGroupAssignment, SyncGroupRequest, SyncGroupResponse,
};

const DATA_DIR: &str = "/data";
/// The newest version of JoinGroup.
const JOIN: i16 = 7;
const WIDTHS: LaneWidths = LaneWidths {
    syncs: 2,
    reads: 2,
    rolls: 2,
    administration: 2,
    openings: 1,
};

/// A broker with groups, the disk below it, and its tasks.
pub(crate) struct Queue {
    pub(crate) disk: SimDisk,
    pub(crate) broker: Arc<Broker>,
    pub(crate) groups: Arc<Coordinator>,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// Without the delay of a first rebalance.
pub(crate) fn settings() -> GroupSettings {
    let mut settings = GroupSettings::default();
    settings.group.initial_rebalance_delay = Duration::ZERO;
    settings
}

impl Queue {
    /// One with the topic `t` of four partitions, which has made the topic for groups.
    pub(crate) async fn start() -> Queue {
        Queue::start_with(settings()).await
    }

    pub(crate) async fn start_with(settings: GroupSettings) -> Queue {
        let queue = Queue::open(&SimDisk::new(3), settings);
        let topics = &queue.broker.topics;
        let created = topics.create(&name("t"), 4, topics.new_config()).await;
        created.unwrap();
        let found = queue.find_coordinator("g").await;
        assert_eq!(found, ErrorCode::NONE);
        queue
    }

    /// What a start finds on `disk`. Nothing is loaded yet.
    pub(crate) fn open(disk: &SimDisk, settings: GroupSettings) -> Queue {
        let services = Services::new(
            Arc::new(disk.clone()),
            Clock::start(),
            WIDTHS,
            SegmentCache::new(4, 100),
            None,
        );
        let services = Arc::new(services);
        let config = TopicsConfig {
            settings: TopicSettings {
                log: LogConfig {
                    segment_bytes: 100_000,
                    ..LogConfig::default()
                },
                ..TopicSettings::default()
            },
            partitions_max: 100,
            partitions_total_max: 1_000,
            open_threads: 1,
        };
        let opened = Topics::open(Arc::clone(&services), Path::new(DATA_DIR), config);
        let producer_ids = ProducerIds::open(&services, Path::new(DATA_DIR));
        let broker = Arc::new(Broker {
            services: Arc::clone(&services),
            topics: Arc::new(opened.unwrap().topics),
            producer_ids: Arc::new(producer_ids.unwrap()),
            info: BrokerInfo {
                id: BrokerId(3),
                cluster_id: "a cluster".to_owned(),
                host: "queue.example".to_owned(),
                port: 9092,
            },
            auto_create: true,
            partitions_default: 1,
            internal_topics: InternalTopics {
                offsets_partitions: 3,
                offsets_segment_bytes: 2_000,
                ..InternalTopics::default()
            },
            fetch_limits: FetchLimits {
                response_bytes_max: 1_000_000,
                wait_max: Duration::from_secs(60),
            },
            waiting_places: Arc::new(Semaphore::new(1_000)),
            settings: Vec::new(),
        });
        let groups = Arc::new(Coordinator::new(Arc::clone(&broker), settings));
        let driven = Arc::clone(&groups);
        let tasks = vec![
            tokio::spawn(async move { services.expire_waits().await }),
            tokio::spawn(async move { driven.drive().await }),
        ];
        Queue {
            disk: disk.clone(),
            broker,
            groups,
            tasks,
        }
    }

    /// The same after a power failure at this moment, loaded.
    pub(crate) async fn after_power_failure(&self) -> Queue {
        let queue = Queue::open(&self.disk.crash(), settings());
        queue.groups.load().await;
        queue
    }

    pub(crate) async fn find_coordinator(&self, group: &str) -> ErrorCode {
        let request = FindCoordinatorRequest {
            key: group.to_owned(),
            ..FindCoordinatorRequest::default()
        };
        let found = api::find_coordinator(&self.groups, 2, request).await;
        found.error_code
    }

    /// Joins in the newest version; the future is parked at the group.
    pub(crate) fn join(
        &self,
        request: JoinGroupRequest,
    ) -> impl Future<Output = JoinGroupResponse> + Send + use<> {
        self.join_version(JOIN, request)
    }

    pub(crate) fn join_version(
        &self,
        version: i16,
        request: JoinGroupRequest,
    ) -> impl Future<Output = JoinGroupResponse> + Send + use<> {
        let sender = Sender {
            client_id: Some("client".to_owned()),
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
        };
        api::join_group(&self.groups, version, &sender, request)
    }

    /// Gets a member id, and joins with it.
    pub(crate) async fn member(&self, group: &str) -> JoinGroupResponse {
        let id = self.join(join(group, "")).await;
        assert_eq!(id.error_code, ErrorCode::MEMBER_ID_REQUIRED);
        self.join(join(group, &id.member_id)).await
    }

    /// A group of one member, which is stable with the share `"all"`. Returns the member id.
    pub(crate) async fn stable(&self, group: &str) -> String {
        let joined = self.member(group).await;
        assert_eq!(joined.error_code, ErrorCode::NONE);
        let shares = [(joined.member_id.as_str(), "all")];
        let synced = self.sync(group, &joined, &shares).await;
        assert_eq!(
            (synced.error_code, &synced.assignment[..]),
            (ErrorCode::NONE, &b"all"[..])
        );
        joined.member_id
    }

    pub(crate) fn sync(
        &self,
        group: &str,
        joined: &JoinGroupResponse,
        shares: &[(&str, &str)],
    ) -> impl Future<Output = SyncGroupResponse> + Send + use<> {
        let request = SyncGroupRequest {
            group_id: group.to_owned(),
            generation_id: joined.generation_id,
            member_id: joined.member_id.clone(),
            assignments: shares
                .iter()
                .map(|(member, share)| SyncGroupAssignment {
                    member_id: (*member).to_owned(),
                    assignment: Bytes::copy_from_slice(share.as_bytes()),
                })
                .collect(),
            ..SyncGroupRequest::default()
        };
        api::sync_group(&self.groups, 3, request)
    }

    pub(crate) fn heartbeat(&self, group: &str, member: &str, generation: i32) -> ErrorCode {
        let request = HeartbeatRequest {
            group_id: group.to_owned(),
            generation_id: generation,
            member_id: member.to_owned(),
            ..HeartbeatRequest::default()
        };
        api::heartbeat(&self.groups, &request).error_code
    }

    pub(crate) fn leave(&self, group: &str, member: &str) -> ErrorCode {
        let request = LeaveGroupRequest {
            group_id: group.to_owned(),
            members: vec![LeavingMember {
                member_id: member.to_owned(),
                ..LeavingMember::default()
            }],
            ..LeaveGroupRequest::default()
        };
        let left = api::leave_group(&self.groups, 4, request);
        assert_eq!(left.error_code, ErrorCode::NONE);
        left.members[0].error_code
    }

    /// Commits offsets of partitions of `t`. Returns the code of each.
    pub(crate) async fn commit(
        &self,
        group: &str,
        by: (&str, i32),
        offsets: &[(i32, i64)],
    ) -> Vec<ErrorCode> {
        let request = commit_request(group, by, "t", offsets);
        let committed = api::offset_commit(&self.groups, request).await.await;
        let partitions = committed.topics[0].partitions.iter();
        partitions.map(|one| one.error_code).collect()
    }

    /// All that a group has committed.
    pub(crate) async fn committed(&self, group: &str) -> Vec<(String, i32, i64)> {
        let found = self.fetch_all(group).await;
        let group = &found.groups[0];
        assert_eq!(group.error_code, ErrorCode::NONE);
        let topics = group.topics.iter();
        topics
            .flat_map(|topic| {
                let partitions = topic.partitions.iter();
                partitions.map(|one| {
                    (
                        topic.name.clone(),
                        one.partition_index,
                        one.committed_offset,
                    )
                })
            })
            .collect()
    }

    pub(crate) async fn fetch_all(&self, group: &str) -> OffsetFetchResponse {
        let request = OffsetFetchRequest {
            groups: vec![OffsetFetchGroup {
                group_id: group.to_owned(),
                topics: None,
            }],
            ..OffsetFetchRequest::default()
        };
        api::offset_fetch(&self.groups, 8, request).await
    }
}

/// Of a consumer that knows `range`, with a session of 10 and a rebalance timeout of 60 seconds.
pub(crate) fn join(group: &str, member: &str) -> JoinGroupRequest {
    JoinGroupRequest {
        group_id: group.to_owned(),
        session_timeout_ms: 10_000,
        rebalance_timeout_ms: 60_000,
        member_id: member.to_owned(),
        protocol_type: "consumer".to_owned(),
        protocols: vec![JoinGroupProtocol {
            name: "range".to_owned(),
            metadata: subscription(&["t"]),
        }],
        ..JoinGroupRequest::default()
    }
}

/// As a consumer says which topics it reads.
pub(crate) fn subscription(topics: &[&str]) -> Bytes {
    let mut bytes = vec![0, 0];
    bytes.extend(i32::try_from(topics.len()).unwrap().to_be_bytes());
    for topic in topics {
        bytes.extend(i16::try_from(topic.len()).unwrap().to_be_bytes());
        bytes.extend(topic.as_bytes());
    }
    bytes.extend((-1_i32).to_be_bytes());
    bytes.into()
}

/// Of a consumer that has chosen its partitions itself.
pub(crate) const SIMPLE: (&str, i32) = ("", -1);

pub(crate) fn commit_request(
    group: &str,
    (member, generation): (&str, i32),
    topic: &str,
    offsets: &[(i32, i64)],
) -> OffsetCommitRequest {
    OffsetCommitRequest {
        group_id: group.to_owned(),
        generation_id: generation,
        member_id: member.to_owned(),
        topics: vec![OffsetCommitTopic {
            name: topic.to_owned(),
            partitions: offsets
                .iter()
                .map(|(partition, offset)| OffsetCommitPartition {
                    partition_index: *partition,
                    committed_offset: *offset,
                    committed_metadata: Some(format!("about {offset}")),
                    ..OffsetCommitPartition::default()
                })
                .collect(),
        }],
        ..OffsetCommitRequest::default()
    }
}

pub(crate) fn name(topic: &str) -> TopicName {
    TopicName::new(topic).unwrap()
}
