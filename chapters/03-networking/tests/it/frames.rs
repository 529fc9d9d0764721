//! Frames from a socket.
