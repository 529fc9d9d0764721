//! What the keeper does, after the machine has decided.

use std::time::Duration;

use client::{ConsumedRecord, FetchLimits, Target};
use futures_util::future::try_join_all;
use message_model::{Offset, PartitionIndex, Timestamp, TopicName};
use producer::Record;
use record_batch::Header;

use crate::error::Error;
use crate::existing::exists;
use crate::group::only_partition;
use crate::keeper::Keeper;
use crate::part::{Decision, Effect, Op, Ruling};
use crate::record::{
    HALF_HEADER, ID_HEADER, TOPIC_HEADER, headers_without, text, topic_of, write_op,
};

/// About how much is fetched with a half message.
const FETCH_BYTES: u32 = 64 * 1024;

impl Keeper {
    /// Carries out effects of several half messages side by side: first all that must be on
    /// disk before something else, then the rest.
    // ANCHOR: all
    pub(crate) async fn carry_out_all(
        &mut self,
        now: Timestamp,
        effects: &[Effect],
        report: &mut impl FnMut(Offset, Decision, Ruling),
    ) -> Result<(), Error> {
        for effect in effects {
            if let Effect::Report(half, decision, ruling) = effect {
                report(*half, *decision, *ruling);
            }
        }
        for comes_first in [true, false] {
            let phase = effects.iter().filter(|one| first(one) == comes_first);
            let written = try_join_all(phase.map(|effect| self.written(now, effect))).await?;
            self.op_written(written.into_iter().flatten().max());
        }
        Ok(())
    }
    // ANCHOR_END: all

    /// Carries out one effect; it is on disk when this returns. A report is the caller's.
    ///
    /// # Errors
    /// When it is not known to be on disk, or the half message is gone.
    pub async fn carry_out(&mut self, now: Timestamp, effect: &Effect) -> Result<(), Error> {
        let written = self.written(now, effect).await?;
        self.op_written(written);
        Ok(())
    }

    /// Carries out an effect, and returns the offset behind its op record, if it is one.
    async fn written(&self, now: Timestamp, effect: &Effect) -> Result<Option<Offset>, Error> {
        match *effect {
            Effect::Copy(half) => self.copy(half).await?,
            Effect::SetAside(half) => self.pass_on(half, &self.group.set_aside).await?,
            Effect::Ask(half) => self.pass_on(half, &self.group.checks).await?,
            Effect::Mark(half, op) => return self.mark(now, half, op).await,
            Effect::Report(..) => {}
        }
        Ok(None)
    }

    /// Makes a half message visible. If its topic is gone, or refuses it for good, it is set
    /// aside: others must not wait for it.
    async fn copy(&self, half: Offset) -> Result<(), Error> {
        let record = self.fetch(half).await?;
        let topic = topic_of(&record).ok_or(Error::Deleted(half))?;
        if !exists(&self.client, &topic).await? {
            return self.pass_on(half, &self.group.set_aside).await;
        }
        let headers = headers_without(&record, TOPIC_HEADER);
        match self.send(&topic, &record, &headers).await {
            Err(Error::Producer(error)) if is_for_good(&error) => {
                self.pass_on(half, &self.group.set_aside).await
            }
            sent => sent,
        }
    }

    /// Sends a half message to one of the group's topics, with its place. If it is too large
    /// with that, its id and its place must do.
    async fn pass_on(&self, half: Offset, topic: &TopicName) -> Result<(), Error> {
        let record = self.fetch(half).await?;
        let place = half.to_string();
        let place = Header {
            key: HALF_HEADER,
            value: Some(place.as_bytes()),
        };
        let mut headers = headers_without(&record, HALF_HEADER);
        headers.push(place);
        match self.send(topic, &record, &headers).await {
            Err(Error::Producer(error)) if is_for_good(&error) => {
                headers.retain(|header| [ID_HEADER, HALF_HEADER].contains(&header.key));
                let small = ConsumedRecord {
                    key: None,
                    value: None,
                    ..record.clone()
                };
                self.send(topic, &small, &headers).await
            }
            sent => sent,
        }
    }

    async fn send(
        &self,
        topic: &TopicName,
        record: &ConsumedRecord,
        headers: &[Header<'_>],
    ) -> Result<(), Error> {
        // Without a key the id is as good, for a check: it spreads them over the partitions.
        let is_check = *topic == self.group.checks;
        let id = text(record, ID_HEADER).filter(|_| is_check);
        let key = record.key.as_deref().or(id.map(str::as_bytes));
        let sent = Record {
            partition: None,
            timestamp: Some(record.timestamp),
            key,
            value: record.value.as_deref(),
            headers,
        };
        self.producer.send(topic, sent).await.await?;
        Ok(())
    }

    async fn mark(&self, now: Timestamp, half: Offset, op: Op) -> Result<Option<Offset>, Error> {
        let (key, value) = (half.to_string(), write_op(op));
        let record = Record {
            partition: Some(PartitionIndex(0)),
            timestamp: Some(now),
            ..Record::of_key(key.as_bytes(), value.as_bytes())
        };
        let delivered = self.producer.send(&self.group.op, record).await.await?;
        Ok(delivered.offset.map(|offset| offset.plus(1)))
    }

    /// Reads one half message. The machine does not have them: only their offsets are in
    /// memory.
    async fn fetch(&self, half: Offset) -> Result<ConsumedRecord, Error> {
        let topic = only_partition(&self.group.half);
        let limits = FetchLimits {
            max_wait: Duration::ZERO,
            min_bytes: 0,
            max_bytes: FETCH_BYTES,
        };
        let target = Target::Leader(topic.clone());
        let deadline = self.client.deadline();
        let attempt = || self.client.fetch(&topic, half, limits);
        let fetched = self.client.retry(&target, deadline, attempt).await?;
        let record = client::records(fetched.batches, half).next();
        let record = record.transpose()?.filter(|record| record.offset == half);
        record.ok_or(Error::Deleted(half))
    }
}

/// Whether an effect must be on disk before the next one of its half message begins.
fn first(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::Copy(_) | Effect::SetAside(_) | Effect::Mark(_, Op::Checked(_))
    )
}

/// Whether the topic will never take the record.
fn is_for_good(error: &producer::Error) -> bool {
    matches!(
        error,
        producer::Error::TooLarge | producer::Error::NoPartition | producer::Error::Refused(_)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::part::End;

    /// The machine's pairs: between the two there may be a crash.
    #[test]
    fn what_something_depends_on_is_in_the_first_phase() {
        let half = Offset(0);
        let pairs = [
            (
                Effect::Copy(half),
                Effect::Mark(half, Op::Done(End::Committed)),
            ),
            (
                Effect::SetAside(half),
                Effect::Mark(half, Op::Done(End::SetAside)),
            ),
            (Effect::Mark(half, Op::Checked(1)), Effect::Ask(half)),
        ];
        for (before, behind) in pairs {
            assert!(first(&before) && !first(&behind), "{before:?}, {behind:?}");
        }
    }
}
