//! Values of settings: what they may be, and how they are read.

use std::fmt;
use std::time::Duration;

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Things.
    One,
    /// Bytes.
    Bytes,
    /// Milliseconds.
    Millis,
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
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Flag => f.write_str("true or false"),
            Kind::Number { unit, min, max } => write!(f, "{unit} from {min} to {max}"),
            Kind::Limit { unit } => write!(f, "{unit} from 0 on, or -1 for no limit"),
            Kind::Address => f.write_str("HOST:PORT, or HOST for the port that is listened on"),
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unit::One => "a number",
            Unit::Bytes => "a number of bytes",
            Unit::Millis => "a number of milliseconds",
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
            Kind::Flag | Kind::Address => None,
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

impl Value for Duration {
    fn parse(kind: Kind, text: &str) -> Option<Duration> {
        Some(Duration::from_millis(kind.number(text)??.try_into().ok()?))
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
