//! The handlers, one file per API, named after its key.
