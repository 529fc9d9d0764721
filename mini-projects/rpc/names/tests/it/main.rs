//! Name services with real files, sockets and processes; calls over servers that misbehave.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod balanced;
mod broker;
mod faults;
mod file;
mod fixed;
mod link;
mod processes;
mod servers;
mod topic;

use std::time::Duration;

use rpc_names::Names;

/// Nothing takes so long, unless it is broken.
const PATIENCE: Duration = Duration::from_secs(30);
/// No lease of this length ends in a test.
const LONG: Duration = Duration::from_secs(3600);

/// Returns when `service` has these servers.
async fn until(names: &mut Names, service: &str, servers: &[&str]) {
    let reached = async {
        while names.living(service) != servers {
            names.changed().await;
        }
    };
    let reached = tokio::time::timeout(PATIENCE, reached).await;
    let living = names.living(service);
    assert!(reached.is_ok(), "{service} has {living:?}, not {servers:?}");
}
