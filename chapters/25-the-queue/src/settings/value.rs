//! Values of settings: what they may be, and how they are read.

use std::fmt;
use std::time::Duration;

use log_storage::Cleanup;

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Things.
    One,
    /// Bytes.
    Bytes,
    /// Milliseconds.
    Millis,
    /// Minutes.
    Minutes,
}

/// What a value may be. Displays as words that follow "give".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Number {
        /// What it counts.
        unit: Unit,
        /// The smallest.
        min: i64,
        /// The largest.
        max: i64,
    },
    /// A whole number, or -1 for "no limit".
    Limit {
        /// What it counts.
        unit: Unit,
    },
    /// `HOST:PORT` or `HOST`.
    Address,
    /// A number from 0 to 1.
    Ratio,
    /// How a log gets rid of old records.
    CleanupPolicy,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Flag => f.write_str("true or false"),
            Kind::Number { unit, min, max } => write!(f, "{unit} from {min} to {max}"),
            Kind::Limit { unit } => write!(f, "{unit} from 0 on, or -1 for no limit"),
            Kind::Address => f.write_str("HOST:PORT, or HOST for the port that is listened on"),
            Kind::Ratio => f.write_str("a number from 0 to 1"),
            Kind::CleanupPolicy => {
                f.write_str("delete, compact, both with a comma in between, or nothing")
            }
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unit::One => "a number",
            Unit::Bytes => "a number of bytes",
            Unit::Millis => "a number of milliseconds",
            Unit::Minutes => "a number of minutes",
        })
    }
}

impl Kind {
    /// The number in `text`, if this kind allows it; `None` inside is "no limit".
    fn number(self, text: &str) -> Option<Option<i64>> {
        let number: i64 = text.parse().ok()?;
        match self {
            Kind::Number { min, max, .. } => (min..=max).contains(&number).then_some(Some(number)),
            Kind::Limit { .. } if number == -1 => Some(None),
            Kind::Limit { .. } => (number >= 0).then_some(Some(number)),
            Kind::Flag | Kind::Address | Kind::Ratio | Kind::CleanupPolicy => None,
        }
    }
}

/// Where clients are told to connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advertised {
    /// A name or an address that clients can reach.
    pub host: String,
    /// `None`: the port that is listened on.
    pub port: Option<u16>,
}

/// A type that a setting can have.
pub(super) trait Value: Sized {
    /// Reads a value that `kind` allows.
    fn parse(kind: Kind, text: &str) -> Option<Self>;
}

macro_rules! numbers {
    ($($type:ty),*) => {$(
        impl Value for $type {
            fn parse(kind: Kind, text: &str) -> Option<$type> {
                <$type>::try_from(kind.number(text)??).ok()
            }
        }
    )*};
}
numbers!(i32, u32, usize);

impl Value for bool {
    fn parse(_kind: Kind, text: &str) -> Option<bool> {
        text.parse().ok()
    }
}

impl Value for f64 {
    fn parse(_kind: Kind, text: &str) -> Option<f64> {
        text.parse()
            .ok()
            .filter(|ratio| (0.0..=1.0).contains(ratio))
    }
}

impl Value for Cleanup {
    fn parse(_kind: Kind, text: &str) -> Option<Cleanup> {
        broker::parse_cleanup_policy(text)
    }
}

impl Value for Duration {
    fn parse(kind: Kind, text: &str) -> Option<Duration> {
        let number = kind.number(text)??.try_into().ok()?;
        Some(match kind {
            Kind::Number {
                unit: Unit::Minutes,
                ..
            } => Duration::from_mins(number),
            _ => Duration::from_millis(number),
        })
    }
}

impl Value for Option<Duration> {
    fn parse(kind: Kind, text: &str) -> Option<Option<Duration>> {
        match kind.number(text)? {
            Some(millis) => Some(Some(Duration::from_millis(millis.try_into().ok()?))),
            None => Some(None),
        }
    }
}

impl Value for Option<u64> {
    fn parse(kind: Kind, text: &str) -> Option<Option<u64>> {
        match kind.number(text)? {
            Some(number) => Some(Some(number.try_into().ok()?)),
            None => Some(None),
        }
    }
}

impl Value for Option<Advertised> {
    /// The empty text is "not set". Kafka's `PLAINTEXT://` in front is fine.
    fn parse(_kind: Kind, text: &str) -> Option<Option<Advertised>> {
        if text.is_empty() {
            return Some(None);
        }
        let address = text.strip_prefix("PLAINTEXT://").unwrap_or(text);
        let (host, port) = match address.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok()?)),
            None => (address, None),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:".contains(&byte);
        let well_formed = !host.is_empty() && host.bytes().all(allowed) && port != Some(0);
        well_formed.then(|| {
            Some(Advertised {
                host: host.to_owned(),
                port,
            })
        })
    }
}
