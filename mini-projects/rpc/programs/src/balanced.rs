//! Clients that find their servers in a name service.

use std::env;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rpc::{Client, ClientSettings, Policy, Tcp};
use rpc_names::{Balanced, Error, LEASE, Names, open};
use tokio::time::timeout;

/// How many addresses a message names.
const NAMED_MAX: usize = 3;

/// Returns the name service of this machine's processes: a file among the temporary ones.
#[must_use]
pub fn default_names() -> String {
    format!("file:{}", env::temp_dir().join("rpc-names").display())
}

/// Returns the name service with this URI.
///
/// # Errors
/// If there is none, or it cannot be read within `patience`.
pub async fn server_names(uri: &str, patience: Duration) -> Result<Names> {
    let opened = timeout(patience, open(uri, LEASE)).await;
    let opened = opened.unwrap_or(Err(Error::TooSlow));
    opened.with_context(|| uri.to_owned())
}

/// Returns the addresses for a message, which names a few of them.
#[must_use]
pub fn some_of(addresses: &[String]) -> String {
    match addresses.split_at_checked(NAMED_MAX) {
        Some((some, others)) if !others.is_empty() => {
            format!("{} and {} others", some.join(", "), others.len())
        }
        _ => addresses.join(", "),
    }
}

/// Returns a client of the servers that offer `service`.
///
/// # Errors
/// If none is known now, so that a misspelt name is not waited for.
pub fn balanced(names: Names, service: &str, patience: Duration) -> Result<Client<Balanced<Tcp>>> {
    let known = !names.living(service).is_empty();
    ensure!(
        known,
        "no server of {service} is known (is one started, and is the name right?)"
    );
    let connect = |server: &str| Tcp::new(server, ClientSettings::default());
    let balanced = Balanced::new(names, service, Policy::RoundRobin, connect);
    Ok(Client::over(balanced, patience))
}
