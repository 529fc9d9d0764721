//! The headers in front of requests and responses.
//!
//! # On the wire
//! request: api key `i16` | api version `i16` | correlation id `i32` | client id,
//! nullable string (from 0x version: see below) | tagged fields in flexible versions.
//! The client id keeps its `i16` length even there.
//!
//! response: correlation id `i32` | tagged fields in flexible versions, except
//! for ApiVersions, whose answer must be readable to a client that does not yet
//! know what we speak.

use networking::{Chunk, PREFIX_SIZE};

use crate::api::{ApiKey, Request};
use crate::codec::{Decoder, Encoder, Wire};
use crate::part::{Malformed, Reader, put};

/// What every request begins with. The key and the version may be ones that we do not serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestHeader {
    /// Which API, as sent.
    pub api_key: i16,
    /// Which version of it, as sent.
    pub api_version: i16,
    /// Comes back in the response.
    pub correlation_id: i32,
    /// What the client calls itself.
    pub client_id: Option<String>,
}

impl RequestHeader {
    /// Reads the header of `frame`; the decoder stands at the body.
    ///
    /// Of an API that we do not serve, or a version that we do not know, no more
    /// than the first 8 bytes are read: the rest may be in a form of its own.
    ///
    /// # Errors
    /// When the frame is too short.
    pub fn decode(frame: &[u8]) -> Result<(RequestHeader, Decoder<'_>), Malformed> {
        let mut reader = Reader::new(frame);
        let mut header = RequestHeader {
            api_key: reader.i16()?,
            api_version: reader.i16()?,
            correlation_id: reader.i32()?,
            client_id: None,
        };
        let api = ApiKey::from_wire(header.api_key)
            .filter(|api| api.advertised().contains(&header.api_version));
        let flexible = api.is_some_and(|api| header.api_version >= api.flexible_since());
        if api.is_some() {
            header.client_id = reader.nullable_string()?.map(str::to_owned);
        }
        if flexible {
            reader.skip_tagged_fields()?;
        }
        let body = Decoder::new(reader, header.api_version, flexible);
        Ok((header, body))
    }
}

/// A request as the payload of a frame; for clients.
///
/// # Panics
/// When `request` holds ranges of files: clients have none.
#[must_use]
pub fn encode_request<R: Request>(
    request: &R,
    version: i16,
    correlation_id: i32,
    client_id: &str,
) -> Vec<u8> {
    let flexible = version >= R::KEY.flexible_since();
    let mut out = Encoder::new(version, flexible);
    out.put(&(R::KEY as i16).to_be_bytes());
    out.put(&version.to_be_bytes());
    out.put(&correlation_id.to_be_bytes());
    let mut rest = Vec::new();
    put::nullable_string(&mut rest, Some(client_id));
    out.put(&rest);
    out.end_struct();
    request.encode(&mut out);
    let mut payload = Vec::new();
    for chunk in out.finish() {
        match chunk {
            Chunk::Bytes(bytes) => payload.extend_from_slice(&bytes),
            Chunk::File(_) => panic!("a client's request is in memory"),
        }
    }
    payload
}

/// The body of a response from the payload of a frame; for clients.
///
/// # Errors
/// When it is not a response of that version.
pub fn decode_response<R: Request>(payload: &[u8], version: i16) -> Result<R::Response, Malformed> {
    let mut reader = Reader::new(payload);
    reader.i32()?;
    let flexible = version >= R::KEY.flexible_since();
    if flexible && R::KEY != ApiKey::ApiVersions {
        reader.skip_tagged_fields()?;
    }
    R::Response::decode(&mut Decoder::new(reader, version, flexible))
}

/// A response as a whole frame, its length in front; for brokers.
///
/// # Panics
/// When the frame is 2 GiB or longer: what a fetch returns is limited far below.
#[must_use]
pub fn encode_response<B: Wire>(
    api: ApiKey,
    version: i16,
    correlation_id: i32,
    body: &B,
) -> Vec<Chunk> {
    let flexible = version >= api.flexible_since();
    let mut out = Encoder::new(version, flexible);
    out.put(&correlation_id.to_be_bytes());
    if api != ApiKey::ApiVersions {
        out.end_struct();
    }
    body.encode(&mut out);
    let mut chunks = out.finish();
    let length: usize = chunks.iter().map(Chunk::len).sum();
    let length = i32::try_from(length).expect("a response is below 2 GiB");
    let mut prefix = Vec::with_capacity(PREFIX_SIZE);
    prefix.extend_from_slice(&length.to_be_bytes());
    match chunks.first_mut() {
        Some(Chunk::Bytes(first)) => first.splice(..0, prefix).for_each(drop),
        _ => chunks.insert(0, Chunk::Bytes(prefix)),
    }
    chunks
}
