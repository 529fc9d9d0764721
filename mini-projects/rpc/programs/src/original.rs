//! The greeting in the frames of the lectures' framework, which is written in Java.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use networking::{AcceptLimits, accept_until};
use rpc::{Server, ServerSettings, Service};
use rpc_original::Call;
use tokio::net::TcpListener;

use crate::print::{print, printable, tell};
use crate::serve::stop;

/// The original's client keeps its connection open and idle, so a server that stops waits no
/// longer than this for calls that run.
const DRAIN: Duration = Duration::from_secs(1);
/// What the original calls the service.
const INTERFACE: &str = "com.github.liyue2008.rpc.hello.HelloService";

/// Serves `service` to clients of the original until Ctrl-C. A call may take `patience`. No name
/// service has the address: those of the original are files and tables of its own.
///
/// # Errors
/// If it cannot listen there.
pub async fn serve_original<S: Service>(
    listen: &str,
    service: S,
    patience: Duration,
) -> Result<()> {
    let listener = TcpListener::bind(listen).await;
    let listener = listener.with_context(|| format!("cannot listen on {listen}"))?;
    let address = listener.local_addr()?;
    tell(format_args!(
        "{} is ready on {address}, for the original",
        S::NAME
    ));
    let settings = ServerSettings::default();
    let limits = AcceptLimits {
        connections_max: settings.connections_max,
        drain: DRAIN,
    };
    let server = Arc::new(Server::new(settings).with_service(service)?);
    accept_until(listener, limits, stop(), |stream, peer| {
        let server = Arc::clone(&server);
        async move {
            let served = rpc_original::serve(stream, &server, &settings, patience);
            if let Err(error) = served.await {
                tracing::warn!("the connection of {peer} ended: {error}");
            }
        }
    })
    .await;
    tell("stopped");
    Ok(())
}

/// Lets a server of the original greet `name` so often, and prints what it says.
///
/// # Errors
/// If it cannot be reached, answers with an error, or does not answer within `patience`.
pub async fn greet_original(
    address: &str,
    name: &str,
    times: u32,
    patience: Duration,
) -> Result<()> {
    let connected = rpc_original::connect(address, patience).await;
    let stream = connected.with_context(|| {
        format!("cannot connect to {address} (is there a server? --patience is the time for it)")
    });
    let mut stream = stream?;
    let call = Call {
        interface: INTERFACE.to_owned(),
        method: "hello".to_owned(),
        argument: name.to_owned(),
    };
    for (_, id) in (0..times).zip(1..) {
        let called = rpc_original::call(&mut stream, id, &call, patience).await;
        let answered = called
            .map_err(|error| anyhow!("{address} has not answered: {error}{}", hint(error.kind())));
        match answered? {
            Ok(greeting) => print(&format!("{}\n", printable(&greeting)))?,
            Err(failure) if failure.message.is_empty() => bail!(
                "the server answers with the error {} and does not say why: see its own output",
                failure.code
            ),
            Err(failure) => bail!("the server answers with an error: {}", failure.message),
        }
    }
    Ok(())
}

/// Returns what to do about a call without an answer.
fn hint(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::TimedOut => ": the method may have run (give more --patience)",
        _ => ": is it a server of the original? The method may have run",
    }
}
