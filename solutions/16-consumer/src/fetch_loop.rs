//! Fetching ahead of the application.

use std::time::Duration;

use crate::fetch_buffer::{FetchBuffer, Fetched, Want};

/// Asks one broker again and again for what `buffer` wants of it, and puts the answers
/// into the buffer, until the buffer is closed. While nothing is wanted it waits for a
/// change of the buffer.
///
/// `fetch` sends one request. It returns an answer for each want that has one; none while
/// the broker waits for new records. `None` says that the broker could not be asked: then
/// the loop waits for `pause` before it asks again. `fetch` is not dropped before it has
/// returned, except when the buffer is closed.
pub async fn fetch_loop<P, R, F, Fut>(
    buffer: &FetchBuffer<P, R>,
    node: i32,
    pause: Duration,
    mut fetch: F,
) where
    P: Ord + Clone,
    F: FnMut(Vec<Want<P>>) -> Fut,
    Fut: Future<Output = Option<Vec<Fetched<P, R>>>>,
{
    // task 16.4: fetch ahead, within the bound
    let mut changes = buffer.changes();
    let serve = async {
        loop {
            changes.mark_unchanged();
            let wants = buffer.wants(node);
            if wants.is_empty() {
                if changes.changed().await.is_err() {
                    return;
                }
                continue;
            }
            match fetch(wants).await {
                Some(fetched) => buffer.put(fetched),
                None => tokio::time::sleep(pause).await,
            }
        }
    };
    tokio::select! {
        biased;
        () = closed(buffer) => {}
        () = serve => {}
    }
    // end
}

/// Returns when `buffer` is closed.
async fn closed<P: Ord + Clone, R>(buffer: &FetchBuffer<P, R>) {
    let mut changes = buffer.changes();
    loop {
        changes.mark_unchanged();
        if buffer.is_closed() || changes.changed().await.is_err() {
            return;
        }
    }
}
