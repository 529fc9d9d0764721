//! The other crate's messages, in the order of `bodies::all`.

use std::ops::RangeInclusive;

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::{
    ApiVersionsRequest, ApiVersionsResponse, CreateTopicsRequest, CreateTopicsResponse,
    DeleteTopicsRequest, DeleteTopicsResponse, DescribeConfigsRequest, DescribeConfigsResponse,
    FetchRequest, FetchResponse, FindCoordinatorRequest, FindCoordinatorResponse,
    InitProducerIdRequest, InitProducerIdResponse, ListOffsetsRequest, ListOffsetsResponse,
    MetadataRequest, MetadataResponse, ProduceRequest, ProduceResponse,
};
use kafka_protocol::protocol::{Decodable, Encodable, Message};

/// A message of theirs.
pub(crate) struct Theirs {
    /// Its type.
    pub(crate) name: &'static str,
    /// The versions that it has.
    pub(crate) versions: RangeInclusive<i16>,
    /// Decodes, encodes again, and prints.
    pub(crate) recode: fn(&[u8], i16) -> (Vec<u8>, String),
}

/// All that we have too.
pub(crate) fn all() -> Vec<Theirs> {
    macro_rules! messages {
        ($($name:ident),*) => { vec![$( theirs::<$name>(stringify!($name)), )*] };
    }
    messages!(
        ProduceRequest,
        ProduceResponse,
        FetchRequest,
        FetchResponse,
        ListOffsetsRequest,
        ListOffsetsResponse,
        MetadataRequest,
        MetadataResponse,
        FindCoordinatorRequest,
        FindCoordinatorResponse,
        ApiVersionsRequest,
        ApiVersionsResponse,
        CreateTopicsRequest,
        CreateTopicsResponse,
        DeleteTopicsRequest,
        DeleteTopicsResponse,
        InitProducerIdRequest,
        InitProducerIdResponse,
        DescribeConfigsRequest,
        DescribeConfigsResponse
    )
}

fn theirs<M: Message + Encodable + Decodable + std::fmt::Debug>(name: &'static str) -> Theirs {
    Theirs {
        name,
        versions: M::VERSIONS.min..=M::VERSIONS.max,
        recode: |bytes, version| {
            let mut rest = Bytes::copy_from_slice(bytes);
            let message = M::decode(&mut rest, version).expect("they decode what we encoded");
            assert!(rest.is_empty(), "they have read all of it: {message:?}");
            let mut again = BytesMut::new();
            message
                .encode(&mut again, version)
                .expect("they encode it again");
            (again.to_vec(), format!("{message:?}"))
        },
    }
}
