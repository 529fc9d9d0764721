//! Clients that find their servers in a name service.

use std::env;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rpc::{Client, ClientSettings, Policy, Tcp};
use rpc_names::{Balanced, LEASE, Names, open};

/// Returns the name service of this machine's processes: a file among the temporary ones.
#[must_use]
pub fn default_names() -> String {
    format!("file:{}", env::temp_dir().join("rpc-names").display())
}

/// Returns the name service with this URI.
///
/// # Errors
/// If there is none, or it cannot be read.
pub async fn server_names(uri: &str) -> Result<Names> {
    let opened = open(uri, LEASE).await;
    opened.with_context(|| uri.to_owned())
}

/// Returns a client of the servers that offer `service`.
///
/// # Errors
/// If none is known now, so that a misspelt name is not waited for.
pub fn balanced(names: Names, service: &str, patience: Duration) -> Result<Client<Balanced<Tcp>>> {
    let known = !names.living(service).is_empty();
    ensure!(known, "no server of {service} is known");
    let connect = |server: &str| Tcp::new(server, ClientSettings::default());
    let balanced = Balanced::new(names, service, Policy::RoundRobin, connect);
    Ok(Client::over(balanced, patience))
}
