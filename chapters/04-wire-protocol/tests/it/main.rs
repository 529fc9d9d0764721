//! The protocol through its public interface.

mod bodies;
mod header;
mod hostile;
mod laws;
mod layouts;
mod random;
mod recorded;
mod table;
