//! The one way to read the records of a fetch.

use std::collections::{BTreeSet, VecDeque};

use bytes::Bytes;
use message_model::{Offset, ProducerId, Timestamp};
use record_batch::{
    BatchError, BatchHeader, Batches, Codec, OpenError, TimestampType, layout, validate,
};
use wire_protocol::message::AbortedTransaction;
use wire_protocol::{Malformed, Reader};

/// The most that the records of one compressed batch may take when they are open.
/// `mqd` takes no batch with more.
const OPEN_SIZE_MAX: usize = 128 * 1024 * 1024;

/// A record as a consumer sees it. Its bytes are slices of what the fetch brought, which
/// stays in memory for as long as one of them does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumedRecord {
    /// The record's place in its partition.
    pub offset: Offset,
    /// When it happened or, with [`TimestampType::LogAppendTime`], was appended.
    pub timestamp: Timestamp,
    /// Whether the producer or the broker set the timestamp.
    pub timestamp_type: TimestampType,
    /// The key; null: the record has none.
    pub key: Option<Bytes>,
    /// What it says; null deletes the key in a compacted topic.
    pub value: Option<Bytes>,
    /// Names and values, in order. Bytes of a name that are no UTF-8 are replaced by U+FFFD.
    pub headers: Vec<(String, Option<Bytes>)>,
}

/// Why a batch cannot be read. What precedes it has been returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the batch at offset {base_offset}: {flaw}")]
pub struct ReadError {
    /// Where the batch says that it begins; where it was expected if it has no header.
    pub base_offset: Offset,
    /// The first check that the batch fails.
    pub flaw: Flaw,
}

/// The checks that a batch can fail, from the outside in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// It is not what its producer sent, or it cannot be understood.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// It cannot be decompressed.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Its offsets do not follow those before them, or are outside of its range.
    #[error("its offsets are out of order")]
    Offsets,
}

impl From<Malformed> for Flaw {
    fn from(malformed: Malformed) -> Flaw {
        Flaw::Batch(malformed.into())
    }
}

/// Returns the records of `batches` at or above `from`, in order: what a
/// [`fetch`](crate::Client::fetch) brought, or the records of a
/// [`FetchPartitionResponse`](wire_protocol::message::FetchPartitionResponse).
///
/// Each batch is checked before a record of it is returned: CRC, counts, offsets. It is
/// decompressed if need be. Control batches are passed over, and so is a
/// batch that is cut off behind a whole one: the next fetch brings it. After an error
/// there are no more records.
#[must_use]
pub fn records(batches: Bytes, from: Offset) -> Records {
    Records {
        batches,
        next: from,
        behind: None,
        batch: None,
        aborted: VecDeque::new(),
        aborting: BTreeSet::new(),
    }
}

/// The records of a fetch; see [`records`].
#[derive(Debug, Clone)]
pub struct Records {
    /// The batches that are not begun.
    batches: Bytes,
    next: Offset,
    /// The first offset behind the last batch that was whole.
    behind: Option<Offset>,
    batch: Option<OpenBatch>,
    /// The aborted transactions that have not begun yet, the first one first.
    aborted: VecDeque<AbortedTransaction>,
    /// The producers whose batches belong to an aborted transaction, here.
    aborting: BTreeSet<ProducerId>,
}

/// A batch whose records are being returned.
#[derive(Debug, Clone)]
struct OpenBatch {
    header: BatchHeader,
    /// Its records that are not read yet.
    records: Bytes,
    left: i32,
    /// The offset delta that the next record has at least: gaps are compaction's.
    delta_min: i64,
}

/// The type in the key of a control record that ends an aborted transaction.
const ABORT: [u8; 2] = 0_i16.to_be_bytes();

impl Records {
    /// Leaves out the records of these transactions: those that an answer to a fetch with
    /// `read_committed` names.
    #[must_use]
    pub fn without(mut self, mut aborted: Vec<AbortedTransaction>) -> Records {
        aborted.sort_by_key(|transaction| transaction.first_offset);
        self.aborted = aborted.into();
        self
    }

    /// Returns where to fetch next: behind the last record that was returned, and behind
    /// whole batches without a record for the caller.
    #[must_use]
    pub fn next_offset(&self) -> Offset {
        self.next
    }

    // ANCHOR: begin
    /// Begins the next batch that may have records for the caller; `None`: there is none.
    fn begin(&mut self) -> Result<Option<OpenBatch>, ReadError> {
        loop {
            let (header, batch) = match Batches::new(&self.batches).next() {
                None => return Ok(None),
                Some(Err(BatchError::Truncated { .. })) if self.behind.is_some() => {
                    return Ok(None);
                }
                Some(Err(flaw)) => return Err(self.expected_here(flaw)),
                Some(Ok((header, batch))) => (header, self.batches.slice_ref(batch)),
            };
            let flawed = |flaw: Flaw| ReadError {
                base_offset: header.base_offset,
                flaw,
            };
            validate(&batch, usize::MAX).map_err(|flaw| flawed(flaw.into()))?;
            if !self.is_next(&header) {
                return Err(flawed(Flaw::Offsets));
            }
            self.behind = Some(header.range().end);
            self.batches = self.batches.slice(batch.len()..);
            let is_aborted = self.is_aborted(&header);
            if header.is_control() {
                self.end_transaction(&header, batch).map_err(flawed)?;
            } else if !is_aborted && header.range().end > self.next {
                let open = opened(&header, batch).map_err(flawed)?;
                return Ok(Some(OpenBatch::new(header, &open)));
            }
            self.pass(&header);
        }
    }
    // ANCHOR_END: begin

    /// Whether the offsets of a batch can be true.
    fn is_next(&self, header: &BatchHeader) -> bool {
        let base = header.base_offset;
        let count = i64::from(header.last_offset_delta) + 1;
        base >= Offset::ZERO
            && base.0.checked_add(count).is_some()
            && self.behind.is_none_or(|behind| base >= behind)
    }

    /// Whether a batch belongs to a transaction that was aborted.
    fn is_aborted(&mut self, header: &BatchHeader) -> bool {
        let has_begun =
            |transaction: &mut AbortedTransaction| transaction.first_offset < header.range().end.0;
        while let Some(begun) = self.aborted.pop_front_if(has_begun) {
            self.aborting.insert(ProducerId(begun.producer_id));
        }
        header.is_transactional() && self.aborting.contains(&header.producer_id)
    }

    /// After the marker of an aborted transaction its producer may begin another one.
    fn end_transaction(&mut self, header: &BatchHeader, batch: Bytes) -> Result<(), Flaw> {
        if !self.aborting.contains(&header.producer_id) {
            return Ok(());
        }
        let marker = OpenBatch::new(*header, &opened(header, batch)?).step()?;
        // Version and type, two bytes each.
        let key = marker.and_then(|marker| marker.key);
        if key.is_some_and(|key| key.get(2..4) == Some(&ABORT)) {
            self.aborting.remove(&header.producer_id);
        }
        Ok(())
    }

    fn expected_here(&self, flaw: BatchError) -> ReadError {
        ReadError {
            base_offset: self.next,
            flaw: flaw.into(),
        }
    }

    fn pass(&mut self, header: &BatchHeader) {
        self.next = self.next.max(header.range().end);
    }

    fn step(&mut self) -> Result<Option<ConsumedRecord>, ReadError> {
        loop {
            let mut batch = match self.batch.take() {
                Some(batch) => batch,
                None => match self.begin()? {
                    Some(batch) => batch,
                    None => return Ok(None),
                },
            };
            let record = batch.step().map_err(|flaw| ReadError {
                base_offset: batch.header.base_offset,
                flaw,
            })?;
            let Some(record) = record else {
                self.pass(&batch.header);
                continue;
            };
            self.batch = Some(batch);
            if record.offset >= self.next {
                self.next = record.offset.plus(1);
                return Ok(Some(record));
            }
        }
    }
}

impl Iterator for Records {
    type Item = Result<ConsumedRecord, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let step = self.step();
        if step.is_err() {
            self.batches = Bytes::new();
            self.batch = None;
        }
        step.transpose()
    }
}

/// The batch with its records decompressed.
fn opened(header: &BatchHeader, batch: Bytes) -> Result<Bytes, Flaw> {
    match header.codec()? {
        Codec::None => Ok(batch),
        _ => Ok(compression::open_batch(header, &batch, OPEN_SIZE_MAX)?.into()),
    }
}

impl OpenBatch {
    fn new(header: BatchHeader, open: &Bytes) -> OpenBatch {
        OpenBatch {
            header,
            records: open.slice(layout::RECORDS..),
            left: header.record_count,
            delta_min: 0,
        }
    }

    /// The next record; `None`: that was the last one, and nothing is behind it.
    fn step(&mut self) -> Result<Option<ConsumedRecord>, Flaw> {
        if self.left == 0 {
            return match self.records.is_empty() {
                true => Ok(None),
                false => Err(Flaw::Batch(BatchError::RecordLength)),
            };
        }
        self.left -= 1;
        let mut input = Reader::new(&self.records);
        let body = take(&self.records, &mut input)?.ok_or(Malformed::UnexpectedNull)?;
        let rest = self.records.len() - input.remaining();
        let (offset_delta, record) = self.read(&body)?;
        let is_after = i64::from(offset_delta) >= self.delta_min;
        if !is_after || offset_delta > self.header.last_offset_delta {
            return Err(Flaw::Offsets);
        }
        self.delta_min = i64::from(offset_delta) + 1;
        self.records = self.records.slice(rest..);
        Ok(Some(record))
    }

    /// Reads what a record's length encloses, and its offset delta.
    fn read(&self, body: &Bytes) -> Result<(i32, ConsumedRecord), Flaw> {
        let mut input = Reader::new(body);
        let _attributes = input.i8()?;
        let timestamp_delta = input.varlong()?;
        let offset_delta = input.varint()?;
        let key = take(body, &mut input)?;
        let value = take(body, &mut input)?;
        let count = u32::try_from(input.varint()?).map_err(|_| Malformed::NegativeLength)?;
        let mut headers = Vec::new();
        for _ in 0..count {
            let name = take(body, &mut input)?.ok_or(Malformed::UnexpectedNull)?;
            let name = String::from_utf8_lossy(&name).into_owned();
            headers.push((name, take(body, &mut input)?));
        }
        if input.remaining() != 0 {
            return Err(Flaw::Batch(BatchError::RecordLength));
        }
        let timestamp_type = self.header.timestamp_type();
        let base = self.header.base_timestamp.0;
        let timestamp = match timestamp_type {
            TimestampType::LogAppendTime => self.header.max_timestamp,
            TimestampType::CreateTime => Timestamp(base.saturating_add(timestamp_delta)),
        };
        let base = self.header.base_offset.0;
        let record = ConsumedRecord {
            offset: Offset(base.saturating_add(offset_delta.into())),
            timestamp,
            timestamp_type,
            key,
            value,
            headers,
        };
        Ok((offset_delta, record))
    }
}

/// Bytes with a varint length in front, as a slice of `whole`; -1 is null.
fn take(whole: &Bytes, input: &mut Reader<'_>) -> Result<Option<Bytes>, Malformed> {
    match input.varint()? {
        -1 => Ok(None),
        length => {
            let length = usize::try_from(length).map_err(|_| Malformed::NegativeLength)?;
            Ok(Some(whole.slice_ref(input.take(length)?)))
        }
    }
}
