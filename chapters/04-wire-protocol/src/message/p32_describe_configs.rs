//! DescribeConfigs (32): the settings of topics and of the broker.

use crate::error_code::ErrorCode;
use crate::schema::messages;

messages! {
    /// Asks for settings.
    DescribeConfigsRequest {
        resources: Vec<DescribeConfigsResource>;
        /// Whether to list where each value could have come from.
        include_synonyms: bool [1..];
        /// Whether to explain each setting.
        include_documentation: bool [3..];
    }
    /// A topic or a broker.
    DescribeConfigsResource {
        /// 2: a topic. 4: a broker.
        resource_type: i8;
        /// The topic's name or the broker's id.
        resource_name: String;
        /// Which settings; null and the empty list ask for all.
        configuration_keys: Option<Vec<String>>;
    }
    /// The settings.
    DescribeConfigsResponse {
        /// Always 0: we do not throttle.
        throttle_time_ms: i32;
        /// As in the request.
        results: Vec<DescribeConfigsResult>;
    }
    /// The settings of one resource.
    DescribeConfigsResult {
        error_code: ErrorCode;
        error_message: Option<String>;
        /// 2: a topic. 4: a broker.
        resource_type: i8;
        /// The topic's name or the broker's id.
        resource_name: String;
        configs: Vec<DescribeConfigsEntry>;
    }
    /// One setting.
    DescribeConfigsEntry {
        name: String;
        value: Option<String>;
        /// Whether a running broker keeps the value that it has.
        read_only: bool;
        /// 1: the topic's own. 4: the broker's, from its start. 5: the default.
        config_source: i8 [1.., ignorable] = -1;
        /// Whether its value is a secret.
        is_sensitive: bool;
        /// Where the value could have come from, first what it does come from.
        synonyms: Vec<DescribeConfigsSynonym> [1.., ignorable];
        /// 1: boolean. 2: string. 3: int. 5: long. 7: list. 0: not known.
        config_type: i8 [3.., ignorable];
        /// What the setting is for; null unless asked for.
        documentation: Option<String> [3.., ignorable];
    }
    /// A place where a setting's value can come from.
    DescribeConfigsSynonym {
        name: String [1..];
        value: Option<String> [1..];
        /// As in [`DescribeConfigsEntry::config_source`].
        source: i8 [1..];
    }
}
