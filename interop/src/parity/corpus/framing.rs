//! Requests that are none, and ApiVersions.

use kafka_protocol::messages::{ApiVersionsRequest, InitProducerIdRequest, MetadataRequest};

use crate::parity::exchange::{Exchange, Step};
use crate::requests::{metadata, text};

const METADATA: i16 = 3;
const API_VERSIONS: i16 = 18;

pub(super) fn all() -> Vec<Exchange> {
    let named = |name: &str| {
        let request = ApiVersionsRequest::default()
            .with_client_software_name(text(name))
            .with_client_software_version(text("1"));
        Step::new(3, &request)
    };
    let mut long = Step::new(4, &MetadataRequest::default().with_topics(Some(vec![])));
    long.frame.extend_from_slice(b"more");
    vec![
        Exchange::new(
            "api-versions",
            "The first request of most clients, also in a version that is not there yet.",
            vec![
                Step::new(0, &ApiVersionsRequest::default()),
                named("parity"),
                // The header of a flexible version ends with its tagged fields: none.
                Step::raw(API_VERSIONS, 99, &[0]),
            ],
        ),
        Exchange::new(
            "client-names",
            "Names of clients that cannot be.",
            vec![named(""), named("a b"), named("-")],
        ),
        Exchange::new(
            "unknown-api",
            "An API that is not there closes the connection.",
            vec![Step::raw(999, 0, &[]), Step::raw(-1, 0, &[]), metadata(&[])],
        ),
        Exchange::new(
            "unknown-versions",
            "A version that is not there closes the connection.",
            vec![
                Step::raw(METADATA, 99, &[]),
                Step::raw(METADATA, -1, &[]),
                metadata(&[]),
            ],
        ),
        Exchange::new(
            "cut-body",
            "A body that ends early closes the connection.",
            vec![
                Step::raw(METADATA, 4, &[]),
                Step::raw(METADATA, 4, &[0, 0, 0, 1, 0]),
                Step::raw(METADATA, 4, &[0x7f, 0xff, 0xff, 0xff]),
            ],
        ),
        Exchange::new("long-body", "Bytes behind a body.", vec![long]),
        Exchange::new(
            "producer-ids",
            "A producer that wants to be idempotent gets an id.",
            vec![Step::new(
                0,
                &InitProducerIdRequest::default()
                    .with_transactional_id(None)
                    .with_transaction_timeout_ms(60_000),
            )],
        ),
    ]
}
