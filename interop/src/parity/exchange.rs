//! Requests that belong together, and what each of them is there to show.

use bytes::{BufMut as _, BytesMut};
use kafka_protocol::messages::{ApiKey, ProduceRequest, RequestHeader};
use kafka_protocol::protocol::{Encodable as _, Request, StrBytes};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fields::fields;

/// The correlation id of every request.
pub(crate) const CORRELATION_ID: i32 = 7;

/// Requests sent in order, each after the answer to the one before unless its
/// [`Course`] says otherwise.
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
    /// What it has to do with the other steps.
    pub course: Course,
}

/// How a step goes with the others. By default it is sent on the exchange's one
/// connection, and the next step follows its answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Course {
    /// The connection that it is sent on. The empty name is a connection as well.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub connection: String,
    /// What the member id in the answer is called from then on. `{NAME}` is replaced by
    /// the id in later requests, and the id by `{NAME}` in answers.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub member: String,
    /// The number that the producer id in the answer has from then on. Its stand-in is replaced
    /// by the id in later requests, and the id by `(producer NUMBER)` in answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub producer: Option<u8>,
    /// Whether the next step does not follow its answer: a later step `reads` it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub parked: bool,
    /// What the broker must say of a group before anything else is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<GroupIs>,
    /// The connections whose oldest parked answers are read now.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reads: Vec<String>,
}

/// What DescribeGroups says of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupIs {
    /// Its id.
    pub group: String,
    /// The name of its state.
    pub state: String,
    /// How many members it has.
    pub members: usize,
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
            course: Course::default(),
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

    /// The same on the connection `name`.
    #[must_use]
    pub fn on(mut self, name: &str) -> Step {
        name.clone_into(&mut self.course.connection);
        self
    }

    /// The same, with a name for the member id in its answer.
    #[must_use]
    pub fn names(mut self, member: &str) -> Step {
        member.clone_into(&mut self.course.member);
        self
    }

    /// The same, with a number for the producer id in its answer.
    #[must_use]
    pub fn numbers(mut self, producer: u8) -> Step {
        self.course.producer = Some(producer);
        self
    }

    /// The same, whose answer a later step reads.
    #[must_use]
    pub fn parked(mut self) -> Step {
        self.course.parked = true;
        self
    }

    /// The same, after which `group` comes into `state` with this number of members.
    #[must_use]
    pub fn until(mut self, group: &str, state: &str, members: usize) -> Step {
        self.course.until = Some(GroupIs {
            group: group.to_owned(),
            state: state.to_owned(),
            members,
        });
        self
    }

    /// The same, after which the parked answers of these connections are read.
    #[must_use]
    pub fn then_reads(mut self, connections: &[&str]) -> Step {
        self.course.reads = connections.iter().map(|&name| name.to_owned()).collect();
        self
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
            course: Course::default(),
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
