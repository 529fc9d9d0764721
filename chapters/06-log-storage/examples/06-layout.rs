//! Prints where the fields of an index entry are, from the constants that the code uses.

use log_storage::{OFFSET_INDEX_FIELDS, TIME_INDEX_FIELDS};

fn main() {
    let files = [
        (
            ".index",
            OFFSET_INDEX_FIELDS,
            [", the last of a batch", " of that batch in the .log file"],
        ),
        (
            ".timeindex",
            TIME_INDEX_FIELDS,
            [
                ", the largest so far",
                ", the last of the first batch that has it",
            ],
        ),
    ];
    println!(
        "{:<12}{:>5} {:>5}  field of an entry",
        "file", "start", "bytes"
    );
    for (mut file, fields, notes) in files {
        for ((name, start, size), note) in fields.into_iter().zip(notes) {
            println!("{file:<12}{start:>5} {size:>5}  {name}{note}");
            file = "";
        }
    }
}
