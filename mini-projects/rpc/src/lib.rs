//! A minimal RPC framework: calls to another process that look like calls, and always end.
//!
//! A *service* is a trait with the attribute [`service`]. The attribute makes a typed
//! client of the trait, and a server for its implementations:
//!
//! ```
//! #[rpc::service]
//! pub trait Greeter {
//!     /// Returns a greeting for `name`.
//!     async fn greet(&self, name: String) -> String;
//! }
//!
//! struct Polite;
//!
//! impl Greeter for Polite {
//!     async fn greet(&self, name: String) -> String {
//!         format!("good morning, {name}")
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
//! # runtime.block_on(async {
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! let address = listener.local_addr()?;
//! let server = rpc::Server::new(rpc::ServerSettings::default()).with_service(GreeterServer::new(Polite))?;
//! tokio::spawn(server.serve(listener, std::future::pending()));
//!
//! let client = rpc::Client::tcp(address.to_string(), rpc::ClientSettings::default());
//! let greeter = GreeterClient::new(client);
//! assert_eq!(greeter.greet("Mei".to_owned()).await?, "good morning, Mei");
//! # Ok(())
//! # })
//! # }
//! ```
//!
//! # The way of a call
//! The client's side: [`Client::call`], [`Transport::call`] of [`Tcp`], `Connection::call`,
//! `Calls::send`, the part's [`CallPath::call`], `Outbox::write_to`. The server's side:
//! [`networking::RequestReader::next_batch`], `Session::take_in`, the part's
//! [`DispatchTable::find`], `Session::begin`, the method. And back: `Session::reply`,
//! `Calls::receive`, [`CallPath::receive`], the caller.
//!
//! Start reading at [`Client::call`].

mod backlog;
mod bounded;
mod calls;
mod client;
mod codec;
mod connection;
mod method;
mod outbox;
mod part;
mod room;
mod running;
mod scratch;
mod served;
mod server;
mod session;
mod settings;
mod streaming;
mod tcp;
mod trace;
mod transport;

pub use client::{CallError, Client, MethodName};
pub use codec::{Codec, Json, Postcard, Travels, Unfit};
pub use futures_util::Stream;
pub use method::{Ending, Method, Sink, result, value};
pub use part::*;
pub use rpc_macros::service;
pub use served::left;
pub use server::{Server, Service};
pub use settings::{ClientSettings, ServerSettings};
pub use streaming::{Items, Streaming};
pub use tcp::Tcp;
pub use transport::{Outcome, Request, Transport};
