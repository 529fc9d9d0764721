//! ApiVersions (18): the table of [`ApiKey`](crate::ApiKey), on the wire.

use crate::error_code::ErrorCode;
use crate::schema::messages;

messages! {
    /// Asks what the broker speaks. The first request on most connections.
    ApiVersionsRequest {
        /// The client library.
        client_software_name: String [3..];
        /// Its version.
        client_software_version: String [3..];
    }
    /// What the broker speaks.
    ApiVersionsResponse {
        /// [`ErrorCode::UNSUPPORTED_VERSION`] if the request's own version is not served.
        error_code: ErrorCode [0..];
        /// The rows.
        api_keys: Vec<ApiVersion> [0..];
        /// Always 0: we do not throttle.
        throttle_time_ms: i32 [1..];
    }
    /// A row of an [`ApiVersionsResponse`].
    ApiVersion {
        /// The API.
        api_key: i16 [0..];
        /// Its lowest version.
        min_version: i16 [0..];
        /// Its highest version.
        max_version: i16 [0..];
    }
}
