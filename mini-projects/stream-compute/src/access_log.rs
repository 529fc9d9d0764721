//! Lines of a web server's access log.
//!
//! # Format
//! Common log format: `host ident user [time] "request" status bytes`. The
//! combined format adds `"referer" "user agent"`; what is behind that
//! (servers are configured to log more) is not looked at. Time:
//! `17/May/2015:10:05:03 +0000`. In quotes, a backslash takes the next
//! character's meaning away.

use std::net::IpAddr;

use message_model::Timestamp;

use crate::civil_time::parse_log_time;

/// The times of lines that are counted, in milliseconds: the years 1 to 9998, UTC. A window that
/// holds one of them is within the years 0 to 9999, because it is not longer than a year.
const TIMES: std::ops::Range<i64> = -62_135_596_800_000..253_370_764_800_000;

/// A request, as far as the job looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// The client's address. An IPv4 address that is dressed up as IPv6 is an IPv4 address again.
    pub ip: IpAddr,
    /// When the web server logged it, by its own clock, in whole seconds.
    pub time: Timestamp,
}

/// Why a line is not one of an access log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unparsable {
    /// Nothing before the line end.
    #[error("the line is empty")]
    Empty,
    /// Longer than [`LINE_BYTES_MAX`](crate::LINE_BYTES_MAX), so it was not sent to the queue.
    #[error("the line is longer than 64 KiB")]
    TooLong,
    /// Strangers send any bytes, and not all servers escape them.
    #[error("the line is not UTF-8")]
    NotUtf8,
    /// For example a host name, which a server logs if it is told to look names up.
    #[error("it does not begin with an IP address")]
    Address,
    /// No time in brackets, or one that does not exist.
    #[error("it has no time like [17/May/2015:10:05:03 +0000]")]
    Time,
    /// A quote is not opened or not closed: often the line was cut off.
    #[error("request, referer or user agent is not in quotes")]
    Quotes,
    /// What follows the request is no HTTP status.
    #[error("the status is not three digits")]
    Status,
    /// How many bytes were sent; a server writes `-` for none.
    #[error("the size is not a number")]
    Size,
    /// No window of it could be written and read back: see [`SPAN_MAX`](crate::SPAN_MAX).
    #[error("its time is not in the years 1 to 9998")]
    Year,
}

impl Unparsable {
    /// All, in the order of their numbers.
    pub(crate) const ALL: [Unparsable; 9] = [
        Unparsable::Empty,
        Unparsable::TooLong,
        Unparsable::NotUtf8,
        Unparsable::Address,
        Unparsable::Time,
        Unparsable::Quotes,
        Unparsable::Status,
        Unparsable::Size,
        Unparsable::Year,
    ];
}

/// Reads a line, without its line end.
///
/// # Errors
/// The first thing that is wrong with it, from left to right.
pub fn parse(line: &[u8]) -> Result<Hit, Unparsable> {
    let line = std::str::from_utf8(line).map_err(|_| Unparsable::NotUtf8)?;
    if line.trim().is_empty() {
        return Err(Unparsable::Empty);
    }
    let (host, rest) = line.split_once(' ').ok_or(Unparsable::Address)?;
    let ip: IpAddr = host.parse().map_err(|_| Unparsable::Address)?;
    // The user's name may have spaces in it: look for the bracket.
    let (_, rest) = rest.split_once(" [").ok_or(Unparsable::Time)?;
    let (time, rest) = rest.split_once("] ").ok_or(Unparsable::Time)?;
    let time = parse_log_time(time).ok_or(Unparsable::Time)?;
    if !TIMES.contains(&time.0) {
        return Err(Unparsable::Year);
    }
    let rest = skip_quoted(rest).ok_or(Unparsable::Quotes)?;
    let (status, rest) = next_word(rest);
    if status.len() != 3 || !is_number(status) {
        return Err(Unparsable::Status);
    }
    let (size, rest) = next_word(rest);
    if size != "-" && !is_number(size) {
        return Err(Unparsable::Size);
    }
    if !rest.is_empty() {
        skip_quoted(rest)
            .and_then(skip_quoted)
            .ok_or(Unparsable::Quotes)?;
    }
    Ok(Hit {
        ip: ip.to_canonical(),
        time,
    })
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The text up to the next space, and what follows the space.
fn next_word(text: &str) -> (&str, &str) {
    text.split_once(' ').unwrap_or((text, ""))
}

/// What follows a quoted text and the space behind it.
fn skip_quoted(text: &str) -> Option<&str> {
    let mut inside = text.strip_prefix('"')?.char_indices();
    while let Some((position, character)) = inside.next() {
        match character {
            '\\' => _ = inside.next(),
            '"' => {
                let rest = &text[position + 2..];
                return if rest.is_empty() {
                    Some(rest)
                } else {
                    rest.strip_prefix(' ')
                };
            }
            _ => {}
        }
    }
    None
}
