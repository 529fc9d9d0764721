//! Where the records of a task come from.

use std::future::poll_fn;
use std::task::{Context, Poll};

use tokio::sync::mpsc::Receiver;

use crate::element::{Barrier, END_OF_TIME, Element, Record};
use crate::error::Error;
use crate::part::{Alignment, Lane, LowestWatermark, Met, Progress};
use crate::snapshot::Snapshot;

/// What a task reads.
pub enum Event<T> {
    /// Records will come from a partition.
    Opened(u32),
    /// Records of a partition.
    Batch(u32, Vec<Record<T>>),
    /// Values of a partition of a source, whose times are not known yet.
    Values(u32, Vec<T>),
    /// No record will come from a partition.
    Ended(u32),
    /// Event time has come farther.
    Progress(Progress),
    /// A barrier has come in all channels.
    Barrier(Barrier),
    /// A source has no more records, and will have none.
    Exhausted,
}

/// Where the records of a subtask come from.
pub trait Input: Send {
    /// What comes.
    type Item: Send + 'static;

    /// The next event. May be dropped and called again: nothing is lost.
    ///
    /// # Errors
    /// When nothing can come any more.
    fn next(&mut self) -> impl Future<Output = Result<Event<Self::Item>, Error>> + Send;

    /// Notes where it is.
    fn snapshot(&self, snapshot: &mut Snapshot);
}

/// The receiving ends of the edges into a task, of one subtask.
pub struct Channels<T> {
    receivers: Vec<Receiver<Element<T>>>,
    alignment: Alignment,
    lowest: LowestWatermark,
    sent: Progress,
    /// How many channels have opened.
    opened: usize,
    /// The channel that is asked first.
    turn: usize,
    /// What comes after a channel has ended.
    then: Option<Progress>,
}

impl<T> Channels<T> {
    pub(crate) fn new(receivers: Vec<Receiver<Element<T>>>) -> Channels<T> {
        let mut lowest = LowestWatermark::default();
        for channel in 0..receivers.len() {
            lowest.set(number(channel), Lane::default());
        }
        Channels {
            alignment: Alignment::new(receivers.len()),
            receivers,
            lowest,
            sent: Progress::default(),
            opened: 0,
            turn: 0,
            then: None,
        }
    }

    /// The next element of a channel that is not blocked.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<(usize, Element<T>), Error>> {
        let count = self.receivers.len();
        for step in 0..count {
            let channel = (self.turn + step) % count;
            if self.alignment.is_blocked(channel) {
                continue;
            }
            if let Poll::Ready(element) = self.receivers[channel].poll_recv(context) {
                self.turn = (channel + 1) % count;
                let element = element.ok_or(Error::Neighbour)?;
                return Poll::Ready(Ok((channel, element)));
            }
        }
        Poll::Pending
    }

    fn progress(
        &mut self,
        channel: usize,
        Progress { watermark, idle }: Progress,
    ) -> Option<Event<T>> {
        self.lowest.set(number(channel), Lane { watermark, idle });
        let progress = self.lowest.progress();
        let moved = (progress != self.sent).then_some(progress);
        self.sent = progress;
        if watermark == Some(END_OF_TIME) {
            self.then = moved;
            return Some(Event::Ended(number(channel)));
        }
        moved.map(Event::Progress)
    }
}

fn number(channel: usize) -> u32 {
    u32::try_from(channel).unwrap_or(u32::MAX)
}

impl<T: Send + 'static> Input for Channels<T> {
    type Item = T;

    async fn next(&mut self) -> Result<Event<T>, Error> {
        if self.opened < self.receivers.len() {
            self.opened += 1;
            return Ok(Event::Opened(number(self.opened - 1)));
        }
        if let Some(progress) = self.then.take() {
            return Ok(Event::Progress(progress));
        }
        // ANCHOR: next
        loop {
            let (channel, element) = poll_fn(|context| self.poll(context)).await?;
            match element {
                Element::Batch(records) => return Ok(Event::Batch(number(channel), records)),
                Element::Progress(progress) => {
                    if let Some(event) = self.progress(channel, progress) {
                        return Ok(event);
                    }
                }
                Element::Barrier(barrier) => {
                    if self.alignment.barrier(channel, barrier.id) == Met::Complete {
                        return Ok(Event::Barrier(barrier));
                    }
                }
            }
        }
        // ANCHOR_END: next
    }

    fn snapshot(&self, _: &mut Snapshot) {}
}
