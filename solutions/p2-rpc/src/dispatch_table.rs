//! Which method a call is for.

use std::collections::BTreeMap;

use crate::error::Error;
use crate::message::Target;

/// Two names have one id, so calls could not tell one from the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` and `{1}` have the same id")]
pub struct Duplicate(pub &'static str, pub &'static str);

/// The methods of a server, by what calls say about them. By default there are none.
#[derive(Debug)]
pub struct DispatchTable<H> {
    /// With the names of service and method that the ids were made of.
    methods: BTreeMap<Target, (&'static str, &'static str, H)>,
}

impl<H> DispatchTable<H> {
    /// Adds the method `name` of `service`, for bodies of the codec with the type id `codec`.
    ///
    /// # Errors
    /// If another service, another method of the service, or the very same method is there
    /// with the same id; its name comes first. The table then stays as it was.
    pub fn add(
        &mut self,
        service: &'static str,
        name: &'static str,
        codec: u8,
        method: H,
    ) -> Result<(), Duplicate> {
        // task p2.1: no two methods that a call could not tell apart
        let target = Target {
            service: name_id(service),
            method: name_id(name),
            codec,
        };
        for (there, (its_service, its_name, _)) in &self.methods {
            let is_service = there.service == target.service;
            if is_service && *its_service != service {
                return Err(Duplicate(its_service, service));
            }
            let is_method = is_service && there.method == target.method;
            if *there == target || (is_method && *its_name != name) {
                return Err(Duplicate(its_name, name));
            }
        }
        self.methods.insert(target, (service, name, method));
        Ok(())
        // end
    }

    /// Returns the method that a call is for.
    ///
    /// # Errors
    /// [`Error::NoProvider`] without the service, [`Error::NoMethod`] without the method,
    /// [`Error::BadRequest`] if the method takes no bodies of this codec.
    pub fn find(&self, target: Target) -> Result<&H, Error> {
        // task p2.1: the method that a call is for, or what is missing
        if let Some((_, _, method)) = self.methods.get(&target) {
            return Ok(method);
        }
        let is_service = |there: &&Target| there.service == target.service;
        let mut of_service = self.methods.keys().filter(is_service).peekable();
        of_service.peek().ok_or(Error::NoProvider)?;
        match of_service.any(|there| there.method == target.method) {
            true => Err(Error::BadRequest),
            false => Err(Error::NoMethod),
        }
        // end
    }
}

impl<H> Default for DispatchTable<H> {
    fn default() -> DispatchTable<H> {
        DispatchTable {
            methods: BTreeMap::new(),
        }
    }
}

/// Returns the id of a service or a method, which travels instead of its name: FNV-1a.
#[must_use]
pub const fn name_id(name: &str) -> u32 {
    let bytes = name.as_bytes();
    let mut hash = 0x811c_9dc5_u32;
    let mut index = 0;
    while index < bytes.len() {
        hash = (hash ^ bytes[index] as u32).wrapping_mul(0x0100_0193);
        index += 1;
    }
    hash
}
