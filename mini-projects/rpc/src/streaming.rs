//! The items of a stream, at the caller's end.

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::codec::{Codec, Travels, Unfit};
use crate::connection::InFlight;
use crate::part::{Error, Side};
use crate::transport::Outcome;

/// What the caller of a stream waits for.
#[derive(Debug)]
pub(crate) enum Event {
    Item(Bytes),
    End(Outcome),
}

/// The encoded items of a stream that runs. When it is dropped, the stream is stopped on the
/// server.
#[derive(Debug)]
pub struct Items {
    pub(crate) events: mpsc::Receiver<Event>,
    pub(crate) call: InFlight,
}

/// The items that a method sends one after the other.
///
/// The server is at most
/// [`stream_window`](crate::ClientSettings::stream_window) items ahead of the caller. When
/// this is dropped, the method is stopped.
#[derive(Debug)]
pub struct Streaming<T> {
    /// `None`: the stream has ended.
    items: Option<Items>,
    decode: fn(&[u8]) -> Result<T, Unfit>,
}

impl<T: Travels> Streaming<T> {
    pub(crate) fn new<C: Codec>(items: Items) -> Streaming<T> {
        Streaming {
            items: Some(items),
            decode: C::decode,
        }
    }

    /// Returns the next item; `None` when the stream has ended as it should. May be dropped
    /// while it waits.
    ///
    /// # Errors
    /// See [`Error`]. After an error the stream has ended.
    pub async fn next(&mut self) -> Option<Result<T, Error>> {
        let items = self.items.as_mut()?;
        let error = match items.events.recv().await {
            Some(Event::Item(item)) => {
                items.call.taken();
                match (self.decode)(&item) {
                    Ok(item) => return Some(Ok(item)),
                    Err(Unfit) => Error::BadReply,
                }
            }
            Some(Event::End(Ok((Side::Value, _)))) => {
                self.items = None;
                return None;
            }
            Some(Event::End(Ok((Side::Error, _)))) => Error::BadReply,
            Some(Event::End(Err(error))) => error,
            None => Error::Closed,
        };
        self.items = None;
        Some(Err(error))
    }
}
