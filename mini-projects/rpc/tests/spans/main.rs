//! Spans of calls. This is a program of its own, since a test beside it without a subscriber
//! could say for all that nobody wants them.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use rpc::{Client, ClientSettings, Server, ServerSettings, Tcp};
use tokio::net::TcpListener;
use tracing_subscriber::fmt::format::FmtSpan;

/// A method that ends at its first poll, and one that does not.
#[rpc::service]
pub trait Waiting {
    /// Ends at once.
    async fn not_at_all(&self);
    /// Goes on in a task of its own.
    async fn a_while(&self);
}

struct Waits;

impl Waiting for Waits {
    async fn not_at_all(&self) {}

    async fn a_while(&self) {
        tokio::task::yield_now().await;
    }
}

/// What was written to it.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut lines = self.0.lock().map_err(|_| io::ErrorKind::Other)?;
        lines.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_call_has_a_span_on_either_side() {
    let log = Log::default();
    let lines = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_span_events(FmtSpan::CLOSE)
        .with_ansi(false)
        .with_writer(move || log.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = Server::new(ServerSettings::default());
    let server = server.with_service(WaitingServer::new(Waits)).unwrap();
    tokio::spawn(server.serve(listener, std::future::pending()));
    let settings = ClientSettings::default();
    let client = Client::over(Tcp::new(address, settings), settings.patience);
    let waiting = WaitingClient::new(client);
    waiting.not_at_all().await.unwrap();
    waiting.a_while().await.unwrap();
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    for method in ["not_at_all", "a_while"] {
        let call = format!(r#"call{{service="Waiting" method="{method}"}}"#);
        assert_eq!(text.matches(&call).count(), 1, "{text}");
        let serve = format!(r#"serve{{method="{method}" id="#);
        assert_eq!(text.matches(&serve).count(), 1, "{text}");
    }
}
