//! Many small messages, few writes.

use std::io;

use bytes::Buf;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;

use crate::gathered::Gathered;

/// Writes every message of `queue` to `writer`, in order, until all senders are gone.
///
/// It waits for one message, takes along what else is queued by then until it
/// has `batch_bytes` or more, and hands it all over in one write, followed by a
/// flush. It never waits for company: a lone message leaves at once.
///
/// # Errors
/// When the writer fails. What was queued is lost with the connection.
pub async fn write_coalesced<W: AsyncWrite + Unpin>(
    queue: &mut mpsc::Receiver<Gathered>,
    writer: &mut W,
    batch_bytes: usize,
) -> io::Result<()> {
    // task 3.3: write in one go all that has queued up
    while let Some(first) = queue.recv().await {
        let mut batch = first;
        while batch.remaining() < batch_bytes {
            let Ok(next) = queue.try_recv() else { break };
            batch.push(next);
        }
        writer.write_all_buf(&mut batch).await?;
        writer.flush().await?;
    }
    Ok(())
    // end
}
