//! ElectLeaders (43): versions 0 to 2.

use wire_protocol::ErrorCode;
use wire_protocol::message::{
    ElectLeadersPartitionResult, ElectLeadersRequest, ElectLeadersResponse, ElectLeadersTopic,
    ElectLeadersTopicResult,
};

use super::{code_of, find_partition};
use crate::broker::Broker;

/// The preferred replica, and any replica.
const KINDS: [i8; 2] = [0, 1];

/// The first version that says what is wrong with the request as a whole.
const ERROR_SINCE: i16 = 1;

/// Elects nobody: the only replica of a partition leads it, so no election is needed.
///
/// Asked about all partitions, the answer has the topics, and none of the partitions:
/// only the ones that have got another leader would be there.
pub async fn elect_leaders(
    broker: &Broker,
    version: i16,
    request: ElectLeadersRequest,
) -> ElectLeadersResponse {
    let is_known = KINDS.contains(&request.election_type);
    let mut results = Vec::new();
    match request.topic_partitions {
        None if is_known => {
            let topics = broker.topics.all().into_iter();
            results.extend(topics.map(|topic| ElectLeadersTopicResult {
                topic: topic.name.as_str().to_owned(),
                partition_result: Vec::new(),
            }));
        }
        None => {}
        Some(topics) => {
            results.reserve_exact(topics.len());
            for topic in topics {
                tokio::task::consume_budget().await;
                results.push(elect(broker, is_known, topic));
            }
        }
    }
    let error_code = match is_known || version < ERROR_SINCE {
        true => ErrorCode::NONE,
        false => ErrorCode::INVALID_REQUEST,
    };
    ElectLeadersResponse {
        error_code,
        replica_election_results: results,
        ..ElectLeadersResponse::default()
    }
}

fn elect(broker: &Broker, is_known: bool, topic: ElectLeadersTopic) -> ElectLeadersTopicResult {
    let name = topic.topic;
    let result = |partition_id| ElectLeadersPartitionResult {
        partition_id,
        error_code: match find_partition(&broker.topics, &name, partition_id) {
            _ if !is_known => ErrorCode::INVALID_REQUEST,
            Ok(_) => ErrorCode::ELECTION_NOT_NEEDED,
            Err(error) => code_of(&name, partition_id, &error),
        },
        error_message: None,
    };
    ElectLeadersTopicResult {
        partition_result: topic.partitions.into_iter().map(result).collect(),
        topic: name,
    }
}
