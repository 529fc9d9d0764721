//! IncrementalAlterConfigs (44): versions 0 to 1.

use wire_protocol::ErrorCode;
use wire_protocol::message::{
    IncrementalAlterConfigsRequest, IncrementalAlterConfigsResourceResponse,
    IncrementalAlterConfigsResponse, IncrementallyAlterableConfig,
};

use super::config_changes::{ConfigChange, Operation, ResourceChange, change_configs};
use super::refusal::Refusal;
use crate::broker::Broker;

/// Changes single settings of topics. What changed is in effect when this returns,
/// also after a power loss.
pub async fn incremental_alter_configs(
    broker: &Broker,
    request: IncrementalAlterConfigsRequest,
) -> IncrementalAlterConfigsResponse {
    let mut resources = Vec::with_capacity(request.resources.len());
    for resource in request.resources {
        resources.push(ResourceChange {
            resource_type: resource.resource_type,
            resource_name: resource.resource_name,
            replaces_all: false,
            changes: resource.configs.into_iter().map(change).collect(),
        });
    }
    let changed = change_configs(broker, resources, request.validate_only).await;
    let responses = changed
        .into_iter()
        .map(|resource| IncrementalAlterConfigsResourceResponse {
            error_code: resource.error_code,
            error_message: resource.error_message,
            resource_type: resource.resource_type,
            resource_name: resource.resource_name,
        });
    IncrementalAlterConfigsResponse {
        responses: responses.collect(),
        ..IncrementalAlterConfigsResponse::default()
    }
}

fn change(config: IncrementallyAlterableConfig) -> Result<ConfigChange, Refusal> {
    let operation = match config.config_operation {
        0 => Operation::Set,
        1 => Operation::Delete,
        2 => Operation::Append,
        3 => Operation::Subtract,
        other => {
            // Kafka's answer to it.
            let reason = format!("there is no operation {other}");
            return Err(Refusal::new(ErrorCode::UNKNOWN_SERVER_ERROR, reason));
        }
    };
    Ok(ConfigChange {
        name: config.name,
        operation,
        value: config.value,
    })
}
