//! Bytes that nobody meant well.

use bytes::Bytes;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use wire_protocol::{Malformed, RequestHeader};

use crate::bodies;
use crate::random::Source;

/// The fuzz target's corpus is read here too, so that plain `cargo test` replays it.
#[path = "../../fuzz/fuzz_request.rs"]
mod fuzz_request;

use fuzz_request::fuzz_request;

fn corpus() -> Vec<Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/fuzz_request");
    let entries = std::fs::read_dir(folder).expect("the corpus is at its place");
    let paths = entries.map(|entry| entry.expect("the folder can be listed").path());
    let inputs: Vec<Vec<u8>> = paths
        .map(|path| std::fs::read(path).expect("an input can be read"))
        .collect();
    assert!(inputs.len() >= 4, "the corpus is not empty");
    inputs
}

#[test]
fn the_corpus_decodes_or_errs() {
    for input in corpus() {
        fuzz_request(&input);
    }
}

#[test]
fn the_corpus_with_any_byte_changed_decodes_or_errs() {
    for input in corpus() {
        for at in 0..input.len() {
            for byte in [0x00, 0x01, 0x7f, 0x80, 0xff] {
                let mut changed = input.clone();
                changed[at] = byte;
                fuzz_request(&changed);
            }
            fuzz_request(&input[..at]);
        }
    }
}

#[test]
fn a_count_of_two_billion_is_an_error_in_every_request() {
    for body in bodies::all().iter().filter(|body| body.is_request) {
        for form in body.forms() {
            let whole = body.random(&mut Source::new(&[0x99; 400]), form);
            let count: &[u8] = match form.flexible {
                false => &[0x7f, 0xff, 0xff, 0xff],
                // As a varint, one more.
                true => &[0x80, 0x80, 0x80, 0x80, 0x08],
            };
            for at in 0..whole.len().saturating_sub(count.len()) {
                let mut bytes = whole.clone();
                bytes[at..at + count.len()].copy_from_slice(count);
                // Where it hits a count it is an error, elsewhere it is a number.
                let _ = (body.decode)(&bytes, form);
            }
        }
    }
    let metadata = bodies::named("MetadataRequest");
    assert_eq!(
        (metadata.decode)(&[0x7f, 0xff, 0xff, 0xff, 0], metadata.forms()[4]),
        Err(Malformed::ArrayTooLong {
            count: 2_147_483_647,
            remaining: 1
        })
    );
}

#[test]
fn librdkafkas_unfinished_array_count_is_tolerated() {
    // What librdkafka sends as the body of Metadata 9 for "all topics": null topics,
    // no auto-creation, and four bytes of a count that it meant to go back to.
    let body = [0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00];
    let metadata = bodies::named("MetadataRequest");
    let form = wire_protocol::Form {
        version: 9,
        flexible: true,
    };
    let text = (metadata.debug)(&body, form).unwrap();
    let expected = "MetadataRequest { topics: MetadataTopics(None), \
        allow_auto_topic_creation: false, include_cluster_authorized_operations: false, \
        include_topic_authorized_operations: false }";
    assert_eq!(text, expected);
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(4),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config(2000))]

    #[test]
    fn any_bytes_decode_or_err(input in prop::collection::vec(any::<u8>(), 0..300)) {
        fuzz_request(&input);
        let input = Bytes::from(input);
        let _ = RequestHeader::decode(&input);
        let _ = wire_protocol::decode_response::<wire_protocol::message::FetchRequest>(&input, 11);
    }

}

proptest! {
    #![proptest_config(config(200))]

    #[test]
    fn a_good_body_with_bytes_changed_decodes_or_errs(
        entropy in prop::collection::vec(any::<u8>(), 0..200),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        for body in bodies::all() {
            for form in body.forms_and_flexible() {
                let mut bytes = body.random(&mut Source::new(&entropy), form);
                if bytes.is_empty() {
                    continue;
                }
                for (at, byte) in &changes {
                    let at = at.index(bytes.len());
                    bytes[at] = *byte;
                }
                // What still decodes is a message like any other.
                if let Ok(again) = (body.recode)(&bytes, form) {
                    prop_assert_eq!((body.recode)(&again, form), Ok(again), "{:?}", body);
                }
            }
        }
    }
}
