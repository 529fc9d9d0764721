//! DeleteTopics.

use crate::parity::exchange::Exchange;
use crate::requests::{create_plain, delete, metadata};

pub(super) fn all() -> Vec<Exchange> {
    vec![
        Exchange::new(
            "there-and-gone",
            "A topic is deleted once.",
            vec![
                create_plain(&["there-and-gone"]),
                delete(&["there-and-gone"]),
                delete(&["there-and-gone"]),
                metadata(&["there-and-gone"]),
            ],
        ),
        Exchange::new(
            "twice-in-a-request",
            "A name that is in the request twice is refused once, and nothing is deleted of it.",
            vec![
                create_plain(&["delete-twice", "delete-once"]),
                delete(&["delete-twice", "delete-once", "delete-twice"]),
                metadata(&["delete-twice", "delete-once"]),
            ],
        ),
        Exchange::new(
            "created-again",
            "A topic of the same name starts empty.",
            vec![
                create_plain(&["created-again"]),
                crate::requests::produce(
                    "created-again",
                    &crate::parity::batch::Batch::of(&["one"]),
                ),
                delete(&["created-again"]),
                create_plain(&["created-again"]),
                crate::requests::list("created-again", -1),
            ],
        ),
        Exchange::new(
            "unknown",
            "Names that are not there, or cannot be.",
            vec![
                delete(&["delete-unknown", "delete-unknown-too"]),
                delete(&["a b"]),
                delete(&[""]),
                delete(&[]),
            ],
        ),
    ]
}
