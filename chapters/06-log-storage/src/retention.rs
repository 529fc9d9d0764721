//! Deciding which old segments may go.

use message_model::{Offset, Timestamp};

use crate::error::Error;
use crate::log_view::LogView;
use crate::newest::Newest;
use crate::part::{SegmentSummary, expired};

/// The job of finding where a log may start; see [`LogView::retention`].
///
/// The age of a segment is that of its newest record as the headers tell it, so
/// a timestamp far in the future keeps its segment, and those behind it, until
/// `retention.bytes` or that time: the broker refuses such records.
#[derive(Debug)]
pub struct Retention {
    view: LogView,
    now: Timestamp,
    keep_from: Offset,
    /// Oldest first; the active segment is the last.
    summaries: Vec<SegmentSummary>,
    /// How many segments may go, as far as their ages are known.
    count: usize,
    /// At the first segment that may not go as far as is known.
    newest: Option<Newest>,
}

impl Retention {
    pub(crate) fn new(view: LogView, now: Timestamp, keep_from: Offset) -> Retention {
        let sealed = view.sealed.iter().map(|sealed| SegmentSummary {
            base_offset: sealed.base_offset(),
            end_offset: sealed.end_offset(),
            size: u64::from(sealed.segment.size),
            newest: None,
        });
        let active = SegmentSummary {
            base_offset: view.active.base_offset,
            end_offset: view.log_end,
            size: u64::from(view.size),
            newest: None,
        };
        Retention {
            now,
            keep_from,
            summaries: sealed.chain([active]).collect(),
            count: 0,
            newest: None,
            view,
        }
    }

    /// Does the next step, which reads at most about 1 MiB or 256 headers.
    /// Returns the offset at which the log may start, which is its log start if
    /// nothing may go; `None` if there is more to do.
    ///
    /// # Errors
    /// As the disk says.
    pub fn step(&mut self) -> Result<Option<Offset>, Error> {
        if let Some(newest) = &mut self.newest {
            let found = match newest.step() {
                Ok(None) => return Ok(None),
                Ok(Some(found)) => found,
                // How new the rest is cannot be known: it goes by size only.
                Err(Error::Damaged { .. }) => None,
                Err(error) => return Err(error),
            };
            self.newest = None;
            // Records without a timestamp have no age: they go by size only.
            let found = found.filter(|newest| *newest >= Timestamp(0));
            self.summaries[self.count].newest = found;
            if found.is_none() {
                return Ok(Some(self.start()));
            }
        }
        let limits = self.view.dir.config().retention_limits();
        let count = expired(&self.summaries, limits, self.now, self.keep_from);
        let count = count.min(self.view.sealed.len());
        let is_known = self.summaries[count].newest.is_some();
        self.count = count;
        if limits.age.is_some() && !is_known && self.may_go(count) {
            self.newest = Some(Newest::new(&self.view, &self.view.sealed[count]));
            return Ok(None);
        }
        Ok(Some(self.start()))
    }

    /// Whether only its age can keep a segment.
    fn may_go(&self, number: usize) -> bool {
        let sealed = self.view.sealed.get(number);
        sealed.is_some_and(|sealed| sealed.end_offset() <= self.keep_from)
    }

    fn start(&self) -> Offset {
        let start = self.summaries[self.count].base_offset;
        start.max(self.view.log_start)
    }
}
