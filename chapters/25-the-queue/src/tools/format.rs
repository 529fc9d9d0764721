//! How a record is printed.

use std::io::{self, Write};

use anyhow::{Result, bail};
use message_model::{Offset, Timestamp, TopicPartition};
use record_batch::Record;

/// A record and its offset.
#[derive(Debug)]
pub(super) struct Placed<'a> {
    pub(super) partition: &'a TopicPartition,
    pub(super) offset: Offset,
    pub(super) timestamp: Timestamp,
    pub(super) record: &'a Record<'a>,
}

/// What is printed per record; the letters are kcat's.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Format(Vec<Piece>);

#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Topic,
    Partition,
    Offset,
    Timestamp,
    Key,
    Value,
    Headers,
}

impl Format {
    pub(super) fn parse(text: &str) -> Result<Format> {
        let mut pieces = Vec::new();
        let mut rest = text.chars();
        while let Some(first) = rest.next() {
            pieces.push(match (first, first == '%' || first == '\\') {
                (other, false) => Piece::Text(other.to_string()),
                (mark, true) => match (mark, rest.next()) {
                    ('%', Some('t')) => Piece::Topic,
                    ('%', Some('p')) => Piece::Partition,
                    ('%', Some('o')) => Piece::Offset,
                    ('%', Some('T')) => Piece::Timestamp,
                    ('%', Some('k')) => Piece::Key,
                    ('%', Some('s')) => Piece::Value,
                    ('%', Some('h')) => Piece::Headers,
                    ('\\', Some('n')) => Piece::Text("\n".to_owned()),
                    ('\\', Some('t')) => Piece::Text("\t".to_owned()),
                    (mark, Some(same)) if mark == same => Piece::Text(mark.to_string()),
                    (mark, letter) => bail!(
                        "--format has {mark}{}; there is %t topic, %p partition, %o offset, \
                         %T timestamp, %k key, %s value, %h headers, %%, \\n, \\t and \\\\",
                        letter.map_or_else(String::new, String::from)
                    ),
                },
            });
        }
        Ok(Format(pieces))
    }

    /// Prints one record. A null key or value prints as nothing.
    pub(super) fn write(&self, out: &mut impl Write, placed: &Placed<'_>) -> io::Result<()> {
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.write_all(text.as_bytes())?,
                Piece::Topic => write!(out, "{}", placed.partition.topic)?,
                Piece::Partition => write!(out, "{}", placed.partition.partition)?,
                Piece::Offset => write!(out, "{}", placed.offset)?,
                Piece::Timestamp => write!(out, "{}", placed.timestamp)?,
                Piece::Key => out.write_all(placed.record.key.unwrap_or_default())?,
                Piece::Value => out.write_all(placed.record.value.unwrap_or_default())?,
                Piece::Headers => write_headers(out, placed.record)?,
            }
        }
        Ok(())
    }
}

fn write_headers(out: &mut impl Write, record: &Record<'_>) -> io::Result<()> {
    for (index, header) in record.headers.iter().enumerate() {
        if index > 0 {
            out.write_all(b",")?;
        }
        write!(out, "{}=", header.key)?;
        out.write_all(header.value.unwrap_or_default())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use message_model::{Offset, PartitionIndex, Timestamp, TopicName, TopicPartition};
    use record_batch::{Header, Record};

    use super::{Format, Placed};

    #[test]
    fn every_letter_prints_its_part() {
        let format = Format::parse(r"%t/%p/%o %T [%k]\t%s %h 100%%\\\n").unwrap();
        let partition = TopicPartition {
            topic: TopicName::new("logs").unwrap(),
            partition: PartitionIndex(2),
        };
        let header = |key, value| Header { key, value };
        let record = Record {
            timestamp_delta: 0,
            offset_delta: 0,
            key: None,
            value: Some(b"hello"),
            headers: vec![header("a", Some(&b"1"[..])), header("b", None)],
        };
        let mut out = Vec::new();
        let placed = Placed {
            partition: &partition,
            offset: Offset(41),
            timestamp: Timestamp(1700),
            record: &record,
        };
        format.write(&mut out, &placed).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "logs/2/41 1700 []\thello a=1,b= 100%\\\n");
    }

    #[test]
    fn a_letter_that_is_none_is_answered_with_those_there_are() {
        let message = Format::parse("%x").unwrap_err().to_string();
        assert!(
            message.contains("--format has %x; there is %t topic"),
            "{message}"
        );
        assert!(Format::parse("%").is_err());
    }
}
