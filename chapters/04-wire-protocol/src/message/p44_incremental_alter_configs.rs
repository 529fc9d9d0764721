//! IncrementalAlterConfigs (44): change single settings of topics or of a broker.

use crate::error_code::ErrorCode;
use crate::schema::messages;

messages! {
    /// Asks for settings to be changed.
    IncrementalAlterConfigsRequest {
        resources: Vec<IncrementalAlterConfigsResource>;
        /// Only check whether it could be done.
        validate_only: bool;
    }
    /// A topic or a broker.
    IncrementalAlterConfigsResource {
        /// 2: a topic. 4: a broker.
        resource_type: i8;
        /// The topic's name or the broker's id.
        resource_name: String;
        configs: Vec<IncrementallyAlterableConfig>;
    }
    /// A setting of an [`IncrementalAlterConfigsResource`].
    IncrementallyAlterableConfig {
        name: String;
        /// 0: set it. 1: back to the default. 2: add to a list. 3: take from a list.
        config_operation: i8;
        value: Option<String>;
    }
    /// What became of each resource.
    IncrementalAlterConfigsResponse {
        /// Always 0: we do not throttle.
        throttle_time_ms: i32;
        /// As in the request.
        responses: Vec<IncrementalAlterConfigsResourceResponse>;
    }
    /// A topic or a broker of an [`IncrementalAlterConfigsResponse`].
    IncrementalAlterConfigsResourceResponse {
        error_code: ErrorCode;
        error_message: Option<String>;
        resource_type: i8;
        resource_name: String;
    }
}
