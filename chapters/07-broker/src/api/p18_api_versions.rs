//! ApiVersions (18): versions 0 to 3. A version that we do not know is answered
//! by the request loop, which cannot decode it.

use wire_protocol::message::ApiVersionsResponse;

/// What we say that we speak: the served versions and the canaries.
#[must_use]
pub fn api_versions() -> ApiVersionsResponse {
    ApiVersionsResponse::of_all()
}
