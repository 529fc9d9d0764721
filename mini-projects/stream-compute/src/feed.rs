//! From the log into the queue.

use std::num::NonZeroU32;
use std::time::Duration;

use async_model::Clock;
use message_model::{Moment, Offset, TokenBucket, TopicPartition};
use record_batch::{BatchBuilder, Header, RecordToSend};
use tokio::sync::watch;

use crate::access_log::Unparsable;
use crate::error::Error;
use crate::input::{Chunk, Input};
use crate::lines::{Line, LineSplitter};
use crate::queue::Queue;
use crate::report::Report;

/// The record header that says which line of the input a record is: decimal digits.
pub(crate) const LINE_HEADER: &str = "line";

/// A batch is sent when it has this many lines …
const BATCH_LINES_MAX: u32 = 200;
/// … or this many bytes; `max.message.bytes` is 1 MiB.
const BATCH_BYTES_MAX: usize = 512 * 1024;
/// How often a followed file is looked at when it does not grow.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// What was fed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fed {
    /// How many lines there were.
    pub(crate) lines: u64,
    /// How many of them were too long to be sent.
    pub(crate) too_long: u64,
    /// How many batches were sent again.
    pub(crate) resends: u64,
    /// How many bytes of a last, incomplete line were left out when the job was stopped.
    pub(crate) unsent_bytes: u64,
    /// Behind the last record.
    pub(crate) end: Offset,
}

/// Sends lines in order, one batch at a time: the next one only when the one
/// before is acknowledged. So whatever is in the topic twice, its second copy
/// comes after the first, and all lines up to it have been there before.
#[derive(Debug)]
pub(crate) struct Feeder<'a> {
    pub(crate) queue: &'a Queue<'a>,
    pub(crate) topic: &'a TopicPartition,
    pub(crate) report: &'a Report,
    pub(crate) clock: Clock,
    /// At most so many lines a second.
    pub(crate) rate: Option<NonZeroU32>,
    /// End when a followed file has not grown for so long.
    pub(crate) idle_end: Option<Duration>,
}

impl Feeder<'_> {
    /// Sends all lines of `input`, until its end or until `stop` says true. The whole
    /// lines that were read are sent in either case: the recount will find them in the file.
    pub(crate) async fn feed(
        &self,
        input: &mut Input,
        mut stop: watch::Receiver<bool>,
    ) -> Result<Fed, Error> {
        let mut progress = Progress::new(self.clock.now(), self.limit());
        let mut splitter = LineSplitter::default();
        loop {
            let chunk = tokio::select! {
                chunk = self.next(input, &mut progress) => chunk?,
                _ = stop.wait_for(|stop| *stop) => break,
            };
            let (lines, end) = match chunk {
                Chunk::Bytes(bytes) => (splitter.push(&bytes), false),
                Chunk::Break => (splitter.finish().into_iter().collect(), false),
                Chunk::End => (splitter.finish().into_iter().collect(), true),
                Chunk::Nothing => continue,
            };
            self.send(&lines, &mut progress, &mut stop).await?;
            if end {
                break;
            }
        }
        progress.acknowledged(self.report, true)?;
        Ok(Fed {
            lines: progress.lines,
            too_long: progress.too_long,
            resends: progress.resends,
            unsent_bytes: splitter.pending_bytes(),
            end: self.queue.log_end(self.topic).await?,
        })
    }

    /// The next chunk; waits a moment when there is nothing.
    async fn next(&self, input: &mut Input, progress: &mut Progress) -> Result<Chunk, Error> {
        let chunk = input.next().await?;
        let now = self.clock.now();
        if chunk != Chunk::Nothing {
            progress.last_growth = now;
            return Ok(chunk);
        }
        progress.acknowledged(self.report, true)?;
        let idle = now.since(progress.last_growth);
        if self.idle_end.is_some_and(|idle_end| idle >= idle_end) {
            return Ok(Chunk::End);
        }
        self.clock.sleep_until(now.plus(LOOK_INTERVAL)).await;
        Ok(Chunk::Nothing)
    }

    /// Sends `lines` batch by batch, not faster than the rate unless it is told to stop.
    async fn send(
        &self,
        lines: &[Line],
        progress: &mut Progress,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<(), Error> {
        let mut rest = lines;
        while !rest.is_empty() {
            let (batch, sent) = self.next_batch(rest, progress)?;
            if let Some(batch) = batch {
                progress.resends += self.queue.produce(self.topic, &batch).await?;
            }
            progress.lines += u64::from(sent);
            rest = rest.get(sent as usize..).unwrap_or_default();
            progress.acknowledged(self.report, false)?;
            tokio::select! {
                () = self.paid(progress, sent) => {}
                _ = stop.wait_for(|stop| *stop) => {}
            }
        }
        Ok(())
    }

    /// A batch of the first lines, if any of them can be sent, and how many lines that are.
    fn next_batch(
        &self,
        lines: &[Line],
        progress: &mut Progress,
    ) -> Result<(Option<Vec<u8>>, u32), Error> {
        let mut batch = BatchBuilder::new();
        let mut taken = 0;
        let mut is_empty = true;
        for line in lines {
            if taken == self.batch_lines_max() || batch.size() > BATCH_BYTES_MAX {
                break;
            }
            taken += 1;
            match &line.text {
                Some(text) => {
                    let number = line.number.to_string();
                    batch.push(&RecordToSend {
                        // Not the time in the line: a topic deletes what is a week old.
                        timestamp: self.clock.wall(),
                        key: None,
                        value: Some(text),
                        headers: vec![Header {
                            key: LINE_HEADER,
                            value: Some(number.as_bytes()),
                        }],
                    });
                    is_empty = false;
                }
                None => {
                    self.report.side(line.number, &Unparsable::TooLong)?;
                    progress.too_long += 1;
                }
            }
        }
        Ok(((!is_empty).then(|| batch.build()), taken))
    }

    /// Waits until `lines` that were sent are within the rate.
    // ANCHOR: paid
    async fn paid(&self, progress: &mut Progress, lines: u32) {
        let Some(limit) = &mut progress.limit else {
            return;
        };
        while !limit.try_take(self.clock.now(), lines) {
            let Some(ready) = limit.ready_at(lines) else {
                return;
            };
            self.clock.sleep_until(ready).await;
        }
    }
    // ANCHOR_END: paid

    /// Lines a second. After a pause, such as a queue that was away, three batches
    /// may follow each other at once (the third is waited for after it was sent), and
    /// no more: what was not sent in the pause is not made up for.
    fn limit(&self) -> Option<TokenBucket> {
        let now = self.clock.now();
        let capacity = 2 * self.batch_lines_max();
        self.rate.map(|rate| TokenBucket::new(now, rate, capacity))
    }

    /// With a rate, about ten batches a second, so that lines flow and do not gush.
    fn batch_lines_max(&self) -> u32 {
        self.rate.map_or(BATCH_LINES_MAX, |rate| {
            (rate.get() / 10).clamp(1, BATCH_LINES_MAX)
        })
    }
}

/// How far the feeding has come.
#[derive(Debug)]
struct Progress {
    /// What may be sent, if there is a rate.
    limit: Option<TokenBucket>,
    /// When the input last had something.
    last_growth: Moment,
    lines: u64,
    too_long: u64,
    resends: u64,
    /// The number of lines that was reported last.
    reported: u64,
}

impl Progress {
    fn new(now: Moment, limit: Option<TokenBucket>) -> Progress {
        Progress {
            limit,
            last_growth: now,
            lines: 0,
            too_long: 0,
            resends: 0,
            reported: 0,
        }
    }

    /// Says how many lines are acknowledged: every 500 lines, less often when there
    /// are many; with `now` whenever there is news.
    fn acknowledged(&mut self, report: &Report, now: bool) -> Result<(), Error> {
        let step = if self.lines < 20_000 { 500 } else { 10_000 };
        let due = if now {
            self.reported + 1
        } else {
            self.reported + step
        };
        if self.lines >= due {
            report.line(format_args!("acknowledged {} lines", self.lines))?;
            self.reported = self.lines;
        }
        Ok(())
    }
}
