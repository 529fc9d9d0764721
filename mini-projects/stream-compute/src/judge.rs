//! Is it right? The committed rows beside a recount of the input.

use std::collections::BTreeMap;
use std::path::PathBuf;

use message_model::TopicPartition;

use crate::again::Again;
use crate::check::{Recount, Verdict};
use crate::counts::{Counts, of_key};
use crate::error::Error;
use crate::feed::Fed;
use crate::input::Source;
use crate::queue::Queue;
use crate::read_back::ReadBack;
use crate::row::Table;
use crate::run::Tally;
use crate::settings::{Cut, Settings};
use crate::side_by_side::SideBySide;

/// What the check found, with the numbers of the report.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) verdict: Verdict,
    /// How many rows hold: they are not withdrawn, and no later revision replaces them.
    pub(crate) rows: u64,
    pub(crate) counts: Counts,
}

/// What the rows are compared with.
#[derive(Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) fed: Fed,
    pub(crate) tally: Tally,
    /// The files of the input and how much of each was counted, if they can be read again.
    pub(crate) files: Option<Vec<(PathBuf, u64)>>,
}

/// Reads the committed rows back, and says whether they are right.
///
/// # Errors
/// When rows or input cannot be read.
pub(crate) async fn judge(
    queue: &Queue,
    rows: &TopicPartition,
    wanted: &Wanted<'_>,
) -> Result<Judged, Error> {
    if let Some(judged) = wanted.side_by_side(queue, rows).await? {
        return Ok(judged);
    }
    wanted.in_full(queue, rows).await
}

impl Wanted<'_> {
    /// Compares in bounded memory. `None` if the rows are not simply equal: then it takes the
    /// whole comparison to say what they are.
    async fn side_by_side(
        &self,
        queue: &Queue,
        rows: &TopicPartition,
    ) -> Result<Option<Judged>, Error> {
        let settings = self.settings;
        let cut = settings.windows;
        let is_one_row = settings.lateness.is_zero() && settings.top.is_none();
        let Some(files) = self.files.as_ref().filter(|_| is_one_row) else {
            return Ok(None);
        };
        if let Cut::Sessions(_) = cut {
            return Ok(None);
        }
        let again = Again::new(files.iter().cloned());
        let mut beside = SideBySide::new(again, cut, settings.out_of_order);
        let (mut counts, mut in_rows, mut found) = (Counts::new(cut), 0, 0);
        let mut reading = ReadBack::begin(queue, rows).await?;
        while let Some((key, said)) = reading.next().await? {
            let Some((start, ip)) = of_key(&key).filter(|_| said.revision == 0) else {
                return Ok(None);
            };
            counts.add(start, ip, said.count);
            let taken = beside.row(start, ip, said.count);
            taken.map_err(|source| self.unreadable(source))?;
            in_rows += said.count;
            found += 1;
        }
        let found_out = beside.finish();
        let differences = found_out.map_err(|source| self.unreadable(source))?;
        let missing = match cut {
            Cut::Tumbling(_) => self.tally.late,
            Cut::Sliding(..) | Cut::Sessions(_) => 0,
        };
        let is_equal = !differences.is_above
            && differences.missing == missing
            && differences.lines == self.fed.lines
            && self.adds_up(in_rows);
        Ok(is_equal.then_some(Judged {
            verdict: Verdict::Equal,
            rows: found,
            counts,
        }))
    }

    /// Compares with all rows in memory, and says which row is wrong.
    async fn in_full(&self, queue: &Queue, rows: &TopicPartition) -> Result<Judged, Error> {
        let (mut table, mut twice) = (Table::default(), None);
        let mut reading = ReadBack::begin(queue, rows).await?;
        while let Some((key, said)) = reading.next().await? {
            if !table.add(key.clone(), said) {
                twice.get_or_insert(key);
            }
        }
        let rows = table.counts();
        let mut counts = Counts::new(self.settings.windows);
        for (key, count) in &rows {
            if let Some((start, ip)) = of_key(key) {
                counts.add(start, ip, *count);
            }
        }
        let verdict = match twice {
            Some(key) => Verdict::Twice { key },
            None => self.verdict(&rows)?,
        };
        Ok(Judged {
            verdict,
            rows: rows.len() as u64,
            counts,
        })
    }

    fn verdict(&self, rows: &BTreeMap<String, u64>) -> Result<Verdict, Error> {
        let (settings, lines) = (self.settings, self.fed.lines);
        let cut = settings.windows;
        let in_rows = rows.values().sum();
        if !self.adds_up(in_rows) {
            let accounted = self.accounted(in_rows);
            return Ok(Verdict::DoesNotAddUp { accounted, lines });
        }
        let no_recount = match self.is_counted_once() {
            true => Verdict::AddsUp,
            false => Verdict::Once,
        };
        let Some(files) = &self.files else {
            return Ok(no_recount);
        };
        let recount = Recount::of(files, cut);
        let recount = recount.map_err(|source| self.unreadable(source))?;
        let is_rotated = matches!(settings.source, Source::Follow(_)) && files.len() > 1;
        if is_rotated && recount.lines != lines {
            // A file in the middle is gone.
            return Ok(no_recount);
        }
        let is_in_order = recount.out_of_order <= settings.out_of_order + settings.lateness;
        Ok(match (cut, settings.top) {
            (Cut::Tumbling(_), None) => Verdict::compare(rows, &recount.rows, self.tally.late),
            (_, Some(count)) if is_in_order => Verdict::compare(rows, &recount.top(count), 0),
            (_, None) if is_in_order => Verdict::compare(rows, &recount.rows, 0),
            (Cut::Sessions(_), _) => Verdict::Once,
            _ => Verdict::none_above(rows, &recount.rows),
        })
    }

    /// Whether each line is in one row or in the side output.
    fn is_counted_once(&self) -> bool {
        !matches!(self.settings.windows, Cut::Sliding(..)) && self.settings.top.is_none()
    }

    fn accounted(&self, in_rows: u64) -> u64 {
        in_rows + self.tally.unparsable + self.tally.late + self.fed.too_long
    }

    /// Whether rows with so many requests and the side output have all lines, as far as this can
    /// be said.
    fn adds_up(&self, in_rows: u64) -> bool {
        !self.is_counted_once() || self.accounted(in_rows) == self.fed.lines
    }

    fn unreadable(&self, source: std::io::Error) -> Error {
        Error::Input {
            path: self.settings.source.path().to_owned(),
            source,
        }
    }
}
