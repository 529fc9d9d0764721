//! Chunks on the wire.
