//! ApiVersions (18): the table of [`ApiKey`](crate::ApiKey), on the wire.

use crate::api::ApiKey;
use crate::error_code::ErrorCode;
use crate::schema::messages;

// ANCHOR: messages
messages! {
    /// Asks what the broker speaks. The first request on most connections.
    ApiVersionsRequest {
        /// The client library.
        client_software_name: String [3.., ignorable];
        client_software_version: String [3.., ignorable];
    }
    /// What the broker speaks.
    ApiVersionsResponse {
        /// [`ErrorCode::UNSUPPORTED_VERSION`] if the request's own version is not served.
        error_code: ErrorCode;
        /// The rows of the table.
        api_keys: Vec<ApiVersion>;
        /// Always 0: we do not throttle.
        throttle_time_ms: i32 [1.., ignorable];
    }
    /// A row of an [`ApiVersionsResponse`].
    ApiVersion {
        api_key: i16;
        min_version: i16;
        max_version: i16;
    }
}
// ANCHOR_END: messages

impl ApiVersionsResponse {
    /// The whole table.
    #[must_use]
    pub fn of_all() -> ApiVersionsResponse {
        ApiVersionsResponse {
            api_keys: ApiKey::ALL.iter().copied().map(ApiVersion::of).collect(),
            ..ApiVersionsResponse::default()
        }
    }

    /// Answers an ApiVersions request of a version that is not served; always
    /// encoded as version 0. The only row is that of ApiVersions itself, from
    /// which the client picks the version for its next try.
    #[must_use]
    pub fn of_unknown_version() -> ApiVersionsResponse {
        ApiVersionsResponse {
            error_code: ErrorCode::UNSUPPORTED_VERSION,
            api_keys: vec![ApiVersion::of(ApiKey::ApiVersions)],
            ..ApiVersionsResponse::default()
        }
    }
}

impl ApiVersion {
    /// The row of `api`: what we advertise, which may be more than we serve.
    #[must_use]
    pub fn of(api: ApiKey) -> ApiVersion {
        let advertised = api.advertised();
        ApiVersion {
            api_key: api as i16,
            min_version: *advertised.start(),
            max_version: *advertised.end(),
        }
    }
}
