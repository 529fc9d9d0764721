//! How arguments and results become bytes.

use std::cell::Cell;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bounded::Bounded;

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
}

/// A value may have so many parts for each of its bytes, and so many more. A part is an
/// element, a field or an entry; some take no byte.
const PARTS_A_BYTE: usize = 16;
const PARTS_MIN: usize = 64 * 1024;

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
        let parts = Cell::new(bytes.len().saturating_mul(PARTS_A_BYTE) + PARTS_MIN);
        let mut deserializer = postcard::Deserializer::from_bytes(bytes);
        let value = T::deserialize(Bounded(&mut deserializer, &parts)).map_err(|_| Unfit)?;
        let rest = deserializer.finalize().map_err(|_| Unfit)?;
        rest.is_empty().then_some(value).ok_or(Unfit)
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
        serde_json::from_slice(bytes).map_err(|_| Unfit)
    }
}
