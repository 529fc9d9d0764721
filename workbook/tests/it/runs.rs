//! Which cases run on which variant: a script that behaves like a test binary says.

use std::fs;
use std::path::PathBuf;

use workbook::spec::{Case, Verdict};
use workbook::tasks;
use workbook::tree::Files;
use workbook::verify::{Runs, Variants};

use crate::fixture::PAIR;
use crate::script::write_script;

/// Writes down what it runs. `adds` enters the first hole, `both` both holes, `odd` does
/// not say; on the stub, and on variant 3, `adds` and `both` are red.
const BINARY: &str = r#"#!/bin/sh
echo "$SPEC_VARIANT $2" >> "$0.log"
case "$SPEC_VARIANT $2" in
*::odd) exit ;;
[13]*) echo "it fails" >&2; exit 101 ;;
*::adds) echo "holes 1" >&2 ;;
*::both) echo "holes 3" >&2 ;;
esac
"#;

const WRONG: &str = r#"
[[wrong]]
task = "6.1"
name = "minus"
bug = "It subtracts."
file = "src/pair.rs"
find = "a + b"
replace = "a - b"
fails = ["task_1::adds"]

[[wrong]]
task = "6.2"
name = "divides"
bug = "It divides."
file = "src/pair.rs"
find = "a * b"
replace = "a / b"
fails = ["task_2::both"]
"#;

fn case(name: &str, task: u32) -> Case {
    Case {
        name: name.to_owned(),
        task,
    }
}

fn red(verdicts: &[Verdict]) -> Vec<bool> {
    let red = verdicts.iter().map(|verdict| verdict.failure.is_some());
    red.collect()
}

#[test]
fn a_case_runs_on_the_variants_whose_holes_it_enters() {
    let folder = tempfile::tempdir().unwrap();
    let binary = folder.path().join("spec");
    write_script(&binary, BINARY);
    let solution = Files::from([(PathBuf::from("pair.rs"), PAIR.to_owned())]);
    let wrong = tasks::parse_wrong_answers(WRONG).unwrap();
    let variants = Variants::new(&solution, 2, &wrong).unwrap();
    let cases = [
        case("task_1::adds", 1),
        case("task_1::odd", 1),
        case("task_2::both", 2),
    ];
    let runs = Runs::new(&binary, &cases, 2, &variants).unwrap();

    assert_eq!(red(&runs.stub), [true, false, true]);
    assert_eq!(runs.stages.len(), 2);
    assert_eq!(red(&runs.stages[0]), [false; 3]);
    assert_eq!(red(&runs.stages[1]), [false; 3]);
    assert_eq!(red(&runs.wrong[0]), [true, false, true]);
    assert_eq!(red(&runs.wrong[1]), [false; 3]);
    let log = fs::read_to_string(folder.path().join("spec.log")).unwrap();
    let mut ran: Vec<_> = log.lines().collect();
    ran.sort_unstable();
    let expected = [
        // The solution, and the stub.
        "0 spec::task_1::adds",
        "0 spec::task_1::odd",
        "0 spec::task_2::both",
        "1 spec::task_1::adds",
        "1 spec::task_1::odd",
        "1 spec::task_2::both",
        // With the first task solved.
        "2 spec::task_1::odd",
        // `minus`.
        "3 spec::task_1::adds",
        "3 spec::task_1::odd",
        "3 spec::task_2::both",
        // `divides`.
        "4 spec::task_1::odd",
        "4 spec::task_2::both",
    ];
    assert_eq!(ran, expected);
}
