//! What the fuzz target does with an input; the chapter's tests do the same with the corpus.

use bytes::Bytes;
use wire_protocol::message::*;
use wire_protocol::{ApiKey, Decoder, Malformed, RequestHeader, Support, Wire};

/// Takes `input` for a frame, as a broker does; and its bytes from the third
/// on for a body, the first two saying of what. Any input decodes or errs.
///
/// # Panics
/// When decoding panics, or what was decoded does not survive being encoded.
pub(crate) fn fuzz_request(input: &[u8]) {
    let frame = Bytes::copy_from_slice(input);
    if let Ok((header, mut body)) = RequestHeader::decode(&frame)
        && let Support::Served(api) | Support::Canary(api) = header.support()
    {
        let flexible = api.is_flexible(header.api_version);
        let _ = body_of(api as i16, &mut body, (header.api_version, flexible));
    }
    let [place, version, body @ ..] = input else {
        return;
    };
    let key = KEYS[usize::from(*place) % KEYS.len()];
    // The top bit tries the flexible form of versions that are not flexible yet.
    let api = ApiKey::from_wire(key);
    let is_flexible = api.is_some_and(|api| api.is_flexible(i16::from(*version)));
    let flexible = version & 0x80 != 0 || is_flexible;
    let version = i16::from(version & 0x0f);
    let body = Bytes::copy_from_slice(body);
    let mut body = Decoder::new(&body, version, flexible);
    let _ = body_of(key, &mut body, (version, flexible));
}

macro_rules! requests {
    ($($key:literal $request:ident),*) => {
        /// The APIs whose requests are declared.
        const KEYS: &[i16] = &[$($key),*];

        fn body_of(key: i16, body: &mut Decoder<'_>, form: (i16, bool)) -> Result<(), Malformed> {
            match key {
                $($key => there_and_back::<$request>(body, form),)*
                _ => unreachable!("no request of API {key} is declared"),
            }
        }
    };
}

requests!(
    0 ProduceRequest,
    1 FetchRequest,
    2 ListOffsetsRequest,
    3 MetadataRequest,
    10 FindCoordinatorRequest,
    18 ApiVersionsRequest,
    19 CreateTopicsRequest,
    20 DeleteTopicsRequest,
    22 InitProducerIdRequest,
    32 DescribeConfigsRequest,
    8 OffsetCommitRequest,
    9 OffsetFetchRequest,
    11 JoinGroupRequest,
    12 HeartbeatRequest,
    13 LeaveGroupRequest,
    14 SyncGroupRequest,
    15 DescribeGroupsRequest,
    16 ListGroupsRequest,
    21 DeleteRecordsRequest,
    23 OffsetForLeaderEpochRequest,
    33 AlterConfigsRequest,
    35 DescribeLogDirsRequest,
    37 CreatePartitionsRequest,
    42 DeleteGroupsRequest,
    43 ElectLeadersRequest,
    44 IncrementalAlterConfigsRequest,
    46 ListPartitionReassignmentsRequest,
    47 OffsetDeleteRequest,
    60 DescribeClusterRequest,
    24 AddPartitionsToTxnRequest,
    25 AddOffsetsToTxnRequest,
    26 EndTxnRequest,
    27 WriteTxnMarkersRequest,
    28 TxnOffsetCommitRequest,
    61 DescribeProducersRequest,
    65 DescribeTransactionsRequest,
    66 ListTransactionsRequest
);

/// The first decoding may have been of padded varints or of unknown tags; from
/// then on, encoding and decoding must agree.
fn there_and_back<M: Wire>(body: &mut Decoder<'_>, form: (i16, bool)) -> Result<(), Malformed> {
    let measured = M::measure(&mut body.clone()).map(|_| ());
    let decoded = M::decode(body);
    assert_eq!(
        measured,
        decoded.as_ref().map(|_| ()).map_err(|error| *error)
    );
    let bytes = Bytes::from(encode(&decoded?, form));
    let again = M::decode(&mut Decoder::new(&bytes, form.0, form.1));
    let again = again.expect("what was encoded can be decoded");
    assert_eq!(encode(&again, form), bytes);
    Ok(())
}

fn encode(message: &impl Wire, (version, flexible): (i16, bool)) -> Vec<u8> {
    let mut out = wire_protocol::Encoder::new(version, flexible);
    message.encode(&mut out);
    let mut bytes = Vec::new();
    for chunk in out.finish() {
        match chunk {
            networking::Chunk::Bytes(part) => bytes.extend_from_slice(&part),
            networking::Chunk::File(_) => unreachable!("nothing here is in a file"),
        }
    }
    bytes
}
