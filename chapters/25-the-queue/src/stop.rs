//! Being asked to stop.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Completes for everyone who waits for it once SIGTERM or SIGINT has come. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Stop {
    asked: watch::Receiver<bool>,
}

impl Stop {
    /// Listens for the signals from now on. Must be called inside a tokio runtime.
    pub(crate) fn on_signals() -> io::Result<Stop> {
        let (tell, asked) = watch::channel(false);
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        tokio::spawn(async move {
            let name = tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "SIGINT",
            };
            tracing::info!("{name}: stopping; requests in progress are finished first");
            tell.send_replace(true);
        });
        Ok(Stop { asked })
    }

    /// Waits until the queue is asked to stop.
    pub(crate) async fn asked(mut self) {
        // An error says that the task above is gone, with the runtime: a stop too.
        let _ = self.asked.wait_for(|asked| *asked).await;
    }
}
