//! A sink of lines: a terminal, a pipe, a file that is not read before the job has ended.

use std::fmt::Display;
use std::io::{self, Write};
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

use crate::element::Record;
use crate::error::Cause;
use crate::sink::{Sink, Writer};
use crate::snapshot::Subtask;

/// Writes a line for each record, at once. A line cannot be taken back, so a job that begins
/// again from a checkpoint shows some lines again.
pub struct TextSink<T, W> {
    out: Arc<Mutex<W>>,
    shown: PhantomData<fn(T)>,
}

impl<T, W> std::fmt::Debug for TextSink<T, W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TextSink")
    }
}

impl<T, W: Write> TextSink<T, W> {
    /// Lines go to `out`.
    pub fn new(out: W) -> TextSink<T, W> {
        TextSink {
            out: Arc::new(Mutex::new(out)),
            shown: PhantomData,
        }
    }
}

impl<T: Display + Send + 'static, W: Write + Send + 'static> Sink for TextSink<T, W> {
    type Item = T;
    type Writer = TextWriter<T, W>;

    fn open(&self, _: Subtask) -> Result<TextWriter<T, W>, Cause> {
        Ok(TextWriter {
            out: Arc::clone(&self.out),
            lines: Vec::new(),
            shown: PhantomData,
        })
    }
}

/// Writes lines; those of one call stay together, whatever other subtasks write.
#[derive(Debug)]
pub struct TextWriter<T, W> {
    out: Arc<Mutex<W>>,
    lines: Vec<u8>,
    shown: PhantomData<fn(T)>,
}

impl<T: Display + Send + 'static, W: Write + Send + 'static> Writer for TextWriter<T, W> {
    type Item = T;
    type Prepared = ();

    async fn write(&mut self, records: &mut Vec<Record<T>>) -> Result<(), Cause> {
        self.lines.clear();
        for record in records.drain(..) {
            writeln!(self.lines, "{}", record.value)?;
        }
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        out.write_all(&self.lines)?;
        Ok(())
    }

    async fn prepare(&mut self, _: u64) -> Result<(), Cause> {
        self.flush()?;
        Ok(())
    }

    async fn commit(&mut self, (): ()) -> Result<(), Cause> {
        Ok(())
    }
}

impl<T, W: Write> TextWriter<T, W> {
    fn flush(&self) -> io::Result<()> {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        out.flush()
    }
}
