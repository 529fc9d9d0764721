//! Every message that is declared, behind one type: a body of bytes in, a body of bytes out.

use bytes::Bytes;
use networking::Chunk;
use wire_protocol::message::*;
use wire_protocol::{Decoder, Encoder, Form, Malformed, Wire};

use super::random::{Source, random};

/// A message.
#[derive(Clone, Copy)]
pub(crate) struct Body {
    /// Its type, such as `FetchRequest`.
    pub(crate) name: &'static str,
    /// The number of its API.
    pub(crate) key: i16,
    /// The versions that its fields are declared for.
    pub(crate) versions: (i16, i16),
    /// The first of them with compact lengths and tagged fields.
    pub(crate) flexible: i16,
    /// Whether it is a request.
    pub(crate) is_request: bool,
    /// Decodes; says how many bytes are left.
    pub(crate) decode: fn(&[u8], Form) -> Result<usize, Malformed>,
    /// Decodes a frame, and nothing else.
    pub(crate) read: fn(&Bytes, Form) -> Result<(), Malformed>,
    /// How much memory decoding the frame takes.
    pub(crate) measure: fn(&Bytes, Form) -> Result<usize, Malformed>,
    /// Decodes and encodes again.
    pub(crate) recode: fn(&[u8], Form) -> Result<Vec<u8>, Malformed>,
    /// Decodes and prints.
    pub(crate) debug: fn(&[u8], Form) -> Result<String, Malformed>,
}

impl Body {
    /// The bytes of some message of this type.
    pub(crate) fn random(&self, source: &mut Source<'_>, form: Form) -> Vec<u8> {
        random(self.name, source, form)
    }

    /// The forms that are on the wire.
    pub(crate) fn forms(&self) -> Vec<Form> {
        let form = |version| Form {
            version,
            flexible: version >= self.flexible,
        };
        (self.versions.0..=self.versions.1).map(form).collect()
    }

    /// Those, and each of them with compact lengths and tagged fields too: the
    /// versions that come later have them.
    pub(crate) fn forms_and_flexible(&self) -> Vec<Form> {
        let mut forms = self.forms();
        let flexible = |form: &Form| Form {
            flexible: true,
            ..*form
        };
        forms.extend(self.forms().iter().map(flexible));
        forms
    }
}

/// In place of the first flexible version of an API that has none.
pub(crate) const NEVER: i16 = i16::MAX;

/// All requests, each followed by its response: those of the APIs that are served,
/// and those that are declared for what is to come.
pub(crate) fn all() -> Vec<Body> {
    macro_rules! bodies {
        ($($key:literal, $first:literal..=$last:literal, flexible $flexible:expr,
            $request:ident, $response:ident;)*) => { vec![$(
            body::<$request>($key, ($first, $last), $flexible, true),
            body::<$response>($key, ($first, $last), $flexible, false),
        )*] };
    }
    bodies!(
        0, 0..=9, flexible 9, ProduceRequest, ProduceResponse;
        1, 4..=12, flexible 12, FetchRequest, FetchResponse;
        2, 1..=9, flexible 6, ListOffsetsRequest, ListOffsetsResponse;
        3, 0..=9, flexible 9, MetadataRequest, MetadataResponse;
        8, 2..=8, flexible 8, OffsetCommitRequest, OffsetCommitResponse;
        9, 1..=8, flexible 6, OffsetFetchRequest, OffsetFetchResponse;
        10, 0..=4, flexible 3, FindCoordinatorRequest, FindCoordinatorResponse;
        11, 0..=7, flexible 6, JoinGroupRequest, JoinGroupResponse;
        12, 0..=4, flexible 4, HeartbeatRequest, HeartbeatResponse;
        13, 0..=4, flexible 4, LeaveGroupRequest, LeaveGroupResponse;
        14, 0..=5, flexible 4, SyncGroupRequest, SyncGroupResponse;
        15, 0..=5, flexible 5, DescribeGroupsRequest, DescribeGroupsResponse;
        16, 0..=5, flexible 3, ListGroupsRequest, ListGroupsResponse;
        18, 0..=3, flexible 3, ApiVersionsRequest, ApiVersionsResponse;
        19, 2..=5, flexible 5, CreateTopicsRequest, CreateTopicsResponse;
        20, 1..=4, flexible 4, DeleteTopicsRequest, DeleteTopicsResponse;
        21, 0..=2, flexible 2, DeleteRecordsRequest, DeleteRecordsResponse;
        22, 0..=4, flexible 2, InitProducerIdRequest, InitProducerIdResponse;
        23, 2..=4, flexible 4, OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse;
        24, 0..=3, flexible 3, AddPartitionsToTxnRequest, AddPartitionsToTxnResponse;
        25, 0..=3, flexible 3, AddOffsetsToTxnRequest, AddOffsetsToTxnResponse;
        26, 0..=3, flexible 3, EndTxnRequest, EndTxnResponse;
        27, 1..=1, flexible 1, WriteTxnMarkersRequest, WriteTxnMarkersResponse;
        28, 0..=3, flexible 3, TxnOffsetCommitRequest, TxnOffsetCommitResponse;
        32, 1..=4, flexible 4, DescribeConfigsRequest, DescribeConfigsResponse;
        33, 0..=2, flexible 2, AlterConfigsRequest, AlterConfigsResponse;
        35, 1..=4, flexible 2, DescribeLogDirsRequest, DescribeLogDirsResponse;
        37, 0..=3, flexible 2, CreatePartitionsRequest, CreatePartitionsResponse;
        42, 0..=2, flexible 2, DeleteGroupsRequest, DeleteGroupsResponse;
        43, 0..=2, flexible 2, ElectLeadersRequest, ElectLeadersResponse;
        44, 0..=1, flexible 1, IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse;
        46, 0..=0, flexible 0, ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse;
        47, 0..=0, flexible NEVER, OffsetDeleteRequest, OffsetDeleteResponse;
        60, 0..=1, flexible 0, DescribeClusterRequest, DescribeClusterResponse;
        61, 0..=0, flexible 0, DescribeProducersRequest, DescribeProducersResponse;
        65, 0..=0, flexible 0, DescribeTransactionsRequest, DescribeTransactionsResponse;
        66, 0..=1, flexible 0, ListTransactionsRequest, ListTransactionsResponse;
    )
}

/// The message of this name.
pub(crate) fn named(name: &str) -> Body {
    let mut all = all().into_iter();
    all.find(|body| body.name == name).expect("a message")
}

fn body<M: Wire + std::fmt::Debug + 'static>(
    key: i16,
    versions: (i16, i16),
    flexible: i16,
    is_request: bool,
) -> Body {
    let name = std::any::type_name::<M>();
    Body {
        name: name.rsplit("::").next().unwrap_or(name),
        key,
        versions,
        flexible,
        is_request,
        decode: |bytes, form| {
            let frame = Bytes::copy_from_slice(bytes);
            let mut input = decoder(&frame, form);
            M::decode(&mut input).map(|_| input.remaining())
        },
        read: |frame, form| M::decode(&mut decoder(frame, form)).map(|_| ()),
        measure: |frame, form| M::measure(&mut decoder(frame, form)),
        recode: |bytes, form| decode::<M>(bytes, form).map(|message| encode(&message, form)),
        debug: |bytes, form| decode::<M>(bytes, form).map(|message| format!("{message:?}")),
    }
}

fn decode<M: Wire>(bytes: &[u8], form: Form) -> Result<M, Malformed> {
    M::decode(&mut decoder(&Bytes::copy_from_slice(bytes), form))
}

fn decoder(frame: &Bytes, form: Form) -> Decoder<'_> {
    Decoder::new(frame, form.version, form.flexible)
}

/// The bytes of a value.
pub(crate) fn encode(value: &impl Wire, form: Form) -> Vec<u8> {
    let mut out = Encoder::new(form.version, form.flexible);
    value.encode(&mut out);
    joined(out.finish())
}

/// The bytes of chunks that are all in memory.
pub(crate) fn joined(chunks: Vec<Chunk>) -> Vec<u8> {
    let mut all = Vec::new();
    for chunk in chunks {
        match chunk {
            Chunk::Bytes(bytes) => all.extend_from_slice(&bytes),
            Chunk::File(_) => panic!("nothing here is in a file"),
        }
    }
    all
}
