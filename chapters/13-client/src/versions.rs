//! Which version of an API a request is sent in.

use std::ops::RangeInclusive;

use wire_protocol::ApiKey;
use wire_protocol::message::ApiVersion;

/// The versions that can carry what this client's requests say. A version that lacks
/// a field which the request sets cannot be sent.
fn spoken(api: ApiKey) -> RangeInclusive<i16> {
    let known = api.versions();
    let (from, to) = match api as i16 {
        // Metadata: whether topics may be created, and how to ask about none.
        3 => (4, i16::MAX),
        // OffsetFetch: one group, in the fields that later versions have no more.
        9 => (1, 7),
        // FindCoordinator: one key, in the field that later versions have no more.
        10 => (0, 3),
        // LeaveGroup: members with instance ids.
        13 => (3, i16::MAX),
        _ => (0, i16::MAX),
    };
    from.max(*known.start())..=to.min(*known.end())
}

/// The highest version that both sides speak.
pub(crate) fn highest_common(api: ApiKey, served: &[ApiVersion]) -> Option<i16> {
    let row = served.iter().find(|row| row.api_key == api as i16)?;
    let ours = spoken(api);
    let highest = (*ours.end()).min(row.max_version);
    (ours.contains(&highest) && highest >= row.min_version).then_some(highest)
}
