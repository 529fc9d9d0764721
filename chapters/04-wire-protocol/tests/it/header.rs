//! Headers of requests and responses.

use bytes::Bytes;
use wire_protocol::message::{
    ApiVersionsRequest, ApiVersionsResponse, MetadataRequest, MetadataResponse, MetadataTopics,
    ProduceRequest,
};
use wire_protocol::{
    ApiKey, Malformed, RequestHeader, Support, Wire, decode_response, encode_request,
    encode_response,
};

use crate::bodies::joined;

/// Key, version, correlation id 9, and no more.
fn first_8_bytes(key: i16, version: i16) -> Vec<u8> {
    let parts = [
        &key.to_be_bytes()[..],
        &version.to_be_bytes(),
        &9_i32.to_be_bytes(),
    ];
    parts.concat()
}

#[test]
fn a_header_and_its_body() {
    let frame = Bytes::from(encode_request(&MetadataRequest::default(), 4, 9, "kcat"));
    let expected = [
        &[0, 3, 0, 4, 0, 0, 0, 9][..],
        &[0, 4, b'k', b'c', b'a', b't'],
        &[0xff, 0xff, 0xff, 0xff, 1], // all topics; auto-creation allowed
    ];
    assert_eq!(frame, expected.concat());
    let (header, mut body) = RequestHeader::decode(&frame).unwrap();
    assert_eq!(header.support(), Support::Served(ApiKey::Metadata));
    assert_eq!((header.api_version, header.correlation_id), (4, 9));
    assert_eq!(header.client_id.as_deref(), Some("kcat"));
    let request = MetadataRequest::decode(&mut body).unwrap();
    assert_eq!(request.topics, MetadataTopics(None));
    assert_eq!(body.remaining(), 0);
}

#[test]
fn a_client_without_a_name() {
    let frame = Bytes::from([first_8_bytes(3, 4), vec![0xff, 0xff]].concat());
    let (header, body) = RequestHeader::decode(&frame).unwrap();
    assert_eq!(header.client_id, None);
    assert_eq!(body.remaining(), 0);
}

#[test]
fn the_client_id_keeps_its_two_byte_length_in_flexible_versions() {
    let request = ApiVersionsRequest {
        client_software_name: "kcat".to_owned(),
        client_software_version: "1.7.1".to_owned(),
    };
    let frame = encode_request(&request, 3, 9, "me");
    let header_end = [&first_8_bytes(18, 3)[..], &[0, 2, b'm', b'e', 0]].concat();
    assert_eq!(frame[..13], header_end);
    assert_eq!(frame[13..], *b"\x05kcat\x061.7.1\x00");
    // A newer client's header may have tagged fields.
    let newer = [&frame[..12], &[1, 0, 2, 0xaa, 0xbb], &frame[13..]].concat();
    let newer = Bytes::from(newer);
    let (header, mut body) = RequestHeader::decode(&newer).unwrap();
    assert_eq!(header.client_id.as_deref(), Some("me"));
    let body = ApiVersionsRequest::decode(&mut body).unwrap();
    assert_eq!(body.client_software_version, "1.7.1");
}

#[test]
fn of_what_we_do_not_know_only_8_bytes_are_read() {
    let unknown = [
        (18, 4),
        (3, 13),
        (0, 13),
        (1, 0),
        (999, 0),
        (-1, -1),
        (i16::MIN, i16::MAX),
    ];
    for (key, version) in unknown {
        let frame = Bytes::from(first_8_bytes(key, version));
        let (header, body) = RequestHeader::decode(&frame)
            .map(|(header, body)| (header, body.remaining()))
            .unwrap();
        assert_eq!((header.api_key, header.api_version), (key, version));
        assert_eq!(header.correlation_id, 9);
        assert_eq!((header.client_id, body), (None, 0));
        // Whatever follows is in no form that we know, so it cannot be wrong.
        let frame = Bytes::from([first_8_bytes(key, version), vec![0xff; 7]].concat());
        assert_eq!(RequestHeader::decode(&frame).unwrap().1.remaining(), 7);
    }
}

#[test]
fn shorter_than_8_bytes_is_nothing() {
    let whole = Bytes::from(first_8_bytes(18, 4));
    for cut in 0..8 {
        let got = RequestHeader::decode(&whole.slice(..cut)).map(|(header, _)| header);
        assert!(matches!(got, Err(Malformed::Truncated { .. })), "{cut}");
    }
}

#[test]
fn a_canary_has_a_header_and_a_body_like_any_other() {
    let frame = Bytes::from(encode_request(&ProduceRequest::default(), 0, 9, "old"));
    let (header, mut body) = RequestHeader::decode(&frame).unwrap();
    assert_eq!(header.support(), Support::Canary(ApiKey::Produce));
    assert_eq!(header.client_id.as_deref(), Some("old"));
    assert!(ProduceRequest::decode(&mut body).is_ok());
    assert_eq!(body.remaining(), 0);
}

#[test]
fn a_response_has_no_tagged_fields_in_its_header_if_it_is_for_api_versions() {
    let frame = joined(encode_response(
        ApiKey::ApiVersions,
        3,
        9,
        &ApiVersionsResponse::default(),
    ));
    // length, correlation id | error, no rows, throttle time, no tagged fields
    assert_eq!(frame, [0, 0, 0, 12, 0, 0, 0, 9, 0, 0, 1, 0, 0, 0, 0, 0]);
    // Any other flexible version has them: an empty count, one byte. The body is a
    // throttle time, no brokers, no cluster id, no controller, no topics, and the
    // operations that were not asked for.
    let metadata = MetadataResponse::default();
    let flexible = joined(encode_response(ApiKey::Metadata, 9, 9, &metadata));
    assert_eq!(flexible[..9], [0, 0, 0, 21, 0, 0, 0, 9, 0]);
    assert!(decode_response::<MetadataRequest>(&Bytes::copy_from_slice(&flexible[4..]), 9).is_ok());
    let plain = joined(encode_response(ApiKey::Metadata, 4, 9, &metadata));
    assert_eq!(plain[..8], [0, 0, 0, 22, 0, 0, 0, 9]);
    let decoded =
        decode_response::<MetadataRequest>(&Bytes::copy_from_slice(&plain[4..]), 4).unwrap();
    assert_eq!(decoded.controller_id, -1);
}
