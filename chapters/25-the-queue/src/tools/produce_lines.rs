//! Lines become records, and each outcome is counted.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context as Polling, Poll, Waker};

use anyhow::{Error, Result, anyhow, bail};
use message_model::{Offset, TopicPartition};
use producer::{Delivered, Delivery, Producer, Record};
use tokio::sync::mpsc;

use super::PATIENCE;

/// The longest line, in bytes: what `message.max.bytes` allows by default, less a batch's header.
pub(super) const LINE_MAX: usize = 1_048_000;

/// A line of stdin.
pub(super) struct Line {
    pub(super) bytes: Vec<u8>,
    /// Another one arrived together with it, and follows at once.
    pub(super) more: bool,
}

/// Why a record was not acknowledged.
fn why(error: &producer::Error, bootstrap: &str) -> Error {
    use producer::Error::{Expired, NoRoom};
    match error {
        Expired { .. } | NoRoom => {
            let seconds = PATIENCE.as_secs();
            anyhow!("the queue at {bootstrap} did not acknowledge them within {seconds} s")
        }
        error => Error::new(error.clone()),
    }
}

/// Lines on their way to a partition, and what became of those before them.
pub(super) struct Sending {
    pub(super) producer: Producer,
    to: TopicPartition,
    key_separator: Option<String>,
    /// Of the records that are not counted yet, in their order.
    deliveries: VecDeque<Delivery>,
    outcomes: Outcomes,
}

/// How the records ended that are counted.
#[derive(Default)]
struct Outcomes {
    acknowledged: i64,
    /// Of those, the offsets of the first and of the last.
    first: Option<Offset>,
    last: Option<Offset>,
    /// Of some the queue has not said where they are.
    is_silent: bool,
    /// How many may be in the queue, and how many are not.
    in_doubt: i64,
    refused: i64,
    /// Why the first one was not acknowledged.
    error: Option<producer::Error>,
}

impl Sending {
    pub(super) fn new(
        producer: Producer,
        to: TopicPartition,
        key_separator: Option<String>,
    ) -> Sending {
        Sending {
            producer,
            to,
            key_separator,
            deliveries: VecDeque::new(),
            outcomes: Outcomes::default(),
        }
    }

    /// Sends each line, until there are no more of them and all are acknowledged, or one
    /// was not, which is counted. Lines that arrive together share a batch.
    ///
    /// # Errors
    /// When stdin cannot be read, or a line is too long.
    pub(super) async fn send_all(
        &mut self,
        lines: &mut mpsc::Receiver<io::Result<Line>>,
    ) -> Result<()> {
        while let Some(first) = lines.recv().await {
            let mut next = Some(first);
            while let Some(line) = next.transpose()? {
                self.send(&line.bytes).await?;
                if self.outcomes.error.is_some() {
                    return Ok(());
                }
                next = if line.more {
                    lines.recv().await
                } else {
                    lines.try_recv().ok()
                };
            }
            self.producer.flush().await;
            self.count_outcomes();
            if self.outcomes.error.is_some() {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn send(&mut self, line: &[u8]) -> Result<()> {
        if line.len() > LINE_MAX {
            bail!("a line is longer than {LINE_MAX} bytes; nothing of it was sent");
        }
        let (key, value) = split(line, self.key_separator.as_deref());
        let record = Record {
            partition: Some(self.to.partition),
            key,
            value: Some(value),
            ..Record::default()
        };
        let delivery = self.producer.send(&self.to.topic, record).await;
        self.deliveries.push_back(delivery);
        self.count_outcomes();
        Ok(())
    }

    /// Counts the records that have their outcome, from the oldest one on.
    pub(super) fn count_outcomes(&mut self) {
        let mut polling = Polling::from_waker(Waker::noop());
        while let Some(oldest) = self.deliveries.front_mut() {
            match Future::poll(Pin::new(oldest), &mut polling) {
                Poll::Ready(outcome) => self.outcomes.count(outcome),
                Poll::Pending => return,
            }
            self.deliveries.pop_front();
        }
    }

    /// Says where the records are.
    ///
    /// # Errors
    /// When `ended` is one, or a record was not acknowledged. The error says how many were.
    pub(super) fn report(&self, ended: Result<()>, bootstrap: &str) -> Result<()> {
        if let Err(why) = ended {
            return Err(why.context(self.outcomes.so_far()));
        }
        if let Some(error) = &self.outcomes.error {
            return Err(why(error, bootstrap).context(self.outcomes.so_far()));
        }
        eprintln!("{}", self.outcomes.where_they_are(&self.to));
        Ok(())
    }
}

impl Outcomes {
    fn count(&mut self, outcome: Result<Delivered, producer::Error>) {
        use producer::Error::{Closed, Expired};
        let error = match outcome {
            Ok(delivered) => {
                self.acknowledged += 1;
                self.first = self.first.or(delivered.offset);
                self.last = delivered.offset.or(self.last);
                self.is_silent |= delivered.offset.is_none();
                return;
            }
            Err(error) => error,
        };
        let is_in_doubt = match &error {
            Expired { may_be_in_log } => *may_be_in_log,
            // It was closed before there was an answer.
            Closed => true,
            _ => false,
        };
        if is_in_doubt {
            self.in_doubt += 1;
        } else {
            self.refused += 1;
        }
        self.error.get_or_insert(error);
    }

    /// When all are acknowledged.
    fn where_they_are(&self, to: &TopicPartition) -> String {
        let count = self.acknowledged;
        let places = self.first.zip(self.last).filter(|_| !self.is_silent);
        match (count, places) {
            (0, _) => "no lines, no records".to_owned(),
            (1, None) => format!("1 record is in {to}"),
            (1, Some((first, _))) => format!("1 record is in {to} at offset {first}"),
            (_, None) => format!("{count} records are in {to}"),
            (_, Some((first, last))) if last.plus(1).since(first) == count => {
                format!("{count} records are in {to} at offsets {first} to {last}")
            }
            (_, Some((first, last))) => format!(
                "{count} records are in {to} between offsets {first} and {last}; others are \
                 there too"
            ),
        }
    }

    fn so_far(&self) -> String {
        let plural = if self.acknowledged == 1 { "" } else { "s" };
        let mut text = format!("after {} acknowledged record{plural}", self.acknowledged);
        if self.in_doubt > 0 {
            text += &format!(
                "; whether the next {} are in the queue is unknown",
                self.in_doubt
            );
        }
        if self.refused > 0 {
            text += &format!("; {} are not in the queue", self.refused);
        }
        text
    }
}

fn split<'a>(line: &'a [u8], separator: Option<&str>) -> (Option<&'a [u8]>, &'a [u8]) {
    let Some(separator) = separator.map(str::as_bytes) else {
        return (None, line);
    };
    match line
        .windows(separator.len())
        .position(|window| window == separator)
    {
        Some(at) => (Some(&line[..at]), &line[at + separator.len()..]),
        None => (None, line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use message_model::{PartitionIndex, TopicName};

    fn where_they_are(offsets: &[Option<i64>]) -> String {
        let mut outcomes = Outcomes::default();
        for offset in offsets {
            outcomes.count(Ok(Delivered {
                partition: PartitionIndex(0),
                offset: offset.map(Offset),
            }));
        }
        outcomes.where_they_are(&TopicPartition {
            topic: TopicName::new("t").unwrap(),
            partition: PartitionIndex(0),
        })
    }

    /// A record may be acknowledged without its offset, if a later batch has proved that it
    /// is in the log.
    #[test]
    fn what_is_acknowledged_is_counted_with_its_offset_and_without() {
        assert_eq!(where_they_are(&[]), "no lines, no records");
        assert_eq!(where_they_are(&[Some(7)]), "1 record is in t-0 at offset 7");
        assert_eq!(where_they_are(&[None]), "1 record is in t-0");
        let both = "2 records are in t-0 at offsets 7 to 8";
        assert_eq!(where_they_are(&[Some(7), Some(8)]), both);
        assert_eq!(where_they_are(&[None, Some(8)]), "2 records are in t-0");
        let apart = "2 records are in t-0 between offsets 7 and 9; others are there too";
        assert_eq!(where_they_are(&[Some(7), Some(9)]), apart);
    }
}
