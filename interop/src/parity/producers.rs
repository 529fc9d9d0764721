//! Producer ids, which each broker hands out itself, by numbers that the exchange gives them.

use kafka_protocol::messages::ApiKey;
use serde_json::{Value, json};

use super::exchange::Step;

/// The stand-in of producer 0: no broker has handed out as many.
const FIRST: i64 = 0x7072_6f64_7563_6500;
/// From the start of a batch to the producer id in its header.
const ID_AT: usize = 43;
/// Where the length of a batch is, and from where on it counts.
const LENGTH_AT: usize = 8;
const LENGTH_END: usize = 12;
/// Where the checksum of a batch is, and from where on it counts.
const CRC_AT: usize = 17;
const CRC_END: usize = 21;

/// What a request has in place of the producer id that a step has
/// [numbered](super::Step::numbers).
#[must_use]
pub fn producer(number: u8) -> i64 {
    FIRST + i64::from(number)
}

/// The producer ids of an exchange by their numbers.
#[derive(Debug, Default)]
pub(crate) struct Producers {
    /// Of two numbers of an id the first one counts.
    numbered: Vec<(u8, i64)>,
}

impl Producers {
    /// Takes the producer id of an answer to `step`, if the step numbers it.
    pub(crate) fn learn(&mut self, step: &Step, answer: &Value) {
        let id = answer["producer_id"].as_i64().filter(|id| *id >= 0);
        if let (Some(number), Some(id)) = (step.course.producer, id) {
            self.numbered.push((number, id));
        }
    }

    /// Puts the ids in place of their stand-ins; batches get their new checksums.
    pub(crate) fn fill(&self, api: i16, frame: &mut [u8]) {
        for &(number, id) in &self.numbered {
            let stand_in = producer(number).to_be_bytes();
            let places = frame.windows(stand_in.len()).enumerate();
            let places = places.filter(|(_, bytes)| *bytes == stand_in);
            let places: Vec<usize> = places.map(|(at, _)| at).collect();
            for at in places {
                frame[at..at + stand_in.len()].copy_from_slice(&id.to_be_bytes());
                if api == ApiKey::Produce as i16 {
                    seal(&mut frame[at - ID_AT..]);
                }
            }
        }
    }

    /// Puts the numbers in place of their ids.
    pub(crate) fn number(&self, answer: &mut Value) {
        match answer {
            Value::Array(items) => items.iter_mut().for_each(|item| self.number(item)),
            Value::Object(entries) => {
                for (name, value) in entries {
                    let numbered = self.numbered.iter();
                    let known = numbered
                        .filter(|_| name == "producer_id")
                        .find(|(_, id)| *value == *id);
                    match known {
                        Some((number, _)) => *value = json!(format!("(producer {number})")),
                        None => self.number(value),
                    }
                }
            }
            _ => {}
        }
    }
}

/// Writes the checksum of the batch in front of `bytes`.
fn seal(bytes: &mut [u8]) {
    let length = &bytes[LENGTH_AT..LENGTH_END];
    let length = length
        .iter()
        .fold(0, |length, byte| length << 8 | usize::from(*byte));
    let crc = crc32c::crc32c(&bytes[CRC_END..LENGTH_END + length]);
    bytes[CRC_AT..CRC_END].copy_from_slice(&crc.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parity::batch::{Batch, read};
    use crate::requests::produce;
    use crate::transaction_requests::init;

    #[test]
    fn a_stand_in_becomes_the_id_and_the_id_its_number() {
        let mut producers = Producers::default();
        producers.learn(&init("t", 3), &json!({"producer_id": 17, "error_code": 0}));
        let batch = Batch::of(&["a"]).but(|batch| batch.producer = (producer(3), 0, 0));
        let step = produce("t", &batch);
        let mut frame = step.frame.clone();
        producers.fill(step.api, &mut frame);
        let size = batch.bytes().len();
        let mut found = read(&frame[frame.len() - size..]);
        assert_eq!(found[0]["producer_id"], 17);
        assert_eq!(found[0]["crc_is_right"], true);
        producers.number(&mut found);
        assert_eq!(found[0]["producer_id"], "(producer 3)");
        // A number that is no producer id stays, whatever it is.
        let mut answer = json!({"error_code": 17, "topics": [{"producer_id": 18}]});
        let before = answer.clone();
        producers.number(&mut answer);
        assert_eq!(answer, before);
    }
}
