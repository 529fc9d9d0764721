//! `kafka-transactions` on `mqd`, beside what it says on Apache Kafka.

use std::fs;

use interop::transactions_command::{stored, transcript};

use crate::start_mqd;

/// Commands that say something else on purpose: what the tool says on `mqd` then.
const DELIBERATE: [(&str, &str); 1] = [
    // `mqd` serves ListTransactions up to version 1; a pattern needs version 2.
    (
        "list --transactional-id-pattern .*ed",
        "Failed to list transactions: Transactional ID pattern filter can be set only when using \
         API version 2 or higher.",
    ),
];

#[test]
fn transactions_are_listed_described_found_and_aborted_as_on_kafka() {
    let mqd = start_mqd();
    let kafka = fs::read_to_string(stored()).unwrap();
    let found = transcript(mqd.address()).unwrap();
    let (kafka, found): (Vec<&str>, Vec<&str>) =
        (kafka.split("\n\n").collect(), found.split("\n\n").collect());
    let mut differences = String::new();
    for (kafka, found) in kafka.iter().zip(&found) {
        let (command, said) = found.split_once('\n').unwrap_or((found, ""));
        let mut deliberate = DELIBERATE.iter();
        let is_deliberate = deliberate.any(|(name, start)| {
            command == format!("$ kafka-transactions {name}") && said.starts_with(start)
        });
        if kafka != found && !is_deliberate {
            differences += &format!("on Kafka:\n{kafka}\non mqd:\n{found}\n\n");
        }
    }
    assert!(differences.is_empty(), "{differences}");
    assert_eq!(found.len(), kafka.len());
}
