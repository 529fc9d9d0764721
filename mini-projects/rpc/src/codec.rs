//! How arguments and results become bytes.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bounded::{Bounded, Parts};

/// A type whose values travel: as arguments, results, errors or items.
///
/// One that does not is an error where the trait of the service names it:
///
/// ```compile_fail,E0277
/// struct Name(String);
///
/// #[rpc::service]
/// trait Greeter {
///     async fn greet(&self, name: Name) -> String;
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "values of `{Self}` cannot travel to another process",
    label = "not `Serialize + DeserializeOwned + Send + Sync + 'static`",
    note = "derive `serde::Serialize` and `serde::Deserialize`, and let the type borrow nothing"
)]
pub trait Travels: Serialize + DeserializeOwned + Send + Sync + 'static {}

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Travels for T {}

/// A value that a codec cannot encode, or bytes that it cannot decode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a value does not fit its codec")]
pub struct Unfit;

/// A way to write values as bytes.
///
/// A service names its codec, and every call says by [`ID`](Codec::ID) what its body is
/// written in.
pub trait Codec: 'static {
    /// What says on the wire that bytes are of this codec.
    const ID: u8;

    /// Puts `value` behind what is in `out`.
    ///
    /// # Errors
    /// If the codec has no form for such a value. What is in `out` is then of no use.
    fn encode<T: Serialize>(value: &T, out: &mut Vec<u8>) -> Result<(), Unfit>;

    /// Returns the value that is all of `bytes`.
    ///
    /// # Errors
    /// If they are no such value, or one with something behind it.
    fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Unfit>;

    /// Returns the value that is all of `bytes`, and about how many bytes of memory it takes.
    ///
    /// # Errors
    /// As [`decode`](Codec::decode).
    fn decode_sized<T: DeserializeOwned>(bytes: &[u8]) -> Result<(T, usize), Unfit> {
        Ok((Self::decode(bytes)?, bytes.len()))
    }
}

/// Compact: integers of variable length, no names. Both sides must have the same types.
///
/// Sequences of values that take no bytes, such as `()`, have at most 65,536 of them for sure.
#[derive(Debug, Clone, Copy)]
pub struct Postcard;

impl Codec for Postcard {
    // ANCHOR: postcard
    const ID: u8 = 1;

    fn encode<T: Serialize>(value: &T, out: &mut Vec<u8>) -> Result<(), Unfit> {
        let filled = std::mem::take(out);
        *out = postcard::to_extend(value, filled).map_err(|_| Unfit)?;
        Ok(())
    }

    fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Unfit> {
        Self::decode_sized(bytes).map(|(value, _)| value)
    }

    fn decode_sized<T: DeserializeOwned>(bytes: &[u8]) -> Result<(T, usize), Unfit> {
        let parts = Parts::of(bytes);
        let mut deserializer = postcard::Deserializer::from_bytes(bytes);
        let value = T::deserialize(Bounded(&mut deserializer, &parts)).map_err(|_| Unfit)?;
        let rest = deserializer.finalize().map_err(|_| Unfit)?;
        let sized = (value, parts.memory.get().max(bytes.len()));
        rest.is_empty().then_some(sized).ok_or(Unfit)
    }
    // ANCHOR_END: postcard
}

/// For people: to be read in a trace, and to be written by hand. Every service takes it.
#[derive(Debug, Clone, Copy)]
pub struct Json;

impl Codec for Json {
    const ID: u8 = 2;

    fn encode<T: Serialize>(value: &T, out: &mut Vec<u8>) -> Result<(), Unfit> {
        serde_json::to_writer(out, value).map_err(|_| Unfit)
    }

    fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Unfit> {
        Self::decode_sized(bytes).map(|(value, _)| value)
    }

    fn decode_sized<T: DeserializeOwned>(bytes: &[u8]) -> Result<(T, usize), Unfit> {
        let parts = Parts::of(bytes);
        let mut deserializer = serde_json::Deserializer::from_slice(bytes);
        let value = T::deserialize(Bounded(&mut deserializer, &parts)).map_err(|_| Unfit)?;
        deserializer.end().map_err(|_| Unfit)?;
        Ok((value, parts.memory.get().max(bytes.len())))
    }
}
