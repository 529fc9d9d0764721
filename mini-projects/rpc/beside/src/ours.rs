//! The framework of this workbook.

use std::future::pending;
use std::time::Duration;

use anyhow::Result;
use tokio::net::TcpListener;

use crate::load::{Figures, TEXT, call_all};

/// Returns what it gets.
#[rpc::service]
pub trait Echo {
    /// Returns `text`.
    async fn echo(&self, text: String) -> String;
}

struct Same;

impl Echo for Same {
    async fn echo(&self, text: String) -> String {
        text
    }
}

pub async fn serve(listener: TcpListener) -> Result<()> {
    let server = rpc::Server::new(rpc::ServerSettings::default());
    let server = server.with_service(EchoServer::new(Same))?;
    server.serve(listener, pending()).await;
    Ok(())
}

pub async fn load(address: &str, in_flight: usize, length: Duration) -> Result<Figures> {
    let client = rpc::Client::tcp(address, rpc::ClientSettings::default());
    let client = EchoClient::new(client);
    call_all(in_flight, length, move || {
        let client = client.clone();
        async move { Ok(client.echo(TEXT.to_owned()).await?) }
    })
    .await
}
