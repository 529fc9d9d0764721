//! The disk of the operating system.

/// The disk of the operating system.
#[derive(Debug, Clone, Copy)]
pub struct RealDisk;
