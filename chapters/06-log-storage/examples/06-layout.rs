//! Prints where the fields of an index entry are, from the constants that the code uses.

use log_storage::{ABORTED_INDEX_FIELDS, OFFSET_INDEX_FIELDS, TIME_INDEX_FIELDS};

fn main() {
    println!(
        "{:<12}{:>5} {:>5}  field of an entry",
        "file", "start", "bytes"
    );
    print(
        ".index",
        &OFFSET_INDEX_FIELDS,
        [", the last of a batch", " of that batch in the .log file"],
    );
    print(
        ".timeindex",
        &TIME_INDEX_FIELDS,
        [
            ", the largest so far",
            ", the last of the first batch that has it",
        ],
    );
    print(
        ".txnindex",
        &ABORTED_INDEX_FIELDS,
        [
            ", always 0",
            ", whose transaction was aborted",
            " of the transaction in this partition",
            ", the one of the marker",
            " behind the marker",
        ],
    );
}

fn print<const COUNT: usize>(
    mut file: &str,
    fields: &[(&str, usize, usize); COUNT],
    notes: [&str; COUNT],
) {
    for ((name, start, size), note) in fields.iter().zip(notes) {
        println!("{file:<12}{start:>5} {size:>5}  {name}{note}");
        file = "";
    }
}
