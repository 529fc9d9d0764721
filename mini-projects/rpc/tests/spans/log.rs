//! What a program writes of the spans that have closed.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::format::FmtSpan;

/// What was written to it.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

/// A span, as it is written.
#[derive(Debug)]
pub(crate) struct Span {
    pub(crate) name: String,
    pub(crate) trace: String,
    pub(crate) method: String,
}

impl Log {
    /// Returns what this thread writes until the guard is dropped.
    pub(crate) fn begin() -> (Log, DefaultGuard) {
        let log = Log::default();
        let written = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::DEBUG)
            .with_span_events(FmtSpan::CLOSE)
            .with_ansi(false)
            .with_writer(move || written.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    /// Takes out the spans of calls.
    pub(crate) fn spans(&self) -> Vec<Span> {
        let written = std::mem::take(&mut *self.0.lock().unwrap());
        let text = String::from_utf8(written).unwrap();
        let closed = text.lines().filter(|line| line.contains(": close "));
        closed.map(span).collect()
    }
}

/// Returns the span that `line` is about: its last one, for those in front are around it.
fn span(line: &str) -> Span {
    let spans = &line[..line.rfind('}').unwrap()];
    let (around, fields) = spans.rsplit_once('{').unwrap();
    let field = |name: &str| {
        let value = fields.split_once(&format!("{name}=")).unwrap().1;
        value
            .split(' ')
            .next()
            .unwrap()
            .trim_matches('"')
            .to_owned()
    };
    Span {
        name: around.rsplit([' ', ':']).next().unwrap().to_owned(),
        trace: field("trace"),
        method: field("method"),
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut lines = self.0.lock().map_err(|_| io::ErrorKind::Other)?;
        lines.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
