//! AlterConfigs (33): replace all settings of topics or of a broker. Clients prefer
//! IncrementalAlterConfigs, which leaves the settings alone that it does not name.

use crate::error_code::ErrorCode;
use crate::schema::messages;

messages! {
    /// Asks for settings to be replaced.
    AlterConfigsRequest {
        resources: Vec<AlterConfigsResource>;
        /// Only check whether it could be done.
        validate_only: bool;
    }
    /// A topic or a broker.
    AlterConfigsResource {
        /// 2: a topic. 4: a broker.
        resource_type: i8;
        /// The topic's name or the broker's id.
        resource_name: String;
        configs: Vec<AlterableConfig>;
    }
    /// A setting of an [`AlterConfigsResource`].
    AlterableConfig {
        name: String;
        value: Option<String>;
    }
    /// What became of each resource.
    AlterConfigsResponse {
        /// Always 0: we do not throttle.
        throttle_time_ms: i32;
        /// As in the request.
        responses: Vec<AlterConfigsResourceResponse>;
    }
    /// A topic or a broker of an [`AlterConfigsResponse`].
    AlterConfigsResourceResponse {
        error_code: ErrorCode;
        error_message: Option<String>;
        resource_type: i8;
        resource_name: String;
    }
}
