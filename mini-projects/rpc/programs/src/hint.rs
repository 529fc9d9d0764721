//! What to do about a call that has no reply.

use rpc::Error;

/// Returns what to do about an error that does not say it itself; it goes behind the error.
#[must_use]
pub fn hint(error: Error) -> &'static str {
    match error {
        Error::BadRequest => {
            ": it takes other ones (give an array with one element for each argument), or \
             it returns a stream (give --stream)"
        }
        Error::DeadlinePassed => {
            ": the method may have run (give more --patience if it takes longer)"
        }
        Error::Closed => {
            ": the method may have run (the server's output may say why; if this happens \
             again, is it another version, or no RPC server at all?)"
        }
        Error::Unreachable => {
            ": nothing was sent (does the server run, is this its address, and is it an \
             RPC server of this version?)"
        }
        Error::BadReply => {
            ": the method has run (is the server of the same version, and returns what is \
             expected?)"
        }
        Error::Overloaded | Error::Stopping => ": nothing was done, call again a little later",
        Error::Panicked => ": the server's output says why",
        _ => "",
    }
}
