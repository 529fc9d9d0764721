//! A connection
