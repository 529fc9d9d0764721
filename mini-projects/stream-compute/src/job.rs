//! From the topic to the rows.

use client::ConsumedRecord;
use message_model::Offset;
use tokio::sync::watch;

use crate::error::Error;
use crate::feed::LINE_HEADER;
use crate::fetch::Fetcher;
use crate::pipeline::{Outcome, Pipeline, Tally};
use crate::report::Report;
use crate::sink::Sink;

// ANCHOR: count
/// Reads until `end` is known and reached; then closes all windows.
pub(crate) async fn count(
    mut pipeline: Pipeline,
    mut fetcher: Fetcher<'_>,
    sink: &mut Sink<'_>,
    end: watch::Receiver<Option<Offset>>,
) -> Result<Tally, Error> {
    let report = sink.report;
    loop {
        let end = *end.borrow();
        if end.is_some_and(|end| fetcher.position() >= end) {
            break;
        }
        fetcher
            .poll(|record| take(&mut pipeline, record, report))
            .await?;
        sink.write(&pipeline.close_complete()).await?;
    }
    sink.write(&pipeline.close_all()).await?;
    Ok(pipeline.tally())
}
// ANCHOR_END: count

fn take(pipeline: &mut Pipeline, record: &ConsumedRecord, report: &Report) -> Result<(), Error> {
    let Some(number) = line_number(record) else {
        report.line(format_args!(
            "side: a record without a line number, not ours"
        ))?;
        return Ok(());
    };
    match pipeline.take(number, record.value.as_deref().unwrap_or_default()) {
        Outcome::Counted | Outcome::Repeated => Ok(()),
        Outcome::Rejected(reason) => Ok(report.side(number, &reason)?),
    }
}

fn line_number(record: &ConsumedRecord) -> Option<u64> {
    let (_, value) = record
        .headers
        .iter()
        .find(|(name, _)| name == LINE_HEADER)?;
    std::str::from_utf8(value.as_deref()?).ok()?.parse().ok()
}
