//! The protocol through its public interface.

#[allow(dead_code, reason = "`memory` uses what is left")]
mod bodies;
#[allow(dead_code, reason = "`interop` uses what is left")]
mod declared;
mod generations;
mod header;
mod hostile;
mod laws;
mod layouts;
mod random;
mod recorded;
mod table;
mod traces;
