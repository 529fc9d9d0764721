//! Prints where the fields of a batch are, from the constants that the code uses.

use record_batch::layout;

fn main() {
    println!("{:>5} {:>5}  field", "start", "bytes");
    for (name, start, size) in layout::FIELDS {
        let note = match *start {
            layout::BASE_OFFSET | layout::PARTITION_LEADER_EPOCH => "  <- the broker's",
            layout::CRC => "  CRC-32C of all that follows",
            _ => "",
        };
        println!("{start:>5} {size:>5}  {name}{note}");
    }
    println!("{:>5}        records", layout::RECORDS);
}
