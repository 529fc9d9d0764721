//! A number in each record, by which a consumer finds out what was lost.

use std::collections::HashMap;
use std::fmt;

use message_model::TopicPartition;

use crate::batch_buffer::ExtraHeaders;
use crate::part::{Detector, Seen};

/// The header that has the number, and the name of the producer.
pub const SEQUENCE_HEADER: &str = "mq-sequence";

type Add = dyn FnMut(&TopicPartition, &mut ExtraHeaders) + Send;

/// Adds headers to each record as it goes into its batch.
pub struct Interceptor {
    call: Box<Add>,
    /// The most bytes that it adds to a record.
    pub(crate) bytes_max: usize,
}

impl Interceptor {
    /// Returns an interceptor that calls `add` for each record, under the producer's lock
    /// and in the order of each partition's records. It adds at most `bytes_max` bytes,
    /// counting five for each length.
    pub fn new(
        bytes_max: usize,
        add: impl FnMut(&TopicPartition, &mut ExtraHeaders) + Send + 'static,
    ) -> Interceptor {
        Interceptor {
            call: Box::new(add),
            bytes_max,
        }
    }

    /// Returns an interceptor that gives the records of each partition the numbers 0, 1,
    /// 2 …, in the header [`SEQUENCE_HEADER`], with the producer's name behind the number.
    #[must_use]
    pub fn sequence(producer: &str) -> Interceptor {
        let mut next: HashMap<TopicPartition, u64> = HashMap::new();
        let mut value = [&[0; 8], producer.as_bytes()].concat();
        let bytes_max = SEQUENCE_HEADER.len() + value.len() + 10;
        Interceptor::new(bytes_max, move |partition, headers| {
            let number = match next.get_mut(partition) {
                Some(number) => number,
                None => next.entry(partition.clone()).or_default(),
            };
            value[..8].copy_from_slice(&number.to_be_bytes());
            *number += 1;
            headers.push(SEQUENCE_HEADER, &value);
        })
    }

    pub(crate) fn call(&mut self, partition: &TopicPartition, headers: &mut ExtraHeaders) {
        (self.call)(partition, headers);
    }
}

impl fmt::Debug for Interceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interceptor").finish_non_exhaustive()
    }
}

/// The consumer's side: a [`Detector`] for each producer and partition.
#[derive(Debug)]
pub struct Watch {
    ranges_max: usize,
    detectors: HashMap<(TopicPartition, Vec<u8>), Detector>,
}

impl Watch {
    /// Nothing was seen. Each detector remembers at most `ranges_max` ranges.
    #[must_use]
    pub fn new(ranges_max: usize) -> Watch {
        Watch {
            ranges_max,
            detectors: HashMap::new(),
        }
    }

    /// Notes a record's header [`SEQUENCE_HEADER`], and returns what its number means;
    /// `None` if the header has no number.
    pub fn seen(&mut self, partition: &TopicPartition, header: &[u8]) -> Option<Seen> {
        let (number, producer) = header.split_first_chunk::<8>()?;
        let key = (partition.clone(), producer.to_vec());
        let detector = self.detectors.entry(key);
        let detector = detector.or_insert_with(|| Detector::new(self.ranges_max));
        Some(detector.seen(u64::from_be_bytes(*number)))
    }

    /// Returns what was seen of each producer in each partition.
    pub fn detectors(&mut self) -> impl Iterator<Item = (&TopicPartition, &[u8], &mut Detector)> {
        let detectors = self.detectors.iter_mut();
        detectors.map(|((partition, producer), detector)| (partition, &producer[..], detector))
    }
}
