//! Requests that belong together, and what each of them is there to show.

use bytes::{BufMut as _, BytesMut};
use kafka_protocol::messages::{ApiKey, ProduceRequest, RequestHeader};
use kafka_protocol::protocol::{Encodable as _, Request, StrBytes};
use serde_json::Value;

use super::fields::fields;

/// The correlation id of every request.
pub(crate) const CORRELATION_ID: i32 = 7;

/// Requests sent in order, each after the answer to the one before.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// Unique within its file, and what its topics are called after.
    pub name: &'static str,
    /// One sentence: what it asks.
    pub about: &'static str,
    /// The requests.
    pub steps: Vec<Step>,
}

/// One request.
#[derive(Debug, Clone)]
pub struct Step {
    /// The number of its API.
    pub api: i16,
    /// The version in its header.
    pub version: i16,
    /// Its fields, for the reader. Null when it was not made from fields.
    pub fields: Value,
    /// Header and body, without the length in front.
    pub frame: Vec<u8>,
    /// Whether there is an answer to wait for.
    pub answered: bool,
}

impl Exchange {
    /// An exchange of these steps.
    #[must_use]
    pub fn new(name: &'static str, about: &'static str, steps: Vec<Step>) -> Exchange {
        Exchange { name, about, steps }
    }
}

impl Step {
    /// `request` in `version`.
    ///
    /// # Panics
    /// When the version does not have a field that is set.
    #[must_use]
    pub fn new<R: Request + std::fmt::Debug>(version: i16, request: &R) -> Step {
        let mut frame = header(R::KEY, version, R::header_version(version));
        request
            .encode(&mut frame, version)
            .expect("the request has what its version has");
        Step {
            api: R::KEY,
            version,
            fields: fields(&format!("{request:?}")),
            frame: frame.to_vec(),
            answered: true,
        }
    }

    /// A produce that asks for no acknowledgement.
    #[must_use]
    pub fn unacknowledged(version: i16, request: &ProduceRequest) -> Step {
        Step {
            answered: false,
            ..Step::new(version, request)
        }
    }

    /// A request header of version 1 and any bytes behind it.
    #[must_use]
    pub fn raw(api: i16, version: i16, body: &[u8]) -> Step {
        let mut frame = header(ApiKey::Metadata as i16, 1, 1);
        frame.put_slice(body);
        frame[0..2].copy_from_slice(&api.to_be_bytes());
        frame[2..4].copy_from_slice(&version.to_be_bytes());
        Step {
            api,
            version,
            fields: Value::Null,
            frame: frame.to_vec(),
            answered: true,
        }
    }
}

fn header(api: i16, version: i16, header_version: i16) -> BytesMut {
    let mut frame = BytesMut::new();
    RequestHeader::default()
        .with_request_api_key(api)
        .with_request_api_version(version)
        .with_correlation_id(CORRELATION_ID)
        .with_client_id(Some(StrBytes::from_static_str("parity")))
        .encode(&mut frame, header_version)
        .expect("every header version has these fields");
    frame
}
