//! tarpc, with its binary serializer.

use std::time::Duration;

use anyhow::Result;
use futures::StreamExt;
use tarpc::server::{BaseChannel, Channel};
use tarpc::tokio_serde::formats::Bincode;
use tarpc::{client, context, serde_transport};
use tokio::net::{TcpListener, TcpStream};

use crate::load::{Figures, TEXT, call_all};

#[tarpc::service]
pub trait Echo {
    async fn echo(text: String) -> String;
}

#[derive(Clone)]
struct Same;

impl Echo for Same {
    async fn echo(self, _: context::Context, text: String) -> String {
        text
    }
}

pub async fn serve(listener: TcpListener) -> Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let framed = tarpc::tokio_util::codec::LengthDelimitedCodec::builder().new_framed(stream);
        let transport = serde_transport::new(framed, Bincode::default());
        let channel = BaseChannel::with_defaults(transport);
        let responses = channel.execute(Same.serve());
        tokio::spawn(responses.for_each(|response| async move {
            tokio::spawn(response);
        }));
    }
}

pub async fn load(address: &str, in_flight: usize, length: Duration) -> Result<Figures> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let framed = tarpc::tokio_util::codec::LengthDelimitedCodec::builder().new_framed(stream);
    let transport = serde_transport::new(framed, Bincode::default());
    let mut config = client::Config::default();
    config.max_in_flight_requests = 1024;
    config.pending_request_buffer = 1024;
    let client = EchoClient::new(config, transport).spawn();
    call_all(in_flight, length, move || {
        let client = client.clone();
        async move { Ok(client.echo(context::current(), TEXT.to_owned()).await?) }
    })
    .await
}
