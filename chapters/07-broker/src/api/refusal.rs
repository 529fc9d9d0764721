//! Why something is not done for a client, with words.

use std::borrow::Cow;

use wire_protocol::ErrorCode;

use crate::error::{Error, error_code};

/// How much of a name and of a reason goes into the log, in characters.
const LOGGED: usize = 200;

/// The code that a client gets, and what it is about in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: ErrorCode,
    pub(super) reason: Cow<'static, str>,
}

impl Refusal {
    pub(super) fn new(code: ErrorCode, reason: impl Into<Cow<'static, str>>) -> Refusal {
        let reason = reason.into();
        Refusal { code, reason }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Refusal {
        Refusal::new(error_code(&error), error.to_string())
    }
}

/// Code and reason for the answer. Logs what came of `action`: `name` and the
/// reason quoted and cut, for they may hold whatever the client sent.
pub(super) fn answer_and_log(
    action: &str,
    name: &str,
    done: Result<(), Refusal>,
) -> (ErrorCode, Option<String>) {
    let cut = |text: &str| text.chars().take(LOGGED).collect::<String>();
    let name = cut(name);
    match done {
        Ok(()) => {
            tracing::info!("{action} {name:?}: done");
            (ErrorCode::NONE, None)
        }
        Err(Refusal { code, reason }) => {
            tracing::info!("{action} {name:?}: refused: {:?}", cut(&reason));
            (code, Some(reason.into_owned()))
        }
    }
}
