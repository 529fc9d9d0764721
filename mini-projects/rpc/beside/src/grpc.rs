//! tonic: gRPC over HTTP/2.

use std::time::Duration;

use anyhow::Result;
use tokio::net::TcpListener;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Endpoint, Server};
use tonic::{Request, Response, Status};

use crate::load::{Figures, TEXT, call_all};

mod made {
    #![allow(missing_docs)]
    include!(concat!(env!("OUT_DIR"), "/beside.Echo.rs"));
}

use made::echo_client::EchoClient;
use made::echo_server::{Echo, EchoServer};

#[derive(Clone, PartialEq, prost::Message)]
pub struct Text {
    #[prost(string, tag = "1")]
    pub text: String,
}

struct Same;

#[tonic::async_trait]
impl Echo for Same {
    async fn echo(&self, request: Request<Text>) -> Result<Response<Text>, Status> {
        Ok(Response::new(request.into_inner()))
    }
}

pub async fn serve(listener: TcpListener) -> Result<()> {
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let server = Server::builder().add_service(EchoServer::new(Same));
    Ok(server.serve_with_incoming(incoming).await?)
}

pub async fn load(address: &str, in_flight: usize, length: Duration) -> Result<Figures> {
    let endpoint = Endpoint::from_shared(format!("http://{address}"))?.tcp_nodelay(true);
    let client = EchoClient::new(endpoint.connect().await?);
    call_all(in_flight, length, move || {
        let mut client = client.clone();
        async move {
            let text = TEXT.to_owned();
            Ok(client.echo(Text { text }).await?.into_inner().text)
        }
    })
    .await
}
