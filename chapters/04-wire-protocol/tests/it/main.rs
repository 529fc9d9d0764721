//! The protocol through its public interface.

#[allow(dead_code, reason = "`memory` uses what is left")]
mod bodies;
mod header;
mod hostile;
mod laws;
mod layouts;
mod random;
mod recorded;
mod table;
mod traces;
