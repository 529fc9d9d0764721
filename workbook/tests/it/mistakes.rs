use workbook::holes::TaskId;
use workbook::mistakes;
use workbook::spec::{Case, Failure, Verdict};
use workbook::tasks::{self, WrongAnswer};
use workbook::verdict::Checked;

const WRONG: &str = r#"
[[wrong]]
task = "6.1"
name = "minus"
bug = "It subtracts."
file = "src/pair.rs"
find = "a + b"
replace = "a - b"
fails = ["task_1::adds", "task_2::both"]

[[wrong]]
task = "6.1"
name = "times"
bug = "It multiplies."
file = "src/pair.rs"
find = "a + b"
replace = "a * b"
fails = ["task_1::adds"]

[[wrong]]
task = "6.1"
name = "first"
bug = "It forgets the second."
file = "src/pair.rs"
find = "a + b"
replace = "a"
fails = ["task_1::adds", "task_1::zero"]
"#;

fn answers() -> Vec<WrongAnswer> {
    tasks::parse_wrong_answers(WRONG).unwrap()
}

/// Names of the mistakes that are known when these cases are red, with these messages.
fn known(red: &[(&str, &str)]) -> Vec<String> {
    let verdicts = ["task_1::adds", "task_1::zero", "task_2::both"].map(|name| {
        let message = red.iter().find(|(case, _)| *case == name);
        Verdict {
            case: Case {
                name: name.to_owned(),
                task: if name.starts_with("task_1") { 1 } else { 2 },
            },
            failure: message.map(|(_, message)| Failure {
                message: (*message).to_owned(),
                printed: String::new(),
            }),
            entered: None,
        }
    });
    let checked = Checked::new(0, &verdicts);
    let task = TaskId::parse("6.1").unwrap();
    let pinned = |name: &str| match name {
        "minus" => Some("task_1::adds\n  got -1\n  where pair.rs:LINE".to_owned()),
        "times" => Some("task_1::adds\n  got 2".to_owned()),
        _ => None,
    };
    let answers = answers();
    let found = mistakes::known(&task, &checked, &answers, pinned);
    found.iter().map(|wrong| wrong.name.clone()).collect()
}

#[test]
fn the_same_cases_are_enough_when_they_are_one_mistakes() {
    let red = [("task_1::adds", "got 1"), ("task_1::zero", "got 5")];
    assert_eq!(known(&red), ["first"]);
}

#[test]
fn messages_decide_between_mistakes_with_the_same_cases() {
    assert_eq!(known(&[("task_1::adds", "  got 2")]), ["times"]);
    let with_line = [("task_1::adds", "  got -1\n  where pair.rs:7:9")];
    assert_eq!(known(&with_line), ["minus"]);
}

#[test]
fn a_mistake_that_is_not_known_is_not_guessed() {
    assert_eq!(known(&[("task_1::adds", "  got 77")]), Vec::<String>::new());
    assert_eq!(known(&[("task_1::zero", "  got 2")]), Vec::<String>::new());
    assert_eq!(known(&[("task_2::both", "  got 2")]), Vec::<String>::new());
    assert_eq!(known(&[]), Vec::<String>::new());
}
