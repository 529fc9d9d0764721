//! Names of files that were rotated.

use std::ffi::OsStr;

/// The highest number that is taken in front of the extension. A higher one is more likely that of
/// another log, as in `access.443.log`.
const NUMBER_BEFORE_EXTENSION_MAX: u64 = 99;

/// What `logrotate` adds to the name of a log when it gives its file another name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RotatedName {
    /// As in `access.log.1` and `access.1.log`. The file with the higher number is the older one.
    Number(u64),
    /// A day, an hour, a week or seconds since 1970, as in `access.log-20261129` and
    /// `access-20261129.log`.
    Date,
}

impl RotatedName {
    /// Returns what was added to the name `log`; `None` if `name` is no name of a file that was
    /// rotated and is not compressed. A number such as that in `access-443.log` is no date, so
    /// this is another log.
    #[must_use]
    pub fn of(name: &OsStr, log: &OsStr) -> Option<RotatedName> {
        let (name, log) = (name.as_encoded_bytes(), log.as_encoded_bytes());
        if let Some(tag) = name.strip_prefix(log) {
            return RotatedName::read(tag);
        }
        let dot = log.iter().rposition(|byte| *byte == b'.')?;
        let (stem, extension) = log.split_at(dot);
        let tag = name.strip_prefix(stem)?.strip_suffix(extension)?;
        let is_likely = |found: &RotatedName| match found {
            RotatedName::Number(number) => *number <= NUMBER_BEFORE_EXTENSION_MAX,
            RotatedName::Date => true,
        };
        RotatedName::read(tag).filter(is_likely)
    }

    fn read(tag: &[u8]) -> Option<RotatedName> {
        let (separator, tag) = tag.split_first()?;
        let tag = std::str::from_utf8(tag).ok()?;
        let is_number = tag.bytes().all(|byte| byte.is_ascii_digit());
        match separator {
            b'.' | b'-' | b'_' if is_date(tag) => Some(RotatedName::Date),
            b'.' if is_number => tag.parse().ok().map(RotatedName::Number),
            _ => None,
        }
    }
}

/// Whether this is `2026-11-29`, with more or less behind the year and with or without separators.
/// A point is none, because an address such as `192.0.2.1` has points.
fn is_date(tag: &str) -> bool {
    let digits = tag.replace(['-', '_', ':', 'T'], "");
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    let part = |from, to| digits.get(from..to).and_then(|part| part.parse().ok());
    let is_in = |part: Option<u32>, least, most| part.is_some_and(|it| least <= it && it <= most);
    let has_year = is_in(part(0, 4), 1970, 2099);
    let is_day = is_in(part(4, 6), 1, 12) && is_in(part(6, 8), 1, 31);
    let is_date = match digits.len() {
        // A month or a week.
        6 => has_year && is_in(part(4, 6), 1, 53),
        // Ten digits may be seconds: those of the years 2001 to 2065.
        10 => has_year && is_day || is_in(part(0, 1), 1, 2) && !has_year && tag.len() == 10,
        8..=14 => has_year && is_day,
        _ => false,
    };
    is_number && is_date
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_rotated_files() {
        let of = |name: &str, log: &str| RotatedName::of(name.as_ref(), log.as_ref());
        for (name, number) in [
            ("access.log.1", 1),
            ("access.log.443", 443),
            ("access.1.log", 1),
        ] {
            let wanted = Some(RotatedName::Number(number));
            assert_eq!(of(name, "access.log"), wanted, "{name}");
        }
        for name in [
            "access.log-20261129",
            "access.log-20261129-14",
            "access.log-2026112914",
            "access.log.2026-11-29T14:00",
            "access.log-1795953600",
            "access.log_202648",
            "access-20261129.log",
            "access.2026-11.log",
        ] {
            assert_eq!(of(name, "access.log"), Some(RotatedName::Date), "{name}");
        }
        for name in [
            "access.log",
            "access.log.",
            "access.log2",
            "access.log.bak",
            "access.log.gz",
            "access.log-443",
            "access.log.+1",
            "access.log-20261329",
            "access.log-2026112_",
            "access-443.log",
            "access.443.log",
            "access-1.log",
            "access-192.168.100.17.log",
            "access-202.101.12.5.log",
            "access-30012345.log",
            "access-9795953600.log",
            "error.log.1",
            "other_access.log.1",
            "access.logs.1",
            "log",
        ] {
            assert_eq!(of(name, "access.log"), None, "{name}");
        }
        assert_eq!(of("log.1", "log"), Some(RotatedName::Number(1)));
    }
}
