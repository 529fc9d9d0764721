//! Names for members that have none yet.

use std::hash::{BuildHasher as _, RandomState};

use crate::part::MemberId;

/// How much of a name that a client has chosen goes into a member id, in bytes: a member id
/// must be short enough to be stored.
const NAME_MAX: usize = 1_024;

/// Returns a member id that nobody has had: `name`, which is the instance id of a static
/// member and else the client id, and 128 random bits in the form of a UUID.
pub(crate) fn fresh(name: &str) -> MemberId {
    let random = |salt: u8| RandomState::new().hash_one(salt);
    let (high, low) = (random(0), random(1));
    let name = &name[..name.floor_char_boundary(NAME_MAX)];
    MemberId::new(&format!(
        "{name}-{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        0x8000 | (low >> 48) & 0x3fff,
        low & 0xffff_ffff_ffff
    ))
}
