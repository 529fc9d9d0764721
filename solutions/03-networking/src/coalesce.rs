//! Many small messages, few writes.

use std::io;

use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;

/// Writes every message of `queue` to `writer`, in order, until all senders are gone.
///
/// It waits for one message, then takes along whatever else is queued by then,
/// up to about `batch_bytes`, and hands it all over in one write.
///
/// # Errors
/// When the writer fails. What was queued is lost with the connection.
pub async fn write_coalesced<W: AsyncWrite + Unpin>(
    queue: &mut mpsc::Receiver<Vec<u8>>,
    writer: &mut W,
    batch_bytes: usize,
) -> io::Result<()> {
    // task 3.3: one write for all that has queued up, none that waits for more
    let mut batch = Vec::new();
    while let Some(first) = queue.recv().await {
        batch.clear();
        batch.extend_from_slice(&first);
        while batch.len() < batch_bytes {
            let Ok(next) = queue.try_recv() else { break };
            batch.extend_from_slice(&next);
        }
        writer.write_all(&batch).await?;
        writer.flush().await?;
    }
    Ok(())
    // end
}
