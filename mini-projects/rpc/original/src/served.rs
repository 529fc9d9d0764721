//! The server's end of a connection.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use networking::{PREFIX_SIZE, RequestLimits, RequestReader, Requests as _, Share};
use rpc::{
    CallId, Codec as _, Error, Json, Server, ServerSettings, Side, Target, name_id, whole_millis,
};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, split};
use tokio::time::timeout;

use crate::frame::{
    Answer, Call, Failure, NO_PROVIDER, UNKNOWN_ERROR, answer_frame, behind_length, get_call,
};
use crate::lengths::Lengths;

/// Answers the calls of one connection with the methods of `server`, until the client closes
/// the connection. A call may take `patience`, since the original sends no deadline. Calls run
/// at the same time, and no call waits for a slower one.
///
/// The interface `com.example.Greeter` is the service `Greeter`. Its methods take one text.
/// What is no text in the result is returned as JSON, and so is an error of the method.
///
/// Frames and answers take their bytes from the server's budget, and a frame is read as
/// [`RequestReader`] says.
///
/// # Errors
/// If the connection breaks, the client is silent for [`ServerSettings::idle`], stops within a
/// frame or takes no answer for [`ServerSettings::progress`], or what it sends is no frame.
pub async fn serve(
    stream: impl AsyncRead + AsyncWrite + Send,
    server: &Arc<Server>,
    settings: &ServerSettings,
    patience: Duration,
) -> io::Result<()> {
    let (incoming, mut outgoing) = split(stream);
    let limits = RequestLimits {
        frame_bytes_max: settings.frame_bytes_max.saturating_sub(PREFIX_SIZE),
        progress: settings.progress,
        budget: server.budget().clone(),
    };
    let mut requests = RequestReader::new(Lengths::new(incoming), limits);
    let mut running = FuturesUnordered::new();
    loop {
        let next = requests.next(settings.idle);
        tokio::select! {
            frame = next, if running.len() < settings.running_max => {
                let Some(frame) = frame.map_err(io::Error::other)? else {
                    return Ok(());
                };
                let call = behind_length(frame.payload)?;
                running.push(answered(server, call, frame.share, patience));
            }
            Some((frame, _share)) = running.next() => {
                timeout(settings.progress, outgoing.write_all(&frame)).await??;
            }
        }
    }
}

/// Returns the frame of the answer, and what it holds until it is written.
async fn answered(
    server: &Arc<Server>,
    (id, rest): (i32, Bytes),
    mut share: Share,
    patience: Duration,
) -> (Vec<u8>, Share) {
    let answer = match get_call(rest) {
        Some(call) => {
            // The server counts the arguments of calls that run.
            share.shrink_to(0);
            run(server, &call, patience).await
        }
        None => Err(failure(Error::BadRequest)),
    };
    let frame = answer_frame(id, &answer);
    share.grow(frame.len());
    (frame, share)
}

async fn run(server: &Arc<Server>, call: &Call, patience: Duration) -> Answer {
    let service = call.interface.rsplit('.').next().unwrap_or_default();
    let target = Target {
        service: name_id(service),
        method: name_id(&call.method),
        codec: Json::ID,
    };
    let mut arguments = Vec::new();
    let encoded = Json::encode(&(&call.argument,), &mut arguments);
    encoded.map_err(|_| failure(Error::BadRequest))?;
    let call = rpc::Call {
        // Its answer is sent here, so the session needs no id of it.
        id: CallId::ONE_WAY,
        patience_ms: whole_millis(patience),
        credit: 0,
        target,
        // The original sends none.
        trace: 0,
    };
    let ending = server.answer(&call, &arguments).await;
    let (side, body) = ending.map_err(failure)?;
    let text = Json::decode(&body).unwrap_or_else(|_| String::from_utf8_lossy(&body).into_owned());
    match side {
        Side::Value => Ok(text),
        Side::Error => Err(Failure {
            code: UNKNOWN_ERROR,
            message: text,
        }),
    }
}

fn failure(error: Error) -> Failure {
    let code = match error {
        Error::NoProvider => NO_PROVIDER,
        _ => UNKNOWN_ERROR,
    };
    Failure {
        code,
        message: error.to_string(),
    }
}
