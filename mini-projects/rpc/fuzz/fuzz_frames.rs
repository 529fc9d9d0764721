//! What the fuzz target does with an input; the framework's tests do the same with the corpus.

use std::collections::BTreeMap;
use std::future::pending;
use std::io::{self, Cursor};
use std::sync::Arc;
use std::time::Duration;

use rpc::{
    Client, ClientSettings, Codec, Json, Postcard, Server, ServerSettings, Stream, Tcp, Travels,
};
use serde::{Deserialize, Serialize};

/// A value with something of all that values are made of.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Shape {
    Point { x: i64, y: Option<u8> },
    Text(String),
    Many(Vec<Shape>),
    Named(BTreeMap<String, Vec<u32>>),
    Nothing,
}

#[rpc::service]
pub(crate) trait Shapes {
    /// Returns `shape`.
    async fn same(&self, shape: Shape) -> Shape;
    /// Sends nothing, `count` times.
    fn nothing(&self, count: u8) -> impl Stream<Item = ()>;
}

struct Flat;

impl Shapes for Flat {
    async fn same(&self, shape: Shape) -> Shape {
        shape
    }

    fn nothing(&self, count: u8) -> impl Stream<Item = ()> {
        Repeat(count)
    }
}

struct Repeat(u8);

impl Stream for Repeat {
    type Item = ();

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<()>> {
        let left = self.0.checked_sub(1);
        self.0 = left.unwrap_or(0);
        std::task::Poll::Ready(left.map(|_| ()))
    }
}

/// Takes `input` for all that a client sends to a server, for all that a server sends to a
/// client, and for a value. Each connection ends, and so does each call.
///
/// # Panics
/// When one of them does, or a value does not survive being encoded.
pub(crate) fn fuzz_frames(input: &[u8]) {
    there_and_back::<Postcard>(input);
    there_and_back::<Json>(input);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    let runtime = runtime.expect("it opens nothing");
    runtime.block_on(to_server(input.to_vec()));
    runtime.block_on(to_client(input.to_vec()));
}

async fn to_server(input: Vec<u8>) {
    let server = Server::new(ServerSettings::default());
    let server = server.with_service(ShapesServer::new(Flat));
    let server = Arc::new(server.expect("it has one service"));
    server
        .serve_connection(Cursor::new(input), tokio::io::sink(), pending())
        .await;
}

async fn to_client(input: Vec<u8>) {
    let settings = ClientSettings {
        patience: Duration::from_secs(1),
        ..ClientSettings::default()
    };
    let transport = Tcp::over(settings, move || {
        let input = Cursor::new(input.clone());
        async { io::Result::Ok((input, tokio::io::sink())) }
    });
    let shapes = ShapesClient::new(Client::over(transport, settings.patience));
    let _ = shapes.same(Shape::Nothing).await;
    if let Ok(mut items) = shapes.nothing(3).await {
        while let Some(Ok(())) = items.next().await {}
    }
}

fn there_and_back<C: Codec>(input: &[u8])
where
    Shape: Travels,
{
    if let Ok(shape) = C::decode::<Shape>(input) {
        let mut bytes = Vec::new();
        C::encode(&shape, &mut bytes).expect("it was decoded");
        assert_eq!(C::decode::<Shape>(&bytes), Ok(shape));
    }
}
