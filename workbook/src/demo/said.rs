//! What `ip-count` says, line by line; its README has the grammar.

/// One line of its output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said<'a> {
    /// So many lines are safe in the queue.
    Acknowledged(u64),
    /// A row: window, address, count.
    Row(&'a str),
    /// So many rows were not shown.
    More(u64),
    /// A line of the input that is not counted, and why.
    Side(&'a str),
    /// The queue does not answer, or answers again.
    Queue(&'a str),
    /// Where a job that was killed goes on.
    Resumed(&'a str),
    /// The last line.
    Verdict {
        /// Whether every row is right.
        is_right: bool,
        /// The whole line.
        text: &'a str,
    },
    /// Something that the demo does not show.
    Other,
}

impl Said<'_> {
    /// Reads one line.
    #[must_use]
    pub fn parse(line: &str) -> Said<'_> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let number = || rest.split(' ').next().and_then(|word| word.parse().ok());
        match word {
            "acknowledged" => number().map_or(Said::Other, Said::Acknowledged),
            "row" => Said::Row(rest),
            "rows" => number().map_or(Said::Other, Said::More),
            "side" => Said::Side(rest),
            "queue" => Said::Queue(line),
            "resumed" => Said::Resumed(line),
            "verdict:" => Said::Verdict {
                is_right: rest.starts_with("OK"),
                text: line,
            },
            _ => Said::Other,
        }
    }
}

/// A row for a narrow screen: `2015-05-20 10:05:00 to 10:05:05  127.0.0.1  3`.
#[must_use]
pub fn short_row(row: &str) -> String {
    let words: Vec<&str> = row.split(' ').collect();
    let [start, end, address, count] = words[..] else {
        return row.to_owned();
    };
    let (Some((day, start)), Some((_, end))) = (start.split_once('T'), end.split_once('T')) else {
        return row.to_owned();
    };
    let (start, end) = (start.trim_end_matches('Z'), end.trim_end_matches('Z'));
    format!("{day} {start} to {end}  {address:<15}  {count:>4}")
}
