//! The job, as it is defined for the engine.

use std::cmp::Reverse;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use message_model::Timestamp;
use serde::{Deserialize, Serialize};
use stream_engine::{
    Chain, Content, Count, Counter, Head, Job, OutOfOrder, Stream, TextSink, Top, Window, Windows,
};

use crate::access_log::{Hit, Unparsable, parse};
use crate::civil_time::Utc;
use crate::report::{Report, SideOutput};
use crate::row::Row;
use crate::settings::{Cut, Settings};
use crate::topic_sink::TopicSink;
use crate::topic_source::{Fed, LINES, TopicSource};

/// A line that is in no row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Aside {
    /// Its number in the input, counted from 1.
    pub(crate) line: u64,
    pub(crate) reason: Reason,
}

/// Why a line is in no row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// It is not a line of an access log.
    Unparsable(Unparsable),
    /// Its windows were closed when it came. It is of this time.
    Late(Timestamp),
}

impl fmt::Display for Aside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "side line {}: ", self.line)?;
        match self.reason {
            Reason::Unparsable(reason) => reason.fmt(f),
            Reason::Late(time) => write!(f, "late: the window of {} was closed", Utc(time)),
        }
    }
}

/// How many lines became what, over all runs of the job.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counters {
    /// Lines of an access log, with those that are late.
    pub(crate) requests: Counter,
    /// Skipped: their first copies count.
    pub(crate) repeated: Counter,
    /// In the side output, as no lines of an access log.
    pub(crate) unparsable: Counter,
    /// In the side output, as too late.
    pub(crate) late: Counter,
}

/// A request, and in which line it is.
#[derive(Debug, Clone, Copy)]
struct Request {
    line: u64,
    hit: Hit,
}

// ANCHOR: define
/// Defines the job. Nothing runs yet.
pub(crate) fn define(
    settings: &Settings,
    (source, sink): (TopicSource, TopicSink),
    counters: &Counters,
    report: Arc<Report>,
) -> Job {
    let order = OutOfOrder {
        bound: settings.out_of_order,
        idle_after: settings.idle_after,
        step: Some(settings.step()),
    };
    let job = Job::new("ip-count");
    let (lines, repeated) = job.source(LINES, source).split("new", is_new);
    let noting = Arc::clone(&report);
    let (requests, bad) = lines.split("parse", move |(line, text)| match parse(&text) {
        Ok(hit) => Ok(Request { line, hit }),
        Err(unparsable) => {
            noting.meters.unparsable(unparsable);
            let reason = Reason::Unparsable(unparsable);
            Err(Aside { line, reason })
        }
    });
    let (rows, late) = requests
        .event_time("time", order, |request| request.hit.time)
        .counted("requests", counters.requests.clone())
        .key_by(|request| request.hit.ip)
        .window(settings.windows.windows())
        .allowed_lateness(settings.lateness)
        .aggregate("count", Count);
    match settings.top {
        None => rows.map("row", row).sink("rows", sink),
        Some(count) => top(rows, (count, settings.windows), sink),
    }

    let late = late.map("late", |Request { line, hit }| Aside {
        line,
        reason: Reason::Late(hit.time),
    });
    repeated
        .counted("repeated", counters.repeated.clone())
        .discard("skipped");
    bad.counted("unparsable lines", counters.unparsable.clone())
        .union(late.counted("late lines", counters.late.clone()))
        .sink("side", TextSink::new(SideOutput(report)));
    job
}
// ANCHOR_END: define

type Numbered = (u64, bytes::Bytes);

fn is_new(fed: Fed) -> Result<Numbered, ()> {
    match fed {
        Fed::Line { number, text } => Ok((number, text)),
        Fed::Repeated => Err(()),
    }
}

type Counted = stream_engine::Row<IpAddr, u64>;

fn row(row: Counted) -> Row {
    let (window, ip, revision) = (row.window, row.key, row.revision);
    let count = match row.content {
        Content::Value(count) => count,
        Content::Withdrawn => 0,
    };
    Row {
        window,
        ip,
        count,
        revision,
    }
}

/// A row among those of its window. Of equal counts, the lowest address comes first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Ranked {
    count: u64,
    ip: Reverse<IpAddr>,
    /// Its start and its end, in milliseconds since 1970.
    window: (i64, i64),
}

// ANCHOR: top
/// The rows of each window that have the highest counts. A row happened in the last moment of its
/// window, so the rows of windows that end together are in one window of rows.
fn top<H, C>(rows: Stream<H, C>, (count, cut): (usize, Cut), sink: TopicSink)
where
    H: Head,
    C: Chain<In = H::Item, Out = Counted>,
{
    let ranked = rows.map("ranked", |counted| {
        let row = row(counted);
        Ranked {
            count: row.count,
            ip: Reverse(row.ip),
            window: (row.window.start.0, row.window.end.0),
        }
    });
    let (tops, late) = ranked
        .key_by(|ranked| ranked.window)
        .window(Windows::tumbling(cut.step()))
        .aggregate("top", Top::new(count));
    // Windows that take no late lines have one row for each address.
    late.discard("no late rows");
    tops.flat_map("row", |top| match top.content {
        Content::Value(ranked) => ranked.into_iter().map(Row::from).collect(),
        Content::Withdrawn => Vec::new(),
    })
    .sink("rows", sink);
}
// ANCHOR_END: top

impl From<Ranked> for Row {
    fn from(ranked: Ranked) -> Row {
        let (start, end) = ranked.window;
        Row {
            window: Window {
                start: Timestamp(start),
                end: Timestamp(end),
            },
            ip: ranked.ip.0,
            count: ranked.count,
            revision: 0,
        }
    }
}
