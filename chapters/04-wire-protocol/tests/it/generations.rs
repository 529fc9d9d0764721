//! What the flexible versions have that the others have not: tagged fields, byte for
//! byte, and nulls.

use bytes::Bytes;
use wire_protocol::message::*;
use wire_protocol::{Decoder, ErrorCode, Form, Malformed, Wire};

use crate::bodies::encode;

fn flexible(version: i16) -> Form {
    Form {
        version,
        flexible: true,
    }
}

fn plain(version: i16) -> Form {
    Form {
        version,
        flexible: false,
    }
}

fn decode<M: Wire>(bytes: &[u8], form: Form) -> Result<M, Malformed> {
    let frame = Bytes::copy_from_slice(bytes);
    M::decode(&mut Decoder::new(&frame, form.version, form.flexible))
}

fn of_cluster(cluster_id: Option<&str>) -> FetchRequest {
    FetchRequest {
        cluster_id: cluster_id.map(str::to_owned),
        ..FetchRequest::default()
    }
}

#[test]
fn a_tagged_field_is_its_tag_its_size_and_its_bytes() {
    let none = encode(&of_cluster(None), flexible(12));
    let (count, before) = none.split_last().unwrap();
    assert_eq!(*count, 0);
    let one = encode(&of_cluster(Some("ab")), flexible(12));
    assert_eq!(one, [before, &[1, 0, 3], &[3, b'a', b'b']].concat());
    let read: FetchRequest = decode(&one, flexible(12)).unwrap();
    assert_eq!(read.cluster_id.as_deref(), Some("ab"));
}

#[test]
fn tagged_fields_of_a_newer_peer_are_stepped_over_and_ours_are_read() {
    let none = encode(&of_cluster(None), flexible(12));
    let before = &none[..none.len() - 1];
    let read = |fields: &[&[u8]]| {
        let bytes = [before, &fields.concat()].concat();
        decode::<FetchRequest>(&bytes, flexible(12)).map(|request| request.cluster_id)
    };
    let ours = [0, 3, 3, b'a', b'b'];
    let theirs = [7, 2, 0xee, 0xee];
    assert_eq!(read(&[&[2], &ours, &theirs]), Ok(Some("ab".to_owned())));
    assert_eq!(read(&[&[1], &theirs]), Ok(None));
    // A null that was written, and bytes behind a value: a newer peer's business.
    assert_eq!(read(&[&[1, 0, 1, 0]]), Ok(None));
    assert_eq!(read(&[&[1, 0, 4, 2, b'a', 9, 9]]), Ok(Some("a".to_owned())));
    assert_eq!(read(&[&[2], &theirs, &ours]), Err(Malformed::TagOrder));
    assert_eq!(read(&[&[2], &ours, &ours]), Err(Malformed::TagOrder));
    // The value must be in its own bytes, even if others follow.
    let too_long = read(&[&[2, 0, 2, 3, b'a'], &theirs]);
    assert!(
        matches!(too_long, Err(Malformed::Truncated { .. })),
        "{too_long:?}"
    );
    let cut = read(&[&[1, 0, 9, 3, b'a', b'b']]);
    assert!(matches!(cut, Err(Malformed::Truncated { .. })), "{cut:?}");
}

fn parted() -> FetchPartitionResponse {
    FetchPartitionResponse {
        diverging_epoch: FetchEpochEndOffset {
            epoch: 1,
            end_offset: 258,
        },
        ..FetchPartitionResponse::default()
    }
}

#[test]
fn a_tagged_struct_has_tagged_fields_of_its_own() {
    let none = encode(&FetchPartitionResponse::default(), flexible(12));
    let before = &none[..none.len() - 1];
    let one = encode(&parted(), flexible(12));
    let epoch = [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 2, 0];
    assert_eq!(one, [before, &[1, 0, 13], &epoch].concat());
    let both = FetchPartitionResponse {
        current_leader: FetchLeader {
            leader_id: 3,
            leader_epoch: -1,
        },
        ..parted()
    };
    let leader = [0, 0, 0, 3, 0xff, 0xff, 0xff, 0xff, 0];
    let expected = [before, &[2, 0, 13], &epoch, &[1, 9], &leader].concat();
    assert_eq!(encode(&both, flexible(12)), expected);
}

#[test]
fn an_ignorable_tagged_field_is_dropped_where_it_is_not() {
    let with = encode(&of_cluster(Some("ab")), plain(11));
    assert_eq!(with, encode(&of_cluster(None), plain(11)));
}

#[test]
#[should_panic(expected = "this version has no `self.diverging_epoch` to say so")]
fn any_other_tagged_field_is_not() {
    encode(&parted(), plain(11));
}

fn joined(protocol_name: Option<&str>) -> JoinGroupResponse {
    JoinGroupResponse {
        error_code: ErrorCode::UNKNOWN_MEMBER_ID,
        protocol_name: protocol_name.map(str::to_owned),
        ..JoinGroupResponse::default()
    }
}

#[test]
fn a_null_that_an_older_version_lacks_is_the_empty_value() {
    let null = joined(None);
    let empty = joined(Some(""));
    for version in 0..=5 {
        assert_eq!(
            encode(&null, plain(version)),
            encode(&empty, plain(version))
        );
    }
    assert_eq!(encode(&null, flexible(6)), encode(&empty, flexible(6)));
    let newer = encode(&null, flexible(7));
    assert_ne!(newer, encode(&empty, flexible(7)));
    let read: JoinGroupResponse = decode(&newer, flexible(7)).unwrap();
    assert_eq!(read.protocol_name, None);
    // Error and generation, then the name.
    let bytes = [0, 25, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    let read: Result<JoinGroupResponse, _> = decode(&bytes, plain(0));
    assert_eq!(read.unwrap_err(), Malformed::UnexpectedNull);
}

#[test]
fn offset_fetch_asks_for_all_with_a_null_from_version_2_on() {
    let all = OffsetFetchRequest {
        group_id: "g".to_owned(),
        ..OffsetFetchRequest::default()
    };
    let expected = [0, 1, b'g', 0xff, 0xff, 0xff, 0xff];
    assert_eq!(encode(&all, plain(2)), expected);
    let read: Result<OffsetFetchRequest, _> = decode(&expected, plain(1));
    assert_eq!(read.unwrap_err(), Malformed::UnexpectedNull);
}

#[test]
#[should_panic(expected = "this version has no null for `self.topics`")]
fn offset_fetch_1_cannot_ask_for_all() {
    encode(&OffsetFetchRequest::default(), plain(1));
}

#[test]
fn bytes_are_a_slice_of_the_frame() {
    let request = SyncGroupRequest {
        assignments: vec![SyncGroupAssignment {
            member_id: "m".to_owned(),
            assignment: Bytes::from_static(&[7; 100]),
        }],
        ..SyncGroupRequest::default()
    };
    let frame = Bytes::from(encode(&request, flexible(4)));
    let mut input = Decoder::new(&frame, 4, true);
    let read = SyncGroupRequest::decode(&mut input).unwrap();
    let assignment = &read.assignments[0].assignment;
    assert_eq!(assignment[..], [7; 100]);
    assert!(frame.as_ptr_range().contains(&assignment.as_ptr()));
}
