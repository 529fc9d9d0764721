//! A terminal on which a few lines are drawn again and again in the same place.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

/// The column in which the values of a view begin. What is too long for a line goes on there.
pub(crate) const INDENT: usize = 12;

/// How a line stands out from others, if there are colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Title,
    Faint,
    Warning,
}

/// A line of ASCII text, without control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StyledLine {
    pub(crate) style: Style,
    pub(crate) text: String,
}

/// What the thread that writes is to do.
enum Message {
    /// Draw these lines in place of the frame before.
    Frame(Vec<StyledLine>),
    /// Write these below the last frame, where they stay.
    Lines(Vec<String>),
}

/// Standard output, written by a thread of its own. A terminal that takes nothing (Ctrl-S) holds up
/// the thread, and the frames that come in the meantime are dropped.
#[derive(Debug)]
pub(crate) struct Terminal {
    messages: SyncSender<Message>,
    thread: JoinHandle<io::Result<()>>,
}

impl Terminal {
    pub(crate) fn start(has_colour: bool) -> Terminal {
        let (messages, received) = sync_channel(1);
        Terminal {
            messages,
            thread: thread::spawn(move || write(&received, has_colour)),
        }
    }

    /// Draws a frame, unless the one before it is still waiting. Never waits.
    pub(crate) fn draw(&self, frame: Vec<StyledLine>) {
        // An error is reported at the end.
        let _ = self.messages.try_send(Message::Frame(frame));
    }

    /// Draws the last frame, and lines below it. Waits for the terminal.
    pub(crate) fn end(self, frame: Vec<StyledLine>, lines: Vec<String>) -> io::Result<()> {
        let Terminal { messages, thread } = self;
        let _ = messages.send(Message::Frame(frame));
        let _ = messages.send(Message::Lines(lines));
        drop(messages);
        thread
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

fn write(messages: &Receiver<Message>, has_colour: bool) -> io::Result<()> {
    let mut drawn = Drawn::default();
    while let Ok(message) = messages.recv() {
        let bytes = match message {
            Message::Frame(frame) => drawn.redraw(&frame, size(), has_colour),
            Message::Lines(lines) => lines.into_iter().map(|line| line + "\n").collect(),
        };
        let mut out = io::stdout().lock();
        out.write_all(bytes.as_bytes())?;
        out.flush()?;
    }
    Ok(())
}

/// Returns columns and rows of the terminal; 80 and 24 if it does not know them.
pub(crate) fn size() -> (usize, usize) {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok();
    // One that does not know says 0.
    let known = |length: u16, otherwise| match length {
        0 => otherwise,
        length => usize::from(length),
    };
    let size = size.map(|size| (known(size.ws_col, 80), known(size.ws_row, 24)));
    size.unwrap_or((80, 24))
}

/// The lengths of the lines that are on the terminal.
#[derive(Debug, Default)]
struct Drawn(Vec<usize>);

impl Drawn {
    /// The bytes that replace what is drawn. The cursor is left in the line below.
    fn redraw(
        &mut self,
        frame: &[StyledLine],
        (columns, rows): (usize, usize),
        has_colour: bool,
    ) -> String {
        // A line may have become longer than the terminal is wide.
        let lines = self.0.iter();
        let above: usize = lines.map(|length| length.div_ceil(columns).max(1)).sum();
        let mut bytes = "\r".to_owned();
        if above > 0 {
            bytes += &format!("\x1b[{above}A");
        }
        self.0.clear();
        // The last column stays free: some terminals go to the next line with it.
        let lines = frame.iter().flat_map(|StyledLine { style, text }| {
            let lines = wrapped(text, columns - 1);
            lines.into_iter().map(|line| (*style, line))
        });
        for (style, shown) in lines.take(rows - 1) {
            self.0.push(shown.len());
            let code = match style {
                Style::Title if has_colour => "1",
                Style::Faint if has_colour => "2",
                Style::Warning if has_colour => "33",
                _ => "",
            };
            bytes += &match code {
                "" => format!("{shown}\x1b[K\n"),
                code => format!("\x1b[{code}m{shown}\x1b[0m\x1b[K\n"),
            };
        }
        bytes + "\x1b[J"
    }
}

/// A text as lines that are at most so wide, broken at spaces; within a word only if that has no
/// room by itself. Where the indent would be most of a line, the text is cut.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let (mut lines, mut rest) = (Vec::new(), text.to_owned());
    while width >= 2 * INDENT
        && let Some((end, next)) = rest.char_indices().nth(width)
    {
        let space = match next {
            ' ' => Some(end),
            _ => rest[..end].rfind(' '),
        };
        let (line, behind) = rest.split_at(space.filter(|at| *at > INDENT).unwrap_or(end));
        lines.push(line.trim_end().to_owned());
        rest = " ".repeat(INDENT) + behind.trim_start();
    }
    lines.push(rest.chars().take(width).collect());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(texts: &[&str]) -> Vec<StyledLine> {
        let line = |text: &&str| StyledLine {
            style: Style::Title,
            text: (*text).to_owned(),
        };
        texts.iter().map(line).collect()
    }

    #[test]
    fn a_frame_replaces_the_one_before_also_when_its_lines_are_broken() {
        let mut drawn = Drawn::default();
        let frame = lines(&["123456789", "", "12"]);
        let first = drawn.redraw(&frame, (80, 24), false);
        assert_eq!(first, "\r123456789\x1b[K\n\x1b[K\n12\x1b[K\n\x1b[J");
        let narrow = drawn.redraw(&frame, (4, 24), false);
        assert_eq!(narrow, "\r\x1b[5A123\x1b[K\n\x1b[K\n12\x1b[K\n\x1b[J");
        let low = drawn.redraw(&frame, (80, 2), true);
        assert_eq!(low, "\r\x1b[3A\x1b[1m123456789\x1b[0m\x1b[K\n\x1b[J");
        let tiny = drawn.redraw(&frame, (1, 1), true);
        assert_eq!(tiny, "\r\x1b[9A\x1b[J");
    }

    #[test]
    fn a_line_that_is_too_long_goes_on_in_the_column_of_the_values() {
        let of = |text: &str| wrapped(text, 24).join("|");
        assert_eq!(of("queue       all 24 chars"), "queue       all 24 chars");
        assert_eq!(
            of("queue       all 25 charss"),
            "queue       all 25|            charss"
        );
        assert_eq!(
            of("queue    one word       more"),
            "queue    one word|            more"
        );
        let long = "topic a-name-that-is-very-very-long x";
        let broken = "topic a-name-that-is-ver|            y-very-long|            x";
        assert_eq!(of(long), broken);
        assert_eq!(
            of(&"\u{e4}".repeat(25))
                .chars()
                .filter(|c| *c == '|')
                .count(),
            1
        );
        assert_eq!(
            wrapped("queue       24 charss", 20),
            ["queue       24 chars"]
        );
        let lines = lines(&["queue       all 25 charss", "lag"]);
        let two = Drawn::default().redraw(&lines, (25, 3), false);
        assert_eq!(
            two,
            "\rqueue       all 25\x1b[K\n            charss\x1b[K\n\x1b[J"
        );
    }
}
