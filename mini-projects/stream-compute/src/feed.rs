//! From the log into the queue.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use message_model::{Moment, Offset, TokenBucket, TopicPartition};
use producer::{Delivery, Producer, Record};
use record_batch::Header;
use tokio::sync::watch;

use crate::access_log::Unparsable;
use crate::error::Error;
use crate::input::{Chunk, Input, Place, Source};
use crate::job::{Aside, Reason};
use crate::last_lines::LastLines;
use crate::line_count::lines_before;
use crate::line_header::{LINE_HEADER, LineHeader, Origin};
use crate::lines::{Line, LineSplitter};
use crate::queue::Queue;
use crate::settings::Settings;

/// How many lines are sent between two looks at the rate and at what is acknowledged.
const BATCH_LINES_MAX: u32 = 200;
/// How many lines may be on their way, without a rate.
const ON_THEIR_WAY_MAX: usize = 5_000;
/// How often a followed file is looked at when it does not grow.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// How much of the input the topic has at the end.
#[derive(Debug, Clone)]
pub(crate) struct Fed {
    /// How many lines there were, with those that were in the topic already.
    pub(crate) lines: u64,
    /// How many of them were too long to be sent.
    pub(crate) too_long: u64,
    /// How many bytes of a last, incomplete line were left out when the job was stopped.
    pub(crate) unsent_bytes: u64,
    /// Behind the last record of each partition.
    pub(crate) end: Vec<Offset>,
}

/// Sends lines in order, from the one behind the topic's last line on. The producer is
/// idempotent, so it stores no line twice. What a killed instance has left on its way may be
/// stored as well, later. Whatever is in the topic twice, all lines before it are in front of
/// both copies.
#[derive(Debug)]
pub(crate) struct Feeder<'a> {
    queue: &'a Queue,
    partitions: &'a [TopicPartition],
    producer: Producer,
    /// What is in the topic already.
    last: LastLines,
    source: &'a Source,
    /// At most so many lines a second.
    rate: Option<NonZeroU32>,
    /// End when a followed file has not grown for so long.
    idle_end: Option<Duration>,
}

impl<'a> Feeder<'a> {
    /// Returns a feeder of these partitions, which have these last lines.
    pub(crate) fn new(
        queue: &'a Queue,
        (partitions, last): (&'a [TopicPartition], LastLines),
        settings: &'a Settings,
    ) -> Feeder<'a> {
        let patience = queue.waiting.patience;
        let producer = producer::Settings {
            max_block: patience,
            delivery_timeout: patience,
            ..producer::Settings::idempotent()
        };
        Feeder {
            queue,
            partitions,
            producer: Producer::new(Arc::clone(&queue.client), producer),
            last,
            source: &settings.source,
            rate: settings.rate,
            idle_end: settings.idle_end,
        }
    }

    /// Sends all lines of `input` that are not in the topic, until its end or until `stop` says
    /// true. The whole lines that were read are sent in either case: the recount will find
    /// them in the file.
    ///
    /// # Errors
    /// Among others when the topic has lines that `input` has not.
    pub(crate) async fn feed(
        &self,
        input: &mut Input,
        mut stop: watch::Receiver<bool>,
    ) -> Result<Fed, Error> {
        let (mut progress, mut splitter) = self.begin(input).await?;
        loop {
            let chunk = tokio::select! {
                chunk = self.next(input, &mut progress) => chunk?,
                _ = stop.wait_for(|stop| *stop) => break,
            };
            let (lines, end) = match chunk {
                Chunk::Bytes(bytes) => {
                    progress.file = input.file();
                    (splitter.push(&bytes), false)
                }
                Chunk::Break | Chunk::Cut => (splitter.finish().into_iter().collect(), false),
                // The web server may yet write the rest of a line.
                Chunk::End if matches!(self.source, Source::Follow(_)) => (Vec::new(), true),
                Chunk::End => (splitter.finish().into_iter().collect(), true),
                Chunk::Nothing => continue,
            };
            self.send(&lines, &mut progress, &mut stop).await?;
            if end {
                break;
            }
        }
        self.settle(&mut progress, 0, true).await?;
        self.check_is_in(&progress)?;
        let mut end = Vec::new();
        for partition in self.partitions {
            end.push(self.queue.log_end(partition).await?);
        }
        Ok(Fed {
            lines: progress.lines,
            too_long: progress.too_long,
            unsent_bytes: splitter.pending_bytes(),
            end,
        })
    }

    /// Goes to the first line that the topic may not have, if it is known where that is.
    async fn begin(&self, input: &mut Input) -> Result<(Progress, LineSplitter), Error> {
        let now = self.queue.waiting.clock.now();
        let mut progress = Progress::new(now, self.limit(), self.last.known());
        let mut splitter = LineSplitter::default();
        if let Some((line, Origin { place, too_long })) = self.last.start() {
            let (number, path) = (line.header.number, self.source.path());
            match (input.go_to(place, &line.text).await?, self.source) {
                (true, source) => {
                    (progress.lines, progress.too_long) = (number - 1, too_long);
                    splitter = LineSplitter::behind(number - 1, place.at);
                    match source {
                        Source::Follow(_) => input.began_in(self.last.first()),
                        Source::Files(paths) => {
                            // The line may be in a copy of its file.
                            let file = input.file().unwrap_or(place.file);
                            check_before(paths, Place { file, ..place }, number - 1)?;
                        }
                        Source::Stdin => {}
                    }
                }
                (false, Source::Follow(_)) => {
                    return Err(Error::Rotated {
                        line: number,
                        path: path.to_owned(),
                    });
                }
                // All lines are compared, from the first one on.
                (false, Source::Files(_) | Source::Stdin) => {}
            }
        }
        Ok((progress, splitter))
    }

    /// The next chunk; waits a moment when there is nothing.
    async fn next(&self, input: &mut Input, progress: &mut Progress) -> Result<Chunk, Error> {
        let clock = self.queue.waiting.clock;
        let chunk = input.next().await?;
        let now = clock.now();
        let (report, path) = (&self.queue.waiting.report, self.source.path().display());
        if chunk == Chunk::Cut {
            report.line(format_args!(
                "input {path} was cut: lines that were not read before are lost; rotate it with create, not with copytruncate"
            ))?;
        }
        if let (Chunk::Break, Source::Follow(_)) = (&chunk, self.source) {
            if let Some(number) = input.gone() {
                report.line(format_args!(
                    "input {path} has no rotated file {number} any more: lines in it are lost; keep more files"
                ))?;
            }
            let next = input.path().display();
            report.line(format_args!("file {next} is read from now on"))?;
        }
        if chunk != Chunk::Nothing {
            progress.last_growth = now;
            return Ok(chunk);
        }
        self.settle(progress, 0, true).await?;
        self.check_is_in(progress)?;
        let idle = now.since(progress.last_growth);
        let is_idle = self.idle_end.is_some_and(|idle_end| idle >= idle_end);
        if is_idle && !input.has_next() {
            return Ok(Chunk::End);
        }
        clock.sleep_until(now.plus(LOOK_INTERVAL)).await;
        Ok(Chunk::Nothing)
    }

    /// Sends `lines` batch by batch, not faster than the rate unless it is told to stop.
    async fn send(
        &self,
        lines: &[Line],
        progress: &mut Progress,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<(), Error> {
        for batch in lines.chunks(self.batch_lines_max() as usize) {
            let mut sent = 0;
            for line in batch {
                sent += u32::from(self.send_line(line, progress).await?);
            }
            let on_their_way = self.rate.map_or(ON_THEIR_WAY_MAX, |_| 0);
            self.settle(progress, on_their_way, false).await?;
            tokio::select! {
                () = self.paid(progress, sent) => {}
                _ = stop.wait_for(|stop| *stop) => {}
            }
        }
        Ok(())
    }

    /// Sends a line if the topic does not have it; whether it was sent.
    async fn send_line(&self, line: &Line, progress: &mut Progress) -> Result<bool, Error> {
        progress.lines += 1;
        progress.too_long += u64::from(line.text.is_none());
        let partition = self.last.partition_of(line.number);
        let last = self.last.of(partition);
        if let Some(last) = last.filter(|last| line.number <= last.header.number) {
            let is_last = line.number == last.header.number;
            let is_other = is_last && line.text.as_ref() != Some(&last.text);
            return match is_other {
                true => Err(Error::OtherInput(line.number)),
                false => Ok(false),
            };
        }
        let Some(text) = &line.text else {
            self.queue.waiting.report.side(&Aside {
                line: line.number,
                reason: Reason::Unparsable(Unparsable::TooLong),
            })?;
            return Ok(false);
        };
        let partition = &self.partitions[partition];
        let origin = progress.file.map(|file| Origin {
            place: Place { file, at: line.at },
            too_long: progress.too_long,
        });
        let number = line.number;
        let header = LineHeader { number, origin }.to_string();
        // Its timestamp is now, and not the time in the line: a topic deletes what is a week old.
        let record = Record {
            partition: Some(partition.partition),
            headers: &[Header {
                key: LINE_HEADER,
                value: Some(header.as_bytes()),
            }],
            ..Record::of_value(text)
        };
        let sending = self.producer.send(&partition.topic, record);
        let delivery = self.queue.waiting.until("producer", sending).await?;
        progress.on_their_way.push_back((line.number, delivery));
        Ok(true)
    }

    /// Waits until all lines but so many are acknowledged, and says how many are: every 500
    /// lines, less often when there are many; with `now` whenever there is news.
    async fn settle(&self, progress: &mut Progress, but: usize, now: bool) -> Result<(), Error> {
        let waiting = &self.queue.waiting;
        while progress.on_their_way.len() > but
            && let Some((number, delivery)) = progress.on_their_way.front_mut()
        {
            // It stays there if this future is dropped.
            waiting.until("producer", delivery).await??;
            progress.acknowledged = *number;
            progress.on_their_way.pop_front();
        }
        if progress.on_their_way.is_empty() {
            // Lines that are too long are not waited for.
            progress.acknowledged = progress.acknowledged.max(progress.lines);
        }
        waiting.report.meters.fed(progress.too_long);
        let step = if progress.lines < 20_000 { 500 } else { 10_000 };
        let due = progress.reported + if now { 1 } else { step };
        if progress.acknowledged >= due && progress.lines >= self.last.known() {
            progress.reported = progress.acknowledged;
            waiting
                .report
                .line(format_args!("acknowledged {} lines", progress.reported))?;
        }
        Ok(())
    }

    /// The input must have come to the line that the topic had last.
    fn check_is_in(&self, progress: &Progress) -> Result<(), Error> {
        let highest = self.last.highest();
        match progress.lines < highest {
            true => Err(Error::OtherInput(highest)),
            false => Ok(()),
        }
    }

    /// Waits until `lines` that were sent are within the rate.
    // ANCHOR: paid
    async fn paid(&self, progress: &mut Progress, lines: u32) {
        let Some(limit) = &mut progress.limit else {
            return;
        };
        let clock = self.queue.waiting.clock;
        while !limit.try_take(clock.now(), lines) {
            let Some(ready) = limit.ready_at(lines) else {
                return;
            };
            clock.sleep_until(ready).await;
        }
    }
    // ANCHOR_END: paid

    /// Lines a second. After a pause, such as a queue that was away, three batches
    /// may follow each other at once (the third is waited for after it was sent), and
    /// no more: what was not sent in the pause is not made up for.
    fn limit(&self) -> Option<TokenBucket> {
        let now = self.queue.waiting.clock.now();
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

/// Of several files: before this place there must be as many lines as were counted. Else there are
/// more, in a file that has grown or that is new, and they would be skipped.
fn check_before(paths: &[PathBuf], place: Place, counted: u64) -> Result<(), Error> {
    if paths.len() == 1 {
        return Ok(());
    }
    let found = lines_before(paths, place)?;
    match found == counted {
        true => Ok(()),
        false => Err(Error::OtherFiles { counted, found }),
    }
}

/// What changes while lines are fed.
#[derive(Debug)]
struct Progress {
    /// What may be sent, if there is a rate.
    limit: Option<TokenBucket>,
    /// When the input last had something: a followed file may end when that is long ago.
    last_growth: Moment,
    /// Lines that are sent and not known to be acknowledged, with their numbers.
    on_their_way: VecDeque<(u64, Delivery)>,
    /// The inode of the file that was read last.
    file: Option<u64>,
    /// How many lines were read, with those that the topic had.
    lines: u64,
    too_long: u64,
    /// How many lines are safe in the queue.
    acknowledged: u64,
    /// The number of lines that was reported last.
    reported: u64,
}

impl Progress {
    fn new(now: Moment, limit: Option<TokenBucket>, known: u64) -> Progress {
        Progress {
            limit,
            last_growth: now,
            on_their_way: VecDeque::new(),
            file: None,
            lines: 0,
            too_long: 0,
            acknowledged: known,
            reported: 0,
        }
    }
}
