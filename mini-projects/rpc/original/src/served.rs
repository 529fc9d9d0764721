//! The server's end of a connection.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use rpc::{
    CallId, Codec as _, Error, Json, Server, ServerSettings, Side, Target, name_id, whole_millis,
};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, split};
use tokio::time::timeout;

use crate::caller::next_frame;
use crate::frame::{Answer, Call, Failure, NO_PROVIDER, UNKNOWN_ERROR, answer_frame, get_call};

/// Answers the calls of one connection with the methods of `server`, until the client closes
/// the connection. A call may take `patience`, since the original sends no deadline. Calls run
/// at the same time, and no call waits for a slower one.
///
/// The interface `com.example.Greeter` is the service `Greeter`. Its methods take one text.
/// What is no text in the result is returned as JSON, and so is an error of the method.
///
/// # Errors
/// If the connection breaks, the client is silent for [`ServerSettings::idle`] or takes no
/// answer for [`ServerSettings::progress`], or what it sends is no frame.
pub async fn serve(
    stream: impl AsyncRead + AsyncWrite,
    server: &Arc<Server>,
    settings: &ServerSettings,
    patience: Duration,
) -> io::Result<()> {
    let (incoming, mut outgoing) = split(stream);
    let mut incoming = std::pin::pin!(incoming);
    let mut buffer = BytesMut::new();
    let mut running = FuturesUnordered::new();
    let max = i32::try_from(settings.frame_bytes_max).unwrap_or(i32::MAX);
    loop {
        let next = next_frame(&mut incoming, &mut buffer, max);
        tokio::select! {
            frame = timeout(settings.idle, next), if running.len() < settings.running_max => {
                match frame?? {
                    Some((id, rest)) => running.push(answered(server, id, rest, patience)),
                    None => return Ok(()),
                }
            }
            Some(frame) = running.next() => {
                timeout(settings.progress, outgoing.write_all(&frame)).await??;
            }
        }
    }
}

async fn answered(server: &Arc<Server>, id: i32, rest: Bytes, patience: Duration) -> Vec<u8> {
    let answer = match get_call(rest) {
        Some(call) => run(server, &call, patience).await,
        None => Err(failure(Error::BadRequest)),
    };
    answer_frame(id, &answer)
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
