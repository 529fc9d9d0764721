//! A topic of three partitions gets a fourth. Which keys move, and what becomes of the order
//! of their records?
//!
//! ```text
//! cargo run -p ordering --example 18-more-partitions
//! ```

use std::collections::VecDeque;

use producer::partition_of_key;

const CUSTOMERS: [&str; 8] = [
    "anna", "bela", "carl", "dora", "emil", "fred", "gina", "hugo",
];

fn index(key: &str, partitions: u32) -> usize {
    let partition = partition_of_key(key.as_bytes(), partitions);
    usize::try_from(partition.0).unwrap_or(0)
}

fn main() {
    println!("key  | of 3 | of 4 |");
    println!("-----|------|------|------");
    for key in CUSTOMERS {
        let (before, after) = (index(key, 3), index(key, 4));
        let moves = if before == after { "" } else { " moves" };
        println!("{key:<4} | {before:>4} | {after:>4} |{moves}");
    }
    println!();
    println!("partitions | of 10,000 keys move");
    println!("-----------|--------------------");
    for (before, after) in [(3, 4), (3, 6), (8, 16), (100, 101)] {
        let keys = (0..10_000).map(|number| format!("customer-{number}"));
        let moved = keys.filter(|key| index(key, before) != index(key, after));
        println!(
            "{:<10} | {:>19}",
            format!("{before} to {after}"),
            moved.count()
        );
    }
    println!();
    println!("what each customer does, as one consumer of all partitions sees it:");
    for (key, seen) in seen() {
        println!("{key:<4} | {}", seen.join(", "));
    }
}

/// Each customer opens an account and pays into it while there are three partitions, and
/// withdraws when there are four. The consumer takes one record of each partition in turn,
/// and has read nothing when the fourth is added.
fn seen() -> Vec<(&'static str, Vec<&'static str>)> {
    let mut partitions: Vec<VecDeque<(&str, &str)>> = vec![VecDeque::new(); 4];
    for (what, count) in [("opens", 3), ("pays in", 3), ("withdraws", 4)] {
        for key in CUSTOMERS {
            partitions[index(key, count)].push_back((key, what));
        }
    }
    let mut seen = CUSTOMERS.map(|key| (key, Vec::new()));
    while partitions.iter().any(|partition| !partition.is_empty()) {
        for partition in &mut partitions {
            let Some((key, what)) = partition.pop_front() else {
                continue;
            };
            let of_key = seen.iter_mut().find(|(other, _)| *other == key);
            of_key.into_iter().for_each(|(_, orders)| orders.push(what));
        }
    }
    seen.to_vec()
}
