//! Requests that unmodified clients sent, as they were recorded.

use std::path::Path;

use bytes::Bytes;
use wire_protocol::message::ApiVersionsRequest;
use wire_protocol::{ApiKey, Form, RequestHeader, Support, encode_request};

use crate::bodies;

/// The payload of a recorded frame, header and body.
fn recorded(name: &str) -> Bytes {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/fuzz_request");
    let payload = std::fs::read(folder.join(name)).expect("the recording is at its place");
    payload.into()
}

/// Reads the whole request, and writes it again as it was.
fn survives(name: &str, api: ApiKey, version: i16) {
    let payload = recorded(name);
    let (header, body) = RequestHeader::decode(&payload).expect("the header can be read");
    assert_eq!(header.support(), Support::Served(api), "{name}");
    assert_eq!(header.api_version, version, "{name}");
    let form = Form {
        version,
        flexible: api.is_flexible(version),
    };
    let bytes = &payload[payload.len() - body.remaining()..];
    let request = bodies::all()
        .into_iter()
        .find(|body| body.is_request && body.key == api as i16)
        .expect("every API has a request");
    assert_eq!(
        (request.decode)(bytes, form),
        Ok(0),
        "{name}: all of it is read"
    );
    assert_eq!(
        (request.recode)(bytes, form).as_deref(),
        Ok(bytes),
        "{name}"
    );
}

#[test]
fn what_kcat_sends() {
    survives("kcat-1.7.1-api-versions-3", ApiKey::ApiVersions, 3);
    survives("kcat-1.7.1-metadata-4-no-topics", ApiKey::Metadata, 4);
    survives("kcat-1.7.1-metadata-4-all-topics", ApiKey::Metadata, 4);
    survives("kcat-1.7.1-produce-7", ApiKey::Produce, 7);
    survives("kcat-1.7.1-list-offsets-2", ApiKey::ListOffsets, 2);
    survives("kcat-1.7.1-fetch-11", ApiKey::Fetch, 11);
}

#[test]
fn what_kafka_python_sends() {
    let name = |rest: &str| format!("kafka-python-3.0.12-{rest}");
    survives(&name("api-versions-3"), ApiKey::ApiVersions, 3);
    survives(&name("metadata-4"), ApiKey::Metadata, 4);
    survives(&name("create-topics-3"), ApiKey::CreateTopics, 3);
    survives(&name("describe-configs-1"), ApiKey::DescribeConfigs, 1);
    survives(&name("init-producer-id-1"), ApiKey::InitProducerId, 1);
    survives(&name("produce-7"), ApiKey::Produce, 7);
    survives(&name("fetch-11"), ApiKey::Fetch, 11);
    survives(&name("list-offsets-2"), ApiKey::ListOffsets, 2);
    survives(&name("delete-topics-1"), ApiKey::DeleteTopics, 1);
}

#[test]
fn kafka_python_begins_with_a_version_that_we_do_not_know() {
    let payload = recorded("kafka-python-3.0.12-api-versions-4");
    let (header, body) = RequestHeader::decode(&payload).expect("8 bytes are enough");
    assert_eq!(
        header.support(),
        Support::UnknownVersion(ApiKey::ApiVersions)
    );
    assert_eq!(body.remaining(), payload.len() - 8);
}

/// The request that the example `04-hex-dump` and the page show.
#[test]
fn kcat_opens_a_connection_as_the_page_says() {
    let request = ApiVersionsRequest {
        client_software_name: "librdkafka".to_owned(),
        client_software_version: "2.0.2".to_owned(),
    };
    let ours = encode_request(&request, 3, 1, "rdkafka");
    assert_eq!(ours, recorded("kcat-1.7.1-api-versions-3"));
}

/// Written by hand from Kafka's schemas, for the versions of which no recording is here.
#[test]
fn what_older_clients_send() {
    survives("metadata-0-all-topics", ApiKey::Metadata, 0);
    survives("metadata-1-no-topics", ApiKey::Metadata, 1);
    survives("produce-3", ApiKey::Produce, 3);
    survives("fetch-4", ApiKey::Fetch, 4);
    survives("fetch-9", ApiKey::Fetch, 9);
    survives("list-offsets-1", ApiKey::ListOffsets, 1);
    survives("create-topics-4", ApiKey::CreateTopics, 4);
    survives("describe-configs-3", ApiKey::DescribeConfigs, 3);
}

/// Requests of the flexible versions that another codec wrote, for the exchanges of `interop`.
#[test]
fn what_another_codec_writes() {
    let name = |rest: &str| format!("kafka-protocol-0.18-{rest}");
    survives(&name("produce-9"), ApiKey::Produce, 9);
    survives(&name("fetch-12"), ApiKey::Fetch, 12);
    survives(&name("list-offsets-9"), ApiKey::ListOffsets, 9);
    survives(&name("metadata-9"), ApiKey::Metadata, 9);
    survives(&name("find-coordinator-4"), ApiKey::FindCoordinator, 4);
    survives(&name("create-topics-5"), ApiKey::CreateTopics, 5);
    survives(&name("init-producer-id-4"), ApiKey::InitProducerId, 4);
    survives(&name("describe-configs-4"), ApiKey::DescribeConfigs, 4);
    survives(
        &name("offset-for-leader-epoch-4"),
        ApiKey::OffsetForLeaderEpoch,
        4,
    );
    survives(&name("elect-leaders-2"), ApiKey::ElectLeaders, 2);
    survives(
        &name("list-partition-reassignments-0"),
        ApiKey::ListPartitionReassignments,
        0,
    );
    survives(&name("describe-cluster-1"), ApiKey::DescribeCluster, 1);
}
