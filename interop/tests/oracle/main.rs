//! Our codec against another one, the crate `kafka-protocol`, which is
//! generated from Kafka's own message schemas.
//!
//! A random value of each message in each version that both have: they decode
//! our bytes to the same values in fields of the same names, and what they
//! encode from it is byte for byte what we encoded. And our declarations against
//! Kafka's schemas themselves, in a table of the book (`conformance`).

#[path = "../../../chapters/04-wire-protocol/tests/it/bodies.rs"]
#[allow(dead_code, reason = "the tests of chapter 04 use all of it")]
mod bodies;
mod conformance;
#[path = "../../../chapters/04-wire-protocol/tests/it/declared.rs"]
mod declared;
mod leaves;
#[path = "../../../chapters/04-wire-protocol/tests/it/random.rs"]
mod random;
mod theirs;

use kafka_protocol::ResponseError;
use kafka_protocol::protocol::decode_request_header_from_buffer;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use wire_protocol::message::{ApiVersionsRequest, MetadataRequest};
use wire_protocol::{ErrorCode, encode_request};

use leaves::{Leaf, leaves};
use random::Source;

#[test]
fn both_have_most_versions() {
    let mut both = 0;
    let mut only_ours = Vec::new();
    for (ours, theirs) in bodies::all().iter().zip(theirs::all()) {
        assert_eq!(ours.name, theirs.name);
        for form in ours.forms() {
            if theirs.versions.contains(&form.version) {
                both += 1;
            } else {
                only_ours.push((ours.name, form.version));
            }
        }
    }
    only_ours.dedup();
    // Kafka 4 has dropped versions 0 to 2 of Produce; `layouts.rs` of chapter 04 has them.
    assert!(
        only_ours
            .iter()
            .all(|(name, version)| name.starts_with("Produce") && *version < 3)
    );
    assert_eq!(both, 324, "messages and versions compared");
}

#[test]
fn error_codes_have_the_same_names() {
    for code in 1..=100 {
        let Some(ours) = ErrorCode(code).name() else {
            continue;
        };
        let theirs = ResponseError::try_from_code(code).expect("Kafka has the code");
        let camel: String = ours.split('_').map(capitalized).collect();
        assert_eq!(camel, format!("{theirs:?}"), "{code}");
        let retriable = ErrorCode(code).is_retriable();
        // Kafka 4.3 itself says that the request may succeed later; they do not.
        let theirs = theirs.is_retriable() || ours == "CONCURRENT_TRANSACTIONS";
        assert_eq!(retriable, theirs, "{ours}");
    }
}

fn capitalized(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    format!("{first}{}", rest.to_lowercase())
}

#[test]
fn they_read_our_request_headers() {
    let plain = encode_request(&MetadataRequest::default(), 4, 77, "kcat");
    let flexible = encode_request(&ApiVersionsRequest::default(), 3, 78, "é");
    for (frame, key, version, id, client) in [(plain, 3, 4, 77, "kcat"), (flexible, 18, 3, 78, "é")]
    {
        let mut bytes = bytes::Bytes::from(frame);
        let header = decode_request_header_from_buffer(&mut bytes).expect("they can read it");
        assert_eq!(header.request_api_key, key);
        assert_eq!(header.request_api_version, version);
        assert_eq!(header.correlation_id, id);
        assert_eq!(header.client_id.as_deref(), Some(client));
    }
}

/// Whether all topics are asked for in version 0: an empty list to them, which
/// has no leaf, and to us the null of later versions.
fn asks_for_all(about: &str, leaf: &Leaf) -> bool {
    about == "MetadataRequest 0" && leaf.0 == "topics" && leaf.1 == ["None"]
}

/// Our names for fields of theirs: what the versions that we have say with them.
const RENAMED: [(&str, &str); 4] = [
    ("generation_id", "generation_id_or_member_epoch"),
    ("transactional_id", "v3_and_below_transactional_id"),
    ("producer_id", "v3_and_below_producer_id"),
    ("producer_epoch", "v3_and_below_producer_epoch"),
];

/// A string that a version does not have is null to us and empty to them.
fn same(ours: &Leaf, theirs: &Leaf) -> bool {
    let renamed = RENAMED.contains(&(ours.0.as_str(), theirs.0.as_str()));
    let absent = ours.1 == ["None"] && theirs.1 == ["\"\""];
    (ours.0 == theirs.0 || renamed) && (ours.1 == theirs.1 || absent)
}

/// Whether the version lacks a field of this name somewhere, for which each has a
/// default of its own.
fn is_absent(version: i16, leaf: &Leaf) -> bool {
    let mut fields = declared::structs().values().flatten();
    fields.any(|field| field.name == leaf.0 && !field.versions.contains(&version))
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        rng_seed: RngSeed::Fixed(4),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn they_read_and_write_the_same(entropy in prop::collection::vec(any::<u8>(), 0..1500)) {
        for (ours, theirs) in bodies::all().iter().zip(theirs::all()) {
            for form in ours.forms() {
                if !theirs.versions.contains(&form.version) {
                    continue;
                }
                let about = format!("{} {}", ours.name, form.version);
                let bytes = ours.random(&mut Source::new(&entropy), form);
                let read = (theirs.recode)(&bytes, form.version);
                prop_assert!(read.is_ok(), "{}: {:?}", about, read);
                let (again, text) = read.unwrap_or_default();
                prop_assert_eq!(&again, &bytes, "{}", about);
                prop_assert_eq!((ours.recode)(&again, form), Ok(bytes.clone()), "{}", about);
                let our_text = (ours.debug)(&bytes, form).expect("these are our own bytes");
                let (our_leaves, their_leaves) = (leaves(&our_text), leaves(&text));
                // They have the fields of later versions too, and tagged ones elsewhere.
                let mut left = their_leaves;
                for leaf in our_leaves.iter().filter(|leaf| !asks_for_all(&about, leaf)) {
                    let place = left.iter().position(|their_leaf| same(leaf, their_leaf));
                    prop_assert!(
                        place.is_some() || is_absent(form.version, leaf),
                        "{}: {:?} is not there\nours   {}\ntheirs {}", about, leaf, our_text, text
                    );
                    if let Some(place) = place {
                        left.remove(place);
                    }
                }
            }
        }
    }
}
