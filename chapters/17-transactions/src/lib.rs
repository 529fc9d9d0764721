//! Transactional messages, as RocketMQ has them: a message becomes visible if, and only if, a
//! local transaction in the producer's database was committed.
//!
//! - A [`TransactionProducer`] stores a *half message*, runs its local transaction, and says
//!   what became of it.
//! - A [`Keeper`] keeps half messages until their outcome is known. It copies those that were
//!   committed to their topics, and asks about those of which nothing is heard.
//! - [`Checks`] is where the producers of a group hear the questions, and answer them.
//!
//! All of it is made of topics ([`Group`]) and of the workbook's own client, so any queue with
//! Kafka's protocol will do.
//!
//! # Invariants
//! - No message is in its topic before a producer has said *commit*.
//! - A message of which a producer has said *commit* gets into its topic, whatever crashes,
//!   except if all checks were used up before.
//! - It may get there more than once. All copies have the same [`ID_HEADER`].
//! - One keeper runs for a group.
//!
//! Start reading at [`Keeper::run`].

mod carry_out;
mod checks;
mod error;
mod existing;
mod group;
mod keeper;
mod part;
mod producer;
mod record;

pub use checks::{Check, Checks};
pub use error::Error;
pub use group::Group;
pub use keeper::{Keeper, Settings};
pub use part::{
    Decision, Due, Effect, End, Event, HalfMessages, Op, Open, Replay, Ruling, Schedule, Standing,
    Step, rule,
};
pub use producer::{Message, TransactionProducer};
pub use record::ID_HEADER;
