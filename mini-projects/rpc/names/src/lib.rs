//! Name services, which know the servers of a service, and calls that are balanced over them.
//!
//! [`open`] takes the URI of a name service:
//!
//! | URI | where the names are |
//! |---|---|
//! | `static:HOST:PORT,HOST:PORT` | in the URI: these servers offer every service |
//! | `file:/PATH` | in a file that the processes of a machine share |
//! | `queue:HOST:PORT/TOPIC` | in a compacted topic of the queue, or of Apache Kafka |
//!
//! A file is a regular one, of at most 1 MiB. A topic is created by the first server that
//! registers, and again by the next heartbeat if it is deleted.
//!
//! A server [registers](Names::register), which takes a *lease*. The server is known until the
//! lease ends, and heartbeats renew the lease. A client makes a [`Balanced`] of the name service,
//! which is a transport like any other one:
//!
//! ```no_run
//! use rpc::{Client, ClientSettings, Policy, Tcp};
//! use rpc_names::{Balanced, LEASE, open};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let names = open("file:/run/names", LEASE).await?;
//! // In a server:
//! let registration = names.register("Greeter", "127.0.0.1:7000").await?;
//! registration.close().await?;
//! // In a client:
//! let settings = ClientSettings::default();
//! let connect = move |server: &str| Tcp::new(server, settings);
//! let balanced = Balanced::new(names, "Greeter", Policy::RoundRobin, connect);
//! let client = Client::over(balanced, settings.patience);
//! # Ok(())
//! # }
//! ```
//!
//! # Invariants
//! - A server that is killed is forgotten when its lease ends.
//! - What is known stays known while the name service cannot be read: leases stand still.
//! - Every call ends by its deadline, whatever servers and name services do.
//! - A method that must not run twice for a call does not.
//!
//! Start reading at [`open`], then [`Balanced`].

mod balanced;
mod board;
mod error;
mod file;
mod names;
mod topic;

pub use balanced::Balanced;
pub use error::Error;
pub use names::{LEASE, Names, Registration, open};
