//! DescribeCluster (60): versions 0 and 1.

use wire_protocol::ErrorCode;
use wire_protocol::message::{
    DescribeClusterBroker, DescribeClusterRequest, DescribeClusterResponse,
};

use super::authorized_operations::of_cluster;
use crate::broker::Broker;

/// What a request calls the brokers.
const BROKERS: i8 = 1;
/// What a request calls the controllers, which have no address of their own here.
const CONTROLLERS: i8 = 2;

/// This broker, which is the controller too.
#[must_use]
pub fn describe_cluster(
    broker: &Broker,
    request: &DescribeClusterRequest,
) -> DescribeClusterResponse {
    let refused = |error_code| DescribeClusterResponse {
        error_code,
        error_message: Some("ask about brokers (endpoint type 1)".to_owned()),
        ..DescribeClusterResponse::default()
    };
    match request.endpoint_type {
        BROKERS => {}
        CONTROLLERS => return refused(ErrorCode::MISMATCHED_ENDPOINT_TYPE),
        _ => return refused(ErrorCode::UNSUPPORTED_ENDPOINT_TYPE),
    }
    let info = &broker.info;
    DescribeClusterResponse {
        cluster_id: info.cluster_id.clone(),
        controller_id: info.id.0,
        brokers: vec![DescribeClusterBroker {
            broker_id: info.id.0,
            host: info.host.clone(),
            port: i32::from(info.port),
            rack: None,
        }],
        cluster_authorized_operations: of_cluster(request.include_cluster_authorized_operations),
        ..DescribeClusterResponse::default()
    }
}
