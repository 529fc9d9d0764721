//! Where did my 100 yuan go? Three faults, three cures, and how many yuan are missing.
//!
//! ```text
//! cargo run -p ordering --example 18-hundred-yuan
//! ```

use ordering::part::{Cures, Faults, missing};

/// What the till took in, and gave out.
const AMOUNTS: [i64; 7] = [20, 100, -100, 50, -10, 20, 50];

fn faults(of: &str) -> Faults {
    let is = |name| of == name || of == "all three";
    Faults {
        race: is("two clerks at once"),
        duplicates: is("a report comes twice"),
        reorder: is("reports change places"),
    }
}

fn cures(of: &str) -> Cures {
    let is = |name| of == name || of == "all";
    Cures {
        swap: is("swap"),
        once: is("once"),
        line: is("line"),
    }
}

fn main() {
    let columns = ["none", "swap", "once", "line", "all"];
    let heads = columns.map(|column| format!("{column:>5}"));
    println!("what goes wrong       | {}", heads.join(" | "));
    println!("----------------------|-{}", ["------"; 5].join("|-"));
    for row in [
        "nothing",
        "two clerks at once",
        "a report comes twice",
        "reports change places",
        "all three",
    ] {
        let cells = columns.map(|column| missing(&AMOUNTS, faults(row), cures(column)));
        let cells = cells.map(|yuan| format!("{yuan:>5}"));
        println!("{row:<21} | {}", cells.join(" | "));
    }
}
