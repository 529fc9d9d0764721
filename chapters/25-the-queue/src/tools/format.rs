//! How a record is printed.

use std::io::{self, Write};

use anyhow::{Result, bail};
use client::ConsumedRecord;
use message_model::TopicPartition;

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
    pub(super) fn write(
        &self,
        out: &mut impl Write,
        partition: &TopicPartition,
        record: &ConsumedRecord,
    ) -> io::Result<()> {
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.write_all(text.as_bytes())?,
                Piece::Topic => write!(out, "{}", partition.topic)?,
                Piece::Partition => write!(out, "{}", partition.partition)?,
                Piece::Offset => write!(out, "{}", record.offset)?,
                Piece::Timestamp => write!(out, "{}", record.timestamp)?,
                Piece::Key => out.write_all(record.key.as_deref().unwrap_or_default())?,
                Piece::Value => out.write_all(record.value.as_deref().unwrap_or_default())?,
                Piece::Headers => write_headers(out, record)?,
            }
        }
        Ok(())
    }
}

fn write_headers(out: &mut impl Write, record: &ConsumedRecord) -> io::Result<()> {
    for (index, (name, value)) in record.headers.iter().enumerate() {
        if index > 0 {
            out.write_all(b",")?;
        }
        write!(out, "{name}=")?;
        out.write_all(value.as_deref().unwrap_or_default())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use client::ConsumedRecord;
    use message_model::{Offset, PartitionIndex, Timestamp, TopicName, TopicPartition};
    use record_batch::TimestampType;

    use super::Format;

    #[test]
    fn every_letter_prints_its_part() {
        let format = Format::parse(r"%t/%p/%o %T [%k]\t%s %h 100%%\\\n").unwrap();
        let partition = TopicPartition {
            topic: TopicName::new("logs").unwrap(),
            partition: PartitionIndex(2),
        };
        let record = ConsumedRecord {
            offset: Offset(41),
            timestamp: Timestamp(1700),
            timestamp_type: TimestampType::CreateTime,
            key: None,
            value: Some("hello".into()),
            headers: vec![("a".to_owned(), Some("1".into())), ("b".to_owned(), None)],
        };
        let mut out = Vec::new();
        format.write(&mut out, &partition, &record).unwrap();
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
