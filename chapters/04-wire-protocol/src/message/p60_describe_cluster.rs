//! DescribeCluster (60): the brokers, and which of them is the controller.

use crate::error_code::ErrorCode;
use crate::schema::messages;

messages! {
    /// Asks about the cluster.
    DescribeClusterRequest {
        /// Whether to say what the client may do with the cluster.
        include_cluster_authorized_operations: bool;
        /// 1: brokers. 2: controllers.
        endpoint_type: i8 [1..] = 1;
    }
    /// The cluster.
    DescribeClusterResponse {
        /// Always 0: we do not throttle.
        throttle_time_ms: i32;
        error_code: ErrorCode;
        error_message: Option<String>;
        /// As in the request.
        endpoint_type: i8 [1..] = 1;
        cluster_id: String;
        /// The broker that admin requests go to.
        controller_id: i32 = -1;
        brokers: Vec<DescribeClusterBroker>;
        /// A bit for each operation that the client may use; `i32::MIN`: not asked for.
        cluster_authorized_operations: i32 = i32::MIN;
    }
    /// A broker of a [`DescribeClusterResponse`].
    DescribeClusterBroker {
        broker_id: i32;
        host: String;
        port: i32;
        rack: Option<String>;
    }
}
