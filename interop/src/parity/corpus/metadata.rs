//! Metadata.

use crate::parity::exchange::{Exchange, Step};
use crate::requests::{create, create_plain, delete, metadata, metadata_request, topic};

pub(super) fn all() -> Vec<Exchange> {
    vec![
        Exchange::new(
            "known",
            "Leader, replicas and in-sync replicas of each partition.",
            vec![create(vec![topic("known", 2, 1)]), metadata(&["known"])],
        ),
        Exchange::new(
            "unknown",
            "A topic that is not there and must not be created.",
            vec![metadata(&["metadata-unknown"])],
        ),
        Exchange::new(
            "none",
            "An empty list asks for the brokers alone.",
            vec![metadata(&[])],
        ),
        Exchange::new(
            "bad-names",
            "Names that no topic can have, with and without creation.",
            vec![
                metadata(&["a b"]),
                metadata(&[""]),
                Step::new(
                    4,
                    &metadata_request(&["a b"]).with_allow_auto_topic_creation(true),
                ),
            ],
        ),
        Exchange::new(
            "twice-in-a-request",
            "A name that is in the request twice is answered once.",
            vec![
                create_plain(&["metadata-twice"]),
                metadata(&["metadata-twice", "metadata-twice"]),
            ],
        ),
        Exchange::new(
            "created-by-asking",
            "A topic that is not there is created when the client allows it.",
            vec![
                Step::new(
                    4,
                    &metadata_request(&["created-by-asking"]).with_allow_auto_topic_creation(true),
                ),
                // Gone again, so that nobody else sees it.
                delete(&["created-by-asking"]),
            ],
        ),
    ]
}
