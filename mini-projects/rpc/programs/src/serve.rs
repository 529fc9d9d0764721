//! Servers over TCP that a name service knows, until Ctrl-C.

use anyhow::{Context as _, Result, ensure};
use rpc::{Server, ServerSettings, Service};
use rpc_names::{Error, LEASE, Names};
use tokio::net::TcpListener;
use tokio::signal::ctrl_c;
use tokio::signal::unix::{SignalKind, signal};

use crate::balanced::server_names;
use crate::print::tell;

/// Where a server is, and where that is written down.
#[derive(Debug, Clone)]
pub struct Place {
    /// The URI of the name service.
    pub names: String,
    /// The address to listen on; port 0 is any free one.
    pub listen: String,
}

/// Returns at Ctrl-C, and at SIGTERM, which `kill` sends.
pub async fn stop() {
    let heard = async {
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            heard = ctrl_c() => heard,
            _ = terminate.recv() => Ok(()),
        }
    };
    if let Err(error) = heard.await {
        tracing::warn!("no signal can be heard, so this stops: {error}");
    }
    tell("stopping: calls that run may end");
}

/// Serves `service` until Ctrl-C. Then it is forgotten by the name service, takes no further
/// call, and returns when those that run have ended.
///
/// # Errors
/// If it cannot listen there, or cannot be written down.
pub async fn serve<S: Service>(place: &Place, service: S) -> Result<()> {
    let names = server_names(&place.names, LEASE).await?;
    let listener = TcpListener::bind(&place.listen).await;
    let listener = listener.with_context(|| format!("cannot listen on {}", place.listen))?;
    let address = listener.local_addr()?;
    ensure!(
        !address.ip().is_unspecified(),
        "clients are told the address of --listen, and {address} is none of one machine"
    );
    let address = address.to_string();
    let registered = match names.register(S::NAME, &address).await {
        Err(Error::Fixed) => {
            check_fixed(&names, &address, place)?;
            None
        }
        registered => Some(registered.with_context(|| place.names.clone())?),
    };
    tell(format_args!(
        "{} is ready on {address}, in {}",
        S::NAME,
        place.names
    ));
    let stopped = async {
        stop().await;
        if let Some(registered) = registered
            && let Err(error) = registered.close().await
        {
            tracing::warn!("the name service keeps the address for a while: {error}");
        }
    };
    let server = Server::new(ServerSettings::default()).with_service(service)?;
    server.serve(listener, stopped).await;
    tell("stopped");
    Ok(())
}

/// The servers of `static:` are those of its URI.
fn check_fixed(names: &Names, address: &str, place: &Place) -> Result<()> {
    let is_there = names.living("").iter().any(|known| known == address);
    ensure!(
        is_there,
        "{} does not have {address}: give --listen with an address that it has",
        place.names
    );
    Ok(())
}
