//! AlterConfigs (33): versions 0 to 2.

use wire_protocol::message::{
    AlterConfigsRequest, AlterConfigsResourceResponse, AlterConfigsResponse,
};

use super::config_changes::{ConfigChange, Operation, ResourceChange, change_configs};
use crate::broker::Broker;

/// Replaces all settings of topics: what is not named goes back to the broker's.
/// What changed is in effect when this returns, also after a power loss.
pub async fn alter_configs(broker: &Broker, request: AlterConfigsRequest) -> AlterConfigsResponse {
    let mut resources = Vec::with_capacity(request.resources.len());
    for resource in request.resources {
        let changes = resource.configs.into_iter().map(|config| ConfigChange {
            name: config.name,
            operation: Operation::Set,
            value: config.value,
        });
        resources.push(ResourceChange {
            resource_type: resource.resource_type,
            resource_name: resource.resource_name,
            replaces_all: true,
            changes: Ok(changes.collect()),
        });
    }
    let changed = change_configs(broker, resources, request.validate_only).await;
    let responses = changed
        .into_iter()
        .map(|resource| AlterConfigsResourceResponse {
            error_code: resource.error_code,
            error_message: resource.error_message,
            resource_type: resource.resource_type,
            resource_name: resource.resource_name,
        });
    AlterConfigsResponse {
        responses: responses.collect(),
        ..AlterConfigsResponse::default()
    }
}
