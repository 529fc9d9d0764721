//! ApiVersions (18): versions 0 to 3.

use wire_protocol::message::ApiVersionsResponse;

/// What we say that we speak: the served versions and the canaries.
#[must_use]
pub fn api_versions() -> ApiVersionsResponse {
    todo!()
}

/// The answer to a version that we do not know, to be encoded as version 0: the
/// client finds our versions of ApiVersions in it, and asks again.
#[must_use]
pub fn unsupported_api_versions() -> ApiVersionsResponse {
    todo!()
}
