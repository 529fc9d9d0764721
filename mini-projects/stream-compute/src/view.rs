//! A running job on a terminal.

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_model::Clock;
use message_model::{Moment, Timestamp};
use stream_engine::Completed;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::civil_time::Utc;
use crate::report::Report;
use crate::terminal::{self, INDENT, Style, StyledLine, Terminal};
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
    /// Begins to draw on standard output, which must be a terminal.
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
        let mut frame = about(&report);
        frame.extend(seen.numbers(&report, now, terminal::size().0));
        terminal.draw(titled(frame));
        tokio::select! {
            _ = &mut ended => break,
            () = clock.sleep_until(now.plus(INTERVAL)) => {}
        }
    }
    // The lines about the job follow, whole.
    let last = titled(seen.numbers(&report, clock.now(), terminal::size().0));
    let words = ["topics", "resumed", "input", "verdict"];
    let lines = words.iter().filter_map(|word| report.kept(word));
    // The name of a file may have any characters.
    let lines = lines.map(|line| line.replace(char::is_control, "?"));
    let lines = lines.collect();
    let ending = tokio::task::spawn_blocking(move || terminal.end(last, lines));
    ending.await.map_err(io::Error::other)?
}

/// What a frame needs to know of earlier ones.
#[derive(Debug, Default)]
struct Seen {
    /// When how many lines were counted; the latest come last.
    counted: VecDeque<(Moment, u64)>,
    /// The last checkpoint, and when it was seen first.
    checkpoint: Option<(u64, Moment)>,
    /// When the queue was seen last that did not leave a call without an answer, and the lag then.
    answered: Option<(Moment, Option<u64>)>,
}

impl Seen {
    /// What has come of the job so far, on a terminal that is so many columns wide.
    fn numbers(&mut self, report: &Report, now: Moment, columns: usize) -> Vec<StyledLine> {
        let meters = &report.meters;
        let (rows, checkpoint, lag, top, is_rough) = {
            let noted = meters.noted();
            let tops = &noted.tops;
            (
                noted.rows,
                noted.checkpoints.last(),
                noted.lag,
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
        let (queue, lag) = self.queue(report, now, lag);
        let mut frame: Vec<_> = queue.into_iter().collect();
        frame.extend([
            plain(format!(
                "counted     {} lines, {}/s",
                Thousands(counted),
                Thousands(rate)
            )),
            lag,
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
        ]);
        let checkpoint = checkpoint.map(|last| self.checkpoint(last, now));
        let checkpoint = checkpoint.unwrap_or_else(|| "none yet".to_owned());
        frame.push(plain(format!("checkpoint  {checkpoint}")));
        frame.extend(top_lines(&top, is_rough, columns));
        frame
    }

    /// A line about the queue while it leaves a call without an answer, and that of the lag, which
    /// cannot be known meanwhile.
    fn queue(
        &mut self,
        report: &Report,
        now: Moment,
        lag: Option<u64>,
    ) -> (Option<StyledLine>, StyledLine) {
        let is_silent = report.meters.is_silent();
        if !is_silent {
            self.answered = Some((now, lag));
        }
        let (answered, known) = *self.answered.get_or_insert((now, None));
        let seconds = now.since(answered).as_secs();
        let lag = match known.map(Thousands) {
            Some(known) if is_silent => format!("unknown; {known} lines {seconds} s ago"),
            Some(known) => format!("{known} lines"),
            None => "unknown".to_owned(),
        };
        let silence = report.patience().filter(|_| is_silent).map(|patience| {
            let patience = match patience.as_secs() {
                patience if patience < seconds => String::new(),
                patience => format!("; waiting for up to {patience} s"),
            };
            // A job that wants nothing of the queue does not end then.
            format!("queue       no answer for {seconds} s{patience}")
        });
        let line = |style, text| StyledLine { style, text };
        (
            silence.map(|text| line(Style::Warning, text)),
            line(Style::Plain, format!("lag         {lag}")),
        )
    }

    fn checkpoint(&mut self, last: Completed, now: Moment) -> String {
        if self.checkpoint.is_none_or(|(id, _)| id != last.id) {
            self.checkpoint = Some((last.id, now));
        }
        let seen = self.checkpoint.map_or(now, |(_, seen)| seen);
        let (ago, took) = (now.since(seen).as_secs(), last.took.as_millis());
        format!("{}, {ago} s ago, took {took} ms", last.id)
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

/// What the job has said about itself, about lines of a log that are lost, and about its last
/// transaction if that failed.
fn about(report: &Report) -> Vec<StyledLine> {
    let words = [
        (Style::Faint, "topics"),
        (Style::Faint, "resumed"),
        (Style::Warning, "input"),
        (Style::Warning, "queue"),
        (Style::Warning, "stopping"),
    ];
    let kept = words.into_iter().filter_map(|(style, word)| {
        let text = report.kept(word)?;
        // The name of a file may have any characters.
        let text = text.replace(|letter: char| !matches!(letter, ' '..='~'), "?");
        Some(StyledLine { style, text })
    });
    kept.collect()
}

fn titled(lines: Vec<StyledLine>) -> Vec<StyledLine> {
    let title = StyledLine {
        style: Style::Title,
        text: "ip-count".to_owned(),
    };
    [vec![title], lines].concat()
}

/// The addresses with the most requests. Their bars are as long as the terminal allows, and an
/// address that is too long loses its middle.
fn top_lines(top: &[(IpAddr, u64)], is_rough: bool, columns: usize) -> Vec<StyledLine> {
    let Some((_, highest)) = top.first() else {
        return Vec::new();
    };
    let about = if is_rough { ", about" } else { "" };
    let mut lines = vec![StyledLine {
        style: Style::Faint,
        text: format!("  requests  in committed rows{about}"),
    }];
    let room = columns.saturating_sub(INDENT + 1);
    let name = |ip: &IpAddr| without_middle(ip.to_string(), room);
    let width = top.iter().map(|(ip, _)| name(ip).len()).max().unwrap_or(0);
    let longest = u64::try_from(room.saturating_sub(width + 2)).map_or(BAR, |room| room.min(BAR));
    for (ip, count) in top {
        let bar = usize::try_from((count * longest).div_ceil((*highest).max(1))).unwrap_or(0);
        let (count, bar) = (Thousands(*count).to_string(), "#".repeat(bar));
        let text = format!("{count:>10}  {:<width$}  {bar}", name(ip));
        lines.push(StyledLine {
            style: Style::Plain,
            text: text.trim_end().to_owned(),
        });
    }
    lines
}

/// At most so many characters of an address: both ends, which tell it from others.
fn without_middle(address: String, room: usize) -> String {
    const GAP: &str = "..";
    if address.len() <= room {
        return address;
    }
    let kept = room.saturating_sub(GAP.len());
    let end = address.len() - kept / 2;
    format!("{}{GAP}{}", &address[..kept.div_ceil(2)], &address[end..])
}

fn watermark(watermark: Option<Timestamp>) -> String {
    match watermark {
        None => "none yet".to_owned(),
        Some(time) if time > LAST_TIME => "at the end of the input".to_owned(),
        Some(time) => Utc(time).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_fit_and_addresses_that_do_not_lose_their_middle() {
        let top = |ips: [&str; 2], columns| {
            let top = [
                (ips[0].parse().unwrap(), 2_000),
                (ips[1].parse().unwrap(), 500),
            ];
            let lines = top_lines(&top, false, columns);
            [&lines[1], &lines[2]].map(|line| line.text.clone())
        };
        let short = ["192.0.2.1", "192.0.2.100"];
        let wide = [
            "     2,000  192.0.2.1    ########################",
            "       500  192.0.2.100  ######",
        ];
        assert_eq!(top(short, 80), wide);
        assert_eq!(top(short, 50), wide);
        let narrow = [
            "     2,000  192.0.2.1    ##############",
            "       500  192.0.2.100  ####",
        ];
        assert_eq!(top(short, 40), narrow);
        let long = [
            "2001:db8:85a3:1234:5678:8a2e:1370:7331",
            "2001:db8:85a3:1234:5678:8a2e:1370:7332",
        ];
        let whole = [
            "     2,000  2001:db8:85a3:1234:5678:8a2e:1370:7331",
            "       500  2001:db8:85a3:1234:5678:8a2e:1370:7332",
        ];
        assert_eq!(top(long, 51), whole);
        let shortened = [
            "     2,000  2001:db8:85a3..2e:1370:7331",
            "       500  2001:db8:85a3..2e:1370:7332",
        ];
        assert_eq!(top(long, 40), shortened);
        assert_eq!(top(long, 1), ["     2,000  ..", "       500  .."]);
    }
}
