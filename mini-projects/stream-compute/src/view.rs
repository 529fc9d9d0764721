//! A running job on a terminal.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_model::Clock;
use message_model::{Moment, Timestamp};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::civil_time::Utc;
use crate::report::Report;
use crate::terminal::{Style, StyledLine, Terminal};
use crate::thousands::Thousands;

/// How often a frame is drawn.
const INTERVAL: Duration = Duration::from_millis(250);
/// The rate is that of so many intervals.
const RATE_INTERVALS: usize = 12;
/// How many addresses are shown.
const TOP: usize = 10;
/// How long the longest bar is, in characters.
const BAR: u64 = 24;
/// The watermark of a source that has ended is above all times that there are.
const LAST_TIME: Timestamp = Timestamp(253_402_300_799_000);

/// Draws what a [`Report`] keeps, a few times a second. The job never waits for it.
#[derive(Debug)]
pub struct View {
    end: oneshot::Sender<()>,
    drawing: JoinHandle<io::Result<()>>,
}

impl View {
    /// Begins to draw on standard output.
    #[must_use]
    pub fn start(report: Arc<Report>, has_colour: bool) -> View {
        let (end, ended) = oneshot::channel();
        let drawing = tokio::spawn(draw(report, has_colour, ended));
        View { end, drawing }
    }

    /// Draws for the last time, and then writes the lines that stay: the topics, and the verdict if
    /// there is one.
    ///
    /// # Errors
    /// When the terminal cannot be written.
    pub async fn end(self) -> io::Result<()> {
        // If it has ended by itself, its outcome says why.
        let _ = self.end.send(());
        self.drawing.await.map_err(io::Error::other)?
    }
}

async fn draw(
    report: Arc<Report>,
    has_colour: bool,
    mut ended: oneshot::Receiver<()>,
) -> io::Result<()> {
    let clock = Clock::start();
    let terminal = Terminal::start(has_colour);
    let mut seen = Seen::default();
    loop {
        let now = clock.now();
        terminal.draw(seen.frame(&report, now));
        tokio::select! {
            _ = &mut ended => break,
            () = clock.sleep_until(now.plus(INTERVAL)) => {}
        }
    }
    let last = seen.frame(&report, clock.now());
    let words = ["topics", "resumed", "verdict"];
    let lines = words.iter().filter_map(|word| report.kept(word)).collect();
    let ending = tokio::task::spawn_blocking(move || terminal.end(last, lines));
    ending.await.map_err(io::Error::other)?
}

/// What earlier frames have shown.
#[derive(Debug, Default)]
struct Seen {
    /// When how many lines were counted; the latest come last.
    counted: VecDeque<(Moment, u64)>,
    /// The last checkpoint, and when it was seen first.
    checkpoint: Option<(u64, Moment)>,
}

impl Seen {
    fn frame(&mut self, report: &Report, now: Moment) -> Vec<StyledLine> {
        let meters = &report.meters;
        let (rows, checkpoint, top, is_rough) = {
            let noted = meters.noted();
            let tops = &noted.tops;
            (
                noted.rows,
                noted.checkpoints.last(),
                tops.top(TOP),
                tops.is_rough(),
            )
        };
        let (late, bad) = (
            meters.counters.late.total(),
            meters.counters.unparsable.total() + meters.too_long(),
        );
        let counted = meters.counted();
        let rate = self.rate(now, counted);
        let plain = |text| StyledLine {
            style: Style::Plain,
            text,
        };
        let mut frame = vec![
            plain(format!(
                "counted     {} lines, {}/s",
                Thousands(counted),
                Thousands(rate)
            )),
            plain(format!("lag         {} lines", Thousands(meters.lag()))),
            plain(format!(
                "watermark   {}",
                watermark(meters.counters.requests.watermark())
            )),
            StyledLine {
                style: if late + bad > 0 {
                    Style::Warning
                } else {
                    Style::Plain
                },
                text: format!(
                    "not counted {} late, {} bad",
                    Thousands(late),
                    Thousands(bad)
                ),
            },
            plain(format!("rows        {} committed", Thousands(rows))),
        ];
        let checkpoint = checkpoint.map(|last| {
            if self.checkpoint.is_none_or(|(id, _)| id != last.id) {
                self.checkpoint = Some((last.id, now));
            }
            let seen = self.checkpoint.map_or(now, |(_, seen)| seen);
            let (ago, took) = (now.since(seen).as_secs(), last.took.as_millis());
            format!("{}, {ago} s ago, took {took} ms", last.id)
        });
        let checkpoint = checkpoint.unwrap_or_else(|| "none yet".to_owned());
        frame.push(plain(format!("checkpoint  {checkpoint}")));
        frame.extend(top_lines(&top, is_rough));
        surrounded(report, frame)
    }

    /// Lines a second. A job that is resumed begins with what it has counted before.
    fn rate(&mut self, now: Moment, counted: u64) -> u64 {
        if counted > 0 {
            self.counted.push_back((now, counted));
        }
        if self.counted.len() > RATE_INTERVALS + 1 {
            self.counted.pop_front();
        }
        let Some((since, before)) = self.counted.front() else {
            return 0;
        };
        let millis = u64::try_from(now.since(*since).as_millis()).unwrap_or(u64::MAX);
        (counted.saturating_sub(*before) * 1000) / millis.max(1)
    }
}

/// With the lines about the job above, and those about the queue below.
fn surrounded(report: &Report, frame: Vec<StyledLine>) -> Vec<StyledLine> {
    let kept = |style, word| {
        let text = report.kept(word)?;
        Some(StyledLine { style, text })
    };
    let title = StyledLine {
        style: Style::Title,
        text: "ip-count".to_owned(),
    };
    let mut lines = vec![title];
    lines.extend(kept(Style::Faint, "topics"));
    lines.extend(kept(Style::Faint, "resumed"));
    lines.extend(kept(Style::Warning, "queue"));
    lines.extend(frame);
    lines
}

fn top_lines(top: &[(std::net::IpAddr, u64)], is_rough: bool) -> Vec<StyledLine> {
    let Some((_, highest)) = top.first() else {
        return Vec::new();
    };
    let about = if is_rough { ", about" } else { "" };
    let mut lines = vec![StyledLine {
        style: Style::Faint,
        text: format!("  requests  in committed rows{about}"),
    }];
    let names = top.iter().map(|(ip, _)| ip.to_string());
    let width = names.map(|name| name.len()).max().unwrap_or(0);
    for (ip, count) in top {
        let bar = usize::try_from((count * BAR).div_ceil((*highest).max(1))).unwrap_or(0);
        let (count, bar) = (Thousands(*count).to_string(), "#".repeat(bar));
        lines.push(StyledLine {
            style: Style::Plain,
            text: format!("{count:>10}  {:<width$}  {bar}", ip.to_string()),
        });
    }
    lines
}

fn watermark(watermark: Option<Timestamp>) -> String {
    match watermark {
        None => "none yet".to_owned(),
        Some(time) if time > LAST_TIME => "at the end of the input".to_owned(),
        Some(time) => Utc(time).to_string(),
    }
}
