//! The frames of the original, as bytes.
//!
//! # On the wire
//! All integers are big-endian and signed, all text is UTF-8. The first length counts itself,
//! the others do not.
//!
//! ```text
//! request  length i32 | type i32 = 0 | version i32 = 1 | id i32 | payload
//! answer   length i32 | type i32 = 0 | version i32 = 1 | id i32
//!          | code i32 | length i32, error | payload
//!
//! payload of a request    101 | length i32, interface | length i32, method
//!                         | length i32, argument
//! argument, and payload   0 | text
//! of a good answer
//! ```

use bytes::{Buf as _, Bytes, BytesMut};

/// The type of a frame that calls a method, and of its answer.
const RPC_REQUEST: i32 = 0;
/// What a client of the original sends.
const VERSION: i32 = 1;
/// The type byte in front of what names a method and its argument.
const CALL: u8 = 101;
/// The type byte in front of a text.
const TEXT: char = '\0';
/// Length, type, version and id, in bytes.
const HEADER: i32 = 16;
/// The code of an answer with a result.
const SUCCESS: i32 = 0;
/// The code of an answer to a call of an interface that the server does not have.
pub const NO_PROVIDER: i32 = -2;
/// The code of an answer to a call that failed in any other way.
pub const UNKNOWN_ERROR: i32 = -1;

/// A call of a method with one text as its argument. The original has no other methods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The interface's full name, such as `com.github.liyue2008.rpc.hello.HelloService`.
    pub interface: String,
    /// The method's name.
    pub method: String,
    /// The method's argument.
    pub argument: String,
}

/// What a method returned, or why it did not.
pub type Answer = Result<String, Failure>;

/// Why a method did not return.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// [`NO_PROVIDER`] or [`UNKNOWN_ERROR`]; not 0.
    pub code: i32,
    /// For people; empty where the original has an exception without a message.
    pub message: String,
}

/// Bytes that are no frame of the original, or one that is too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the peer does not speak the protocol of the original")]
pub struct Malformed;

/// Takes the first frame out of `buffer`, and returns its id and what is behind the id;
/// `None`: the frame is not there as a whole.
///
/// # Errors
/// If the frame is longer than `max` or shorter than its header, as soon as its length is
/// there. If it is of another type or version.
// ANCHOR: take-frame
pub fn take_frame(buffer: &mut BytesMut, max: i32) -> Result<Option<(i32, Bytes)>, Malformed> {
    let Some(length) = buffer.first_chunk() else {
        return Ok(None);
    };
    let length = i32::from_be_bytes(*length);
    if !(HEADER..=max).contains(&length) {
        return Err(Malformed);
    }
    let length = usize::try_from(length).map_err(|_| Malformed)?;
    if buffer.len() < length {
        return Ok(None);
    }
    let mut frame = buffer.split_to(length).freeze();
    frame.advance(size_of::<i32>());
    match (frame.get_i32(), frame.get_i32(), frame.get_i32()) {
        (RPC_REQUEST, VERSION, id) => Ok(Some((id, frame))),
        _ => Err(Malformed),
    }
}
// ANCHOR_END: take-frame

/// Returns the id of a frame whose length was taken off, and what is behind the id.
///
/// # Errors
/// If the frame is shorter than its header, or of another type or version.
pub(crate) fn behind_length(mut frame: Bytes) -> Result<(i32, Bytes), Malformed> {
    match (
        frame.try_get_i32(),
        frame.try_get_i32(),
        frame.try_get_i32(),
    ) {
        (Ok(RPC_REQUEST), Ok(VERSION), Ok(id)) => Ok((id, frame)),
        _ => Err(Malformed),
    }
}

/// Returns a whole frame that makes the call `id`.
#[must_use]
pub fn call_frame(id: i32, call: &Call) -> Vec<u8> {
    let argument = format!("{TEXT}{}", call.argument);
    let fields = [&call.interface, &call.method, &argument].map(|field| sized(field));
    framed(id, &[&[CALL], &*fields.concat()].concat())
}

/// Returns the call that is behind the id of a frame; `None`: there is none.
#[must_use]
pub fn get_call(mut rest: Bytes) -> Option<Call> {
    let is_call = rest.try_get_u8().ok()? == CALL;
    let call = Call {
        interface: get_sized(&mut rest)?,
        method: get_sized(&mut rest)?,
        argument: typed(&get_sized(&mut rest)?)?,
    };
    (is_call && rest.is_empty()).then_some(call)
}

/// Returns a whole frame that answers the call `id`.
#[must_use]
pub fn answer_frame(id: i32, answer: &Answer) -> Vec<u8> {
    let (code, message, result) = match answer {
        Ok(result) => (SUCCESS, "", format!("{TEXT}{result}")),
        Err(failure) => (failure.code, &*failure.message, String::new()),
    };
    let code = code.to_be_bytes();
    framed(id, &[&code, &*sized(message), result.as_bytes()].concat())
}

/// Returns the answer that is behind the id of a frame; `None`: there is none.
#[must_use]
pub fn get_answer(mut rest: Bytes) -> Option<Answer> {
    let code = rest.try_get_i32().ok()?;
    let message = get_sized(&mut rest)?;
    Some(match code {
        SUCCESS => Ok(typed(str::from_utf8(&rest).ok()?)?),
        code => Err(Failure { code, message }),
    })
}

fn framed(id: i32, payload: &[u8]) -> Vec<u8> {
    let header = [HEADER + length(payload), RPC_REQUEST, VERSION, id];
    [header.map(i32::to_be_bytes).as_flattened(), payload].concat()
}

fn sized(text: &str) -> Vec<u8> {
    [&length(text.as_bytes()).to_be_bytes(), text.as_bytes()].concat()
}

fn length(bytes: &[u8]) -> i32 {
    i32::try_from(bytes.len()).expect("texts are bounded far below 2 GiB")
}

fn get_sized(rest: &mut Bytes) -> Option<String> {
    let length = usize::try_from(rest.try_get_i32().ok()?).ok()?;
    let text = (length <= rest.len()).then(|| rest.split_to(length))?;
    Some(str::from_utf8(&text).ok()?.to_owned())
}

fn typed(text: &str) -> Option<String> {
    text.strip_prefix(TEXT).map(str::to_owned)
}
