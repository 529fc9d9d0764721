//! What came of a job, as a web page that needs nothing but itself.

use std::cmp::Reverse;
use std::fmt::Display;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use message_model::Timestamp;

use crate::access_log::Unparsable;
use crate::buckets::Buckets;
use crate::civil_time::Utc;
use crate::counts::Counts;
use crate::error::Error;
use crate::html::Html;
use crate::meters::Meters;
use crate::run::Summary;
use crate::settings::Settings;
use crate::thousands::Thousands;

/// How many addresses are shown.
const TOP: usize = 20;

const STYLE: &str = include_str!("page.css");

/// A file that is there when it is whole. What was there before is replaced.
#[derive(Debug)]
pub(crate) struct PageFile {
    path: PathBuf,
    aside: PathBuf,
}

impl PageFile {
    /// Tries whether a file can be made beside `path`, so that a job does not run in vain. A job
    /// that is killed leaves none behind.
    pub(crate) fn begin(path: PathBuf) -> io::Result<PageFile> {
        if path.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if path.exists() && !path.is_file() {
            return Err(io::Error::other("it is no regular file"));
        }
        let mut aside = path.clone().into_os_string();
        aside.push(".unfinished");
        let aside = PathBuf::from(aside);
        File::create(&aside)?;
        fs::remove_file(&aside)?;
        Ok(PageFile { path, aside })
    }

    pub(crate) fn finish(&self, page: &str) -> Result<(), Error> {
        let written = write(&self.aside, page).and_then(|()| fs::rename(&self.aside, &self.path));
        written.map_err(|error| {
            // What there is of it is of no use.
            let _ = fs::remove_file(&self.aside);
            Error::Page(self.path.clone(), error)
        })
    }
}

fn write(path: &Path, page: &str) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(page.as_bytes())?;
    file.sync_all()
}

/// Returns the page about a job that has its verdict.
pub(crate) fn page(
    settings: &Settings,
    summary: &Summary,
    counts: &Counts,
    meters: &Meters,
) -> String {
    let mut html = Html::default();
    html.markup("<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n")
        .markup("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
        .markup("<meta http-equiv=\"Content-Security-Policy\" ")
        .markup("content=\"default-src 'none'; style-src 'unsafe-inline'\">\n")
        .markup("<title>Requests per address</title>\n<style>\n")
        .markup(STYLE)
        .markup("</style>\n<h1>Requests per address</h1>\n<p>")
        .text(&settings.source)
        .markup("</p>\n<p class=\"faint\">")
        .text(settings.windows)
        .markup("; lines in topic ")
        .text(&settings.topic)
        .markup(", rows in ")
        .text(&settings.out)
        .markup("</p>\n<p class=\"verdict")
        .markup(if summary.verdict.is_ok() { " ok" } else { "" })
        .markup("\">")
        .text(format_args!("{summary:#}"))
        .markup("</p>\n");
    totals(&mut html, summary, counts);
    requests(&mut html, settings, counts);
    addresses(&mut html, settings, counts);
    not_counted(&mut html, summary, meters);
    checkpoints(&mut html, meters);
    html.markup("</html>\n");
    html.into_string()
}

fn totals(html: &mut Html, summary: &Summary, counts: &Counts) {
    let tally = summary.tally;
    html.markup("<h2>Totals</h2>\n<table>\n");
    let rows: [(&'static str, u64); 6] = [
        ("lines of the input", summary.lines),
        ("committed rows", summary.rows),
        ("requests in them", counts.requests),
        ("addresses in them", counts.by_address.len() as u64),
        ("lines in the side output", summary.aside()),
        ("repeated lines skipped", tally.repeated),
    ];
    for (name, count) in rows {
        row(html, count, name);
        html.markup("</tr>\n");
    }
    html.markup("</table>\n");
}

/// Begins a row of a table, with a number and a name; more cells may follow.
fn row(html: &mut Html, count: u64, name: impl Display) {
    html.markup("<tr><td class=\"number\">")
        .text(Thousands(count))
        .markup("<td>")
        .text(name);
}

fn requests(html: &mut Html, settings: &Settings, counts: &Counts) {
    let over_time = &counts.over_time;
    let time = |place| Utc(Timestamp(place)).to_string();
    let width = over_time.width() / 1000;
    html.markup("<h2>Requests over time</h2>\n<p class=\"faint\">Requests in committed rows, by the start of their window; each bar has windows of ")
        .text(Thousands(width.unsigned_abs()))
        .markup(" s.");
    if settings.top.is_some() {
        html.markup(" Only the highest counts of each window are in rows.");
    }
    html.markup("</p>\n");
    plot(html, over_time, (&time, ""));
}

fn addresses(html: &mut Html, settings: &Settings, counts: &Counts) {
    let mut top: Vec<_> = counts.by_address.iter().collect();
    top.sort_unstable_by_key(|(ip, count)| (Reverse(**count), **ip));
    top.truncate(TOP);
    html.markup("<h2>Top addresses</h2>\n");
    if settings.windows.overlaps() {
        html.markup(
            "<p class=\"faint\">Windows overlap: a request counts in each of its windows.</p>\n",
        );
    }
    html.markup("<table>\n<tr><th class=\"number\">requests<th>address<th class=\"wide\">\n");
    let highest = top.first().map_or(0, |(_, count)| **count);
    for (ip, count) in top {
        bar(html, (*count, highest), ip);
    }
    html.markup("</table>\n");
}

fn not_counted(html: &mut Html, summary: &Summary, meters: &Meters) {
    let tally = summary.tally;
    let mut rows = vec![("late: the window was closed".to_owned(), tally.late)];
    let mut known = 0;
    for reason in Unparsable::ALL {
        let count = match reason {
            Unparsable::TooLong => summary.too_long,
            reason => {
                known += meters.bad(reason);
                meters.bad(reason)
            }
        };
        rows.push((reason.to_string(), count));
    }
    let before = tally.unparsable.saturating_sub(known);
    rows.push((
        "no line of an access log, before the job was resumed".to_owned(),
        before,
    ));
    rows.retain(|(_, count)| *count > 0);
    rows.sort_by_key(|(_, count)| Reverse(*count));
    html.markup("<h2>Late and bad lines</h2>\n");
    if rows.is_empty() {
        html.markup("<p class=\"faint\">None.</p>\n");
        return;
    }
    html.markup("<table>\n<tr><th class=\"number\">lines<th>reason<th class=\"wide\">\n");
    let highest = rows.first().map_or(0, |(_, count)| *count);
    for (reason, count) in rows {
        bar(html, (count, highest), reason);
    }
    html.markup("</table>\n");
}

fn checkpoints(html: &mut Html, meters: &Meters) {
    let noted = meters.noted();
    let checkpoints = &noted.checkpoints;
    html.markup("<h2>Checkpoints</h2>\n<p class=\"faint\">")
        .text(Thousands(checkpoints.count()))
        .markup(" in this run of the job. They took ")
        .text(Thousands(checkpoints.mean_ms()))
        .markup(" ms on average.</p>\n");
    let id = |id: i64| format!("checkpoint {id}");
    html.markup("<p>How long they took</p>\n");
    plot(html, &checkpoints.took_ms, (&id, " ms"));
    html.markup("<p>From the begin of one to the begin of the next</p>\n");
    plot(html, &checkpoints.interval_ms, (&id, " ms"));
}

/// A row of a table, with a bar.
fn bar(html: &mut Html, (count, highest): (u64, u64), name: impl Display) {
    row(html, count, name);
    let width = (count * 1000).div_ceil(highest.max(1));
    html.markup("<td><svg class=\"bar\" viewBox=\"0 0 1000 1\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><rect height=\"1\" width=\"")
        .text(width)
        .markup("\"/></svg></tr>\n");
}

/// Bars over places that have names, with the unit of their values.
fn plot(html: &mut Html, buckets: &Buckets, (name, unit): (&dyn Fn(i64) -> String, &'static str)) {
    const HEIGHT: u64 = 200;
    let highest = buckets.highest();
    let mut names = buckets.points().map(|(place, ..)| name(place));
    let Some(first) = names.next() else {
        html.markup("<p class=\"faint\">None.</p>\n");
        return;
    };
    let last = names.last();
    html.markup("<p class=\"faint\">at most ")
        .text(Thousands(highest))
        .markup(unit)
        .markup("</p>\n<svg class=\"plot\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"bars, described above and below\" viewBox=\"0 0 ")
        .text(buckets.count() * 10)
        .markup(" 200\">\n");
    for (place, point, value) in buckets.points() {
        let height = (value * HEIGHT).div_ceil(highest.max(1));
        html.markup("<rect width=\"9\" x=\"")
            .text(point * 10)
            .markup("\" y=\"")
            .text(HEIGHT - height)
            .markup("\" height=\"")
            .text(height)
            .markup("\"><title>")
            .text(name(place))
            .markup(": ")
            .text(Thousands(value))
            .markup(unit)
            .markup("</title></rect>\n");
    }
    html.markup("</svg>\n<p class=\"faint ends\"><span>")
        .text(first)
        .markup("</span><span>")
        .text(last.unwrap_or_default())
        .markup("</span></p>\n");
}
