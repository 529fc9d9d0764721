//! The table of what we serve, and what ApiVersions says of it.

use bytes::Bytes;
use wire_protocol::message::{ApiVersionsRequest, ApiVersionsResponse};
use wire_protocol::{
    ApiKey, CANARIES, ErrorCode, Support, decode_response, encode_response,
    encode_unknown_api_versions,
};

use crate::bodies::{self, Body, joined};

#[test]
fn every_number_has_one_answer() {
    for key in -1..=100 {
        let api = ApiKey::from_wire(key);
        assert_eq!(api.map(|api| api as i16), api.is_some().then_some(key));
        for version in -1..=20 {
            let asked = Support::from_wire(key, version);
            let Some(api) = api else {
                assert_eq!(asked, Support::UnknownApi);
                continue;
            };
            let expected = if api.versions().contains(&version) {
                Support::Served(api)
            } else if api.advertised().contains(&version) {
                Support::Canary(api)
            } else {
                Support::UnknownVersion(api)
            };
            assert_eq!(asked, expected, "{api:?} {version}");
            assert_eq!(api.serves(version), asked == Support::Served(api));
            assert_eq!(api.is_canary(version), asked == Support::Canary(api));
        }
    }
}

#[test]
fn what_is_served_is_declared() {
    for api in ApiKey::ALL {
        let of_api = |body: &Body| body.key == *api as i16;
        let bodies: Vec<Body> = bodies::all().into_iter().filter(of_api).collect();
        assert_eq!(bodies.len(), 2, "{api:?}");
        for body in bodies {
            let (first, last) = body.versions;
            let (advertised, flexible) = (api.advertised(), api.flexible_since());
            assert!(
                first <= *advertised.start() && *advertised.end() <= last,
                "{api:?}"
            );
            assert_eq!(flexible, body.flexible, "{api:?}");
        }
    }
}

#[test]
fn canaries_lie_below_what_is_served() {
    for canary in CANARIES {
        assert!(canary.from < *canary.api.versions().start());
        assert!(!canary.reason.is_empty());
    }
    let canaries = |api: ApiKey| (0..20).filter(move |version| api.is_canary(*version));
    assert_eq!(canaries(ApiKey::Produce).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(canaries(ApiKey::Fetch).count(), 0);
}

#[test]
fn librdkafka_finds_the_versions_that_it_looks_for() {
    // From the feature map of librdkafka before 2.11.1: API and exact version.
    let wanted = [
        (ApiKey::Produce, 0),
        (ApiKey::Produce, 3),
        (ApiKey::Produce, 7),
        (ApiKey::Fetch, 4),
        (ApiKey::Fetch, 10),
        (ApiKey::ListOffsets, 1),
        (ApiKey::FindCoordinator, 0),
        (ApiKey::InitProducerId, 0),
    ];
    for (api, version) in wanted {
        assert!(api.advertised().contains(&version), "{api:?} {version}");
    }
}

#[test]
fn api_versions_says_the_whole_table() {
    let rows = ApiVersionsResponse::of_all();
    for version in ApiKey::ApiVersions.versions() {
        let frame = Bytes::from(joined(encode_response(
            ApiKey::ApiVersions,
            version,
            7,
            &rows,
        )));
        let response = decode_response::<ApiVersionsRequest>(&frame.slice(4..), version).unwrap();
        assert_eq!(response.error_code, ErrorCode::NONE);
        let said: Vec<_> = response
            .api_keys
            .iter()
            .map(|row| (row.api_key, row.min_version..=row.max_version))
            .collect();
        let table: Vec<_> = ApiKey::ALL
            .iter()
            .map(|api| (*api as i16, api.advertised()))
            .collect();
        assert_eq!(said, table);
    }
}

#[test]
fn an_unknown_version_of_api_versions_is_answered_in_version_0() {
    let frame = joined(encode_unknown_api_versions(0x0102_0304));
    let expected = [
        &[0, 0, 0, 16][..],   // length
        &[1, 2, 3, 4],        // correlation id, and no tagged fields behind it
        &[0, 35],             // UNSUPPORTED_VERSION
        &[0, 0, 0, 1],        // one row
        &[0, 18, 0, 0, 0, 3], // ApiVersions 0 to 3; version 0 has no throttle time
    ];
    assert_eq!(frame, expected.concat());
}
