//! The headers in front of requests and responses.
//!
//! # On the wire
//! request: api key `i16` | api version `i16` | correlation id `i32` | client
//! id, nullable string | tagged fields in flexible versions.
//! The client id keeps its `i16` length in flexible versions too, so that a
//! broker can read this far in a request that is newer than itself.
//!
//! response: correlation id `i32` | tagged fields in flexible versions, except
//! for ApiVersions: its answer must be readable to a client that does not yet
//! know what we speak.
//!
//! Bytes behind the last field of a request are not an error: librdkafka sends
//! some (its issue 5049), and whatever they say, the fields before them were read.

use bytes::Bytes;
use networking::{Chunk, PREFIX_SIZE};

use crate::api::{ApiKey, Request, Support};
use crate::codec::{Decoder, Encoder, Form, Wire};
use crate::message::ApiVersionsResponse;
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
    /// Reads the header of `frame`; the decoder is at the body then.
    ///
    /// Of an API that we do not serve, or a version that we do not know, no more
    /// than the first 8 bytes are read: the rest may be in a form of its own.
    ///
    /// # Errors
    /// When the frame is too short.
    pub fn decode(frame: &Bytes) -> Result<(RequestHeader, Decoder<'_>), Malformed> {
        // ANCHOR: decode
        let mut reader = Reader::new(frame);
        let mut header = RequestHeader {
            api_key: reader.i16()?,
            api_version: reader.i16()?,
            correlation_id: reader.i32()?,
            client_id: None,
        };
        let mut flexible = false;
        if let Support::Served(api) | Support::Canary(api) = header.support() {
            flexible = api.is_flexible(header.api_version);
            header.client_id = reader.nullable_string()?.map(str::to_owned);
            if flexible {
                reader.skip_tagged_fields()?;
            }
        }
        let form = Form {
            version: header.api_version,
            flexible,
        };
        Ok((header, Decoder::behind(frame, reader, form)))
        // ANCHOR_END: decode
    }

    /// What the table says about the key and the version.
    #[must_use]
    pub fn support(&self) -> Support {
        Support::from_wire(self.api_key, self.api_version)
    }
}

/// A request as the payload of a frame, in one piece: [`request_pieces`] in a row.
///
/// # Panics
/// As [`request_pieces`].
#[must_use]
pub fn encode_request<R: Request>(
    request: &R,
    version: i16,
    correlation_id: i32,
    client_id: &str,
) -> Vec<u8> {
    request_pieces(request, version, correlation_id, client_id).concat()
}

/// A request as the payload of a frame; for clients. The records of `request` are pieces of
/// it as they are.
///
/// # Panics
/// When `request` holds ranges of files: clients have none.
#[must_use]
pub fn request_pieces<R: Request>(
    request: &R,
    version: i16,
    correlation_id: i32,
    client_id: &str,
) -> Vec<Bytes> {
    let flexible = R::KEY.is_flexible(version);
    let mut out = Encoder::new(version, flexible);
    out.put(&(R::KEY as i16).to_be_bytes());
    out.put(&version.to_be_bytes());
    out.put(&correlation_id.to_be_bytes());
    let mut rest = Vec::new();
    put::nullable_string(&mut rest, Some(client_id));
    out.put(&rest);
    out.end_struct(&[]);
    request.encode(&mut out);
    let in_memory = |chunk| match chunk {
        Chunk::Bytes(bytes) => bytes,
        Chunk::File(_) => panic!("a client's request is in memory"),
    };
    out.finish().into_iter().map(in_memory).collect()
}

/// The body of a response from the payload of a frame; for clients. Its records
/// are slices of `payload`.
///
/// # Errors
/// When it is not a response of that version.
pub fn decode_response<R: Request>(
    payload: &Bytes,
    version: i16,
) -> Result<R::Response, Malformed> {
    let mut reader = Reader::new(payload);
    reader.i32()?;
    let flexible = R::KEY.is_flexible(version);
    if flexible && R::KEY != ApiKey::ApiVersions {
        reader.skip_tagged_fields()?;
    }
    R::Response::decode(&mut Decoder::behind(
        payload,
        reader,
        Form { version, flexible },
    ))
}

/// A response as a whole frame, its length in front; for brokers. The records
/// of `body` become chunks of it as they are.
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
    let mut out = Encoder::new(version, api.is_flexible(version));
    out.put(&[0; PREFIX_SIZE]);
    out.put(&correlation_id.to_be_bytes());
    if api != ApiKey::ApiVersions {
        out.end_struct(&[]);
    }
    body.encode(&mut out);
    let length = out.size() - PREFIX_SIZE;
    let length = i32::try_from(length).expect("a response is below 2 GiB");
    out.overwrite_start(&length.to_be_bytes());
    out.finish()
}

/// The frame that answers an ApiVersions request of a version that we do not
/// know: error 35, in the layout of version 0, which every client can read.
/// Closing the connection instead would leave the client without a next step.
#[must_use]
pub fn encode_unknown_api_versions(correlation_id: i32) -> Vec<Chunk> {
    let body = ApiVersionsResponse::of_unknown_version();
    encode_response(ApiKey::ApiVersions, 0, correlation_id, &body)
}
