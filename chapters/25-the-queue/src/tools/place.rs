//! Where in a partition: at its beginning, its end, an offset, or a time.

use anyhow::{Result, bail};
use client::{Client, Error, OffsetSpec};
use message_model::{Offset, Timestamp, TopicPartition};

/// A place, as a person says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Offset(Offset),
    Spec(OffsetSpec),
}

impl Place {
    /// The place that `text` means, which was given for `option`.
    pub(super) fn parse(option: &str, text: &str) -> Result<Place> {
        let number = |text: &str| text.parse::<i64>().ok().filter(|number| *number >= 0);
        let place = match (text, text.strip_prefix('@')) {
            ("beginning", _) => Some(Place::Spec(OffsetSpec::Earliest)),
            ("end", _) => Some(Place::Spec(OffsetSpec::Latest)),
            (_, Some(time)) => {
                let time = number(time).map(Timestamp);
                time.map(|time| Place::Spec(OffsetSpec::AtOrAfter(time)))
            }
            (offset, None) => number(offset).map(|offset| Place::Offset(Offset(offset))),
        };
        match place {
            Some(place) => Ok(place),
            None => {
                bail!("{option} takes beginning, end, an offset, or @ and milliseconds since 1970")
            }
        }
    }
}

/// The offset at which a partition begins or ends, or of the first record at a time;
/// `None` if no record is that late.
pub(super) async fn find(
    client: &Client,
    partition: &TopicPartition,
    spec: OffsetSpec,
) -> Result<Option<Offset>, Error> {
    client.find_offset(partition, spec, client.deadline()).await
}

#[cfg(test)]
mod tests {
    use client::OffsetSpec;
    use message_model::{Offset, Timestamp};

    use super::Place;

    #[test]
    fn a_place_is_read_or_explained() {
        let time = Place::Spec(OffsetSpec::AtOrAfter(Timestamp(17)));
        for (text, place) in [
            ("beginning", Place::Spec(OffsetSpec::Earliest)),
            ("end", Place::Spec(OffsetSpec::Latest)),
            ("0", Place::Offset(Offset(0))),
            ("42", Place::Offset(Offset(42))),
            ("@17", time),
        ] {
            assert_eq!(Place::parse("--from", text).unwrap(), place, "{text}");
        }
        for text in ["", "-1", "@", "@-3", "@now", "earliest", "1.5"] {
            let refused = Place::parse("--from", text).unwrap_err().to_string();
            assert!(
                refused.starts_with("--from takes beginning"),
                "{text}: {refused}"
            );
        }
    }
}
