//! DescribeConfigs (32): the settings of topics and of the broker.

use crate::error_code::ErrorCode;
use crate::schema::messages;

messages! {
    /// Asks for settings.
    DescribeConfigsRequest {
        /// Of what.
        resources: Vec<DescribeConfigsResource> [0..];
        /// Whether to list where each value could have come from.
        include_synonyms: bool [1..];
    }
    /// A topic or a broker.
    DescribeConfigsResource {
        /// 2: a topic. 4: a broker.
        resource_type: i8 [0..];
        /// The topic's name or the broker's id.
        resource_name: String [0..];
        /// Which settings; null asks for all.
        configuration_keys: Option<Vec<String>> [0..];
    }
    /// The settings.
    DescribeConfigsResponse {
        /// Always 0: we do not throttle.
        throttle_time_ms: i32 [0..];
        /// The resources, as in the request.
        results: Vec<DescribeConfigsResult> [0..];
    }
    /// The settings of one resource.
    DescribeConfigsResult {
        /// Why there are none.
        error_code: ErrorCode [0..];
        /// The same in words.
        error_message: Option<String> [0..];
        /// 2: a topic. 4: a broker.
        resource_type: i8 [0..];
        /// The topic's name or the broker's id.
        resource_name: String [0..];
        /// Them.
        configs: Vec<DescribeConfigsEntry> [0..];
    }
    /// One setting.
    DescribeConfigsEntry {
        /// Its name.
        name: String [0..];
        /// Its value.
        value: Option<String> [0..];
        /// Whether it can be changed while the broker runs.
        read_only: bool [0..];
        /// 1: the topic's own. 4: the broker's, from its start. 5: the default.
        config_source: i8 [1..] = 5;
        /// Whether its value is a secret.
        is_sensitive: bool [0..];
        /// Where the value could have come from, first what it does come from.
        synonyms: Vec<DescribeConfigsSynonym> [1..];
    }
    /// A place where a setting's value can come from.
    DescribeConfigsSynonym {
        /// Its name there.
        name: String [1..];
        /// Its value there.
        value: Option<String> [1..];
        /// As in [`DescribeConfigsEntry::config_source`].
        source: i8 [1..];
    }
}
