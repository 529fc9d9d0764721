//! Starts `mqd` as a process of its own, kills it, starts it again, and ends it whatever happens.
//!
//! ```no_run
//! # fn main() -> anyhow::Result<()> {
//! use mqd_guard::{Mqd, Port};
//!
//! let mut mqd = Mqd::options("target/debug/mqd").stable_port().start()?;
//! println!("clients connect to {}", mqd.address());
//! mqd.kill_9()?;
//! mqd.restart(Port::Same)?; // on the same data directory
//! let status = mqd.terminate()?; // SIGTERM: it drains, syncs and exits
//! assert!(status.success());
//! # Ok(())
//! # }
//! ```
//!
//! # Invariants
//! - No process is left behind: dropping an [`Mqd`] kills it.
//! - Every wait has a deadline; none of them sleeps and looks again.
//! - What the process says never fills a pipe: both outputs are read all the
//!   time, and of stderr the end is kept for messages.
//!
//! Start reading at [`Options::start`].

mod options;
mod output;
mod process;

pub use options::Options;
pub use process::{Mqd, Port};
