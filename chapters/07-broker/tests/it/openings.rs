//! Openings of compressed batches that take their time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use compression::{close_batch, open_batch};
use record_batch::{BatchHeader, Codec, OpenError, Opening};
use wire_protocol::ErrorCode;

use crate::stalls::{others_are_served, soon, spawn, two_topics};
use crate::support::{batch, until};

/// The codecs of chapter 12.
pub(crate) const OPENING: Opening = Opening {
    open: open_or_wait,
    size_max: 100_000,
};

/// A batch with this in it is opened only when [`RELEASED`] says so.
const SLOW: &str = "takes its time";
static STARTED: AtomicUsize = AtomicUsize::new(0);
static RELEASED: (Mutex<bool>, Condvar) = (Mutex::new(false), Condvar::new());

fn open_or_wait(header: &BatchHeader, batch: &[u8], limit: usize) -> Result<Vec<u8>, OpenError> {
    let open = open_batch(header, batch, limit)?;
    if open
        .windows(SLOW.len())
        .any(|bytes| bytes == SLOW.as_bytes())
    {
        STARTED.fetch_add(1, Ordering::SeqCst);
        let (released, woken) = &RELEASED;
        let patience = Duration::from_secs(20);
        let waited = woken.wait_timeout_while(released.lock().unwrap(), patience, |done| !*done);
        assert!(!waited.unwrap().1.timed_out(), "nobody released it");
    }
    Ok(open)
}

/// On a runtime of one thread: an opening runs elsewhere, and holds up its own request only.
#[tokio::test]
async fn an_opening_holds_up_nobody_else() {
    let broker = two_topics().await;
    let slow = close_batch(&batch(&[SLOW]), Codec::Zstd);
    let producing = {
        let broker = broker.clone();
        spawn(async move { broker.produce(1, "t", slow).await.error_code })
    };
    until("the opening has begun", || {
        STARTED.load(Ordering::SeqCst) > 0
    })
    .await;
    others_are_served(&broker).await;
    let plain = soon(
        "an append to its partition",
        broker.produce(1, "t", batch(&["b"])),
    )
    .await;
    assert_eq!(plain.error_code, ErrorCode::NONE);
    let other = close_batch(&batch(&["quick"]), Codec::Zstd);
    let other = soon("another opening", broker.produce(1, "other", other)).await;
    assert_eq!(other.error_code, ErrorCode::NONE);
    *RELEASED.0.lock().unwrap() = true;
    RELEASED.1.notify_all();
    assert_eq!(soon("its end", producing).await.unwrap(), ErrorCode::NONE);
}
