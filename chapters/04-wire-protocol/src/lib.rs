//! The Kafka wire protocol: a schema, and the messages declared in it.
//!
//! A message is a list of fields with the versions that have them
//! (`messages!` in `schema.rs`); from it come a struct, its encoding and its
//! decoding. [`ApiKey`] is the table of what we serve. Nothing here opens a
//! socket, and nothing is allocated for bytes that did not arrive.
//!
//! Start reading at [`message::ProduceRequest`], then `schema.rs`, then [`ApiKey`].

mod api;
mod codec;
mod error_code;
mod header;
mod part;
mod records;
mod schema;
mod values;

pub mod message;

pub use api::{ApiKey, CANARIES, Canary, Request, Support};
pub use codec::{Decoder, Encoder, Form, Wire};
pub use error_code::ErrorCode;
pub use header::{
    RequestHeader, decode_response, encode_request, encode_response, encode_unknown_api_versions,
    request_pieces,
};
pub use part::*;
pub use records::Records;
