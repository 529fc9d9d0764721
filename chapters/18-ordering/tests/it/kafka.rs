//! What Apache Kafka 4.3.1 answered to the same batches, each sent in a Produce request.

use std::collections::BTreeMap;

use message_model::ProducerEpoch;
use ordering::{Numbered, Refusal, Standing, fence, note, sequence};

const MAX: i32 = i32::MAX;

/// Producer, epoch, first number, count, and Kafka's error code.
const ANSWERS: [(u8, i16, i32, u32, i16); 28] = [
    // A producer that it does not know begins anywhere.
    (0, 3, 777, 5, 0),
    (0, 3, 782, 1, 0),
    (0, 3, 784, 1, 45),
    (0, 2, 783, 1, 47),
    // The next epoch begins at 0.
    (0, 4, 5, 1, 45),
    (0, 4, 0, 2, 0),
    (0, 4, 3, 1, 45),
    (0, 4, 2, 1, 0),
    (0, 3, 3, 1, 47),
    (0, 9, 0, 1, 0),
    // 0 follows on the largest number, within a batch and between two.
    (1, 0, MAX - 1, 5, 0),
    (1, 0, 3, 1, 0),
    (1, 0, MAX, 1, 45),
    (2, 0, MAX, 1, 0),
    (2, 0, 0, 1, 0),
    (2, 0, MAX - 5, 1, 45),
    // An epoch of -1 says nothing.
    (3, -1, 5, 1, 0),
    (3, -1, 500, 1, 0),
    (3, -1, 3, 1, 0),
    (3, 0, 77, 1, 0),
    (3, 0, 78, 1, 0),
    (3, 0, 90, 1, 45),
    (3, -1, 91, 1, 47),
    // Of two reasons the fence is the first.
    (4, 5, 0, 1, 0),
    (4, 4, 50, 1, 47),
    (4, 4, 1, 1, 47),
    (4, 5, 1, 3, 0),
    (4, 5, 4, 1, 0),
];

#[test]
fn the_rules_answer_as_kafka_does() {
    let mut known: BTreeMap<u8, Standing> = BTreeMap::new();
    for (producer, epoch, first, count, code) in ANSWERS {
        let batch = Numbered {
            epoch: ProducerEpoch(epoch),
            first,
            count,
        };
        let standing = known.get(&producer).copied();
        let fenced = standing.map_or(Ok(()), |standing| fence(&standing, batch));
        let answer = fenced.and_then(|()| sequence(standing.as_ref(), batch));
        let expected = match code {
            0 => Ok(()),
            45 => Err(Refusal::OutOfOrder),
            _ => Err(Refusal::Fenced),
        };
        assert_eq!(
            answer, expected,
            "{producer}: {batch:?} behind {standing:?}"
        );
        if answer.is_ok() {
            known.insert(producer, note(standing.as_ref(), batch));
        }
    }
}
