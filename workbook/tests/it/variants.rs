use std::path::PathBuf;

use workbook::cargo::Message;
use workbook::chapter::Chapter;
use workbook::tasks::{self, WrongAnswer};
use workbook::tree::Files;
use workbook::verify::{Variants, filled_up_to};

use crate::fixture::PAIR;

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
name = "no-shortcut"
bug = "It always multiplies."
file = "src/pair.rs"
find = "if zero { 0 } else { a * b }"
replace = "a * b"
fails = ["task_2::zero"]

[[wrong]]
task = "6.1"
name = "renamed"
bug = "It changes what is given."
file = "src/pair.rs"
find = "pub fn sum"
replace = "fn sum"
fails = ["task_1::adds"]
"#;

/// The function `sum`, in all its variants.
const SUM: &str = "\
pub fn sum(a: i32, b: i32) -> i32 {
    // task 6.1: add them
match ::spec_harness::variant(0) {
1..=1 => {
    todo!(\"6.1: add them\")
}
3 => {
    a - b
}
_ => {
    a + b
}
}
    // end
}
";

fn variants() -> Variants {
    let solution = Files::from([(PathBuf::from("pair.rs"), PAIR.to_owned())]);
    let wrong = tasks::parse_wrong_answers(WRONG).unwrap();
    Variants::new(&solution, 2, &wrong).unwrap()
}

fn names<'a>(wrong: impl Iterator<Item = &'a WrongAnswer>) -> Vec<&'a str> {
    wrong.map(|wrong| &*wrong.name).collect()
}

#[test]
fn a_hole_has_every_body_that_it_has_in_some_variant() {
    let variants = variants();
    let text = &variants.files[&PathBuf::from("pair.rs")];
    assert!(text.contains(SUM), "{text}");
    // The second task is open in one variant more.
    assert!(text.contains("\n1..=2 => {\n    todo!(\"6.2"), "{text}");
    assert!(text.contains("\n4 => {\n    let zero = a == 0 || b == 0;\n    a * b\n}\n"));
    assert_eq!((filled_up_to(0), filled_up_to(1)), (1, 2));
}

#[test]
fn what_changes_more_than_a_hole_is_built_by_itself() {
    let variants = variants();
    let together = variants.together.iter().map(|variant| &variant.wrong);
    assert_eq!(names(together), ["minus", "no-shortcut"]);
    assert_eq!(names(variants.apart.iter()), ["renamed"]);
}

#[test]
fn the_compiler_is_asked_by_line_which_wrong_answer_it_means() {
    let variants = variants();
    let chapter = Chapter {
        folder: "06-pairs".to_owned(),
    };
    let text = &variants.files[&PathBuf::from("pair.rs")];
    let blamed = |code: &str| {
        let line = text.lines().position(|line| line.trim() == code).unwrap() + 1;
        let message = Message {
            manifest: PathBuf::new(),
            level: "error".to_owned(),
            code: String::new(),
            places: vec![("exercises/06-pairs/src/pair.rs".to_owned(), line)],
            text: String::new(),
        };
        let wrong = variants.blame(&chapter, &message);
        wrong.map(|wrong| wrong.name.clone())
    };
    assert_eq!(blamed("a - b").as_deref(), Some("minus"));
    assert_eq!(blamed("a * b").as_deref(), Some("no-shortcut"));
    assert_eq!(blamed("a + b"), None);
    assert_eq!(blamed("//! A pair."), None);
}
