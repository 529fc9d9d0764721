use std::path::Path;

use workbook::tasks::{self, Kind};

use crate::fixture::{Fixture, PAIR};

const WRONG: &str = r#"
[[wrong]]
task = "6.1"
name = "minus"
bug = "It subtracts."
file = "src/pair.rs"
find = "a + b"
replace = "a - b"
fails = ["task_1::two", "task_1::one"]
"#;

fn error(text: &str) -> String {
    format!("{:#}", tasks::parse_wrong_answers(text).unwrap_err())
}

#[test]
fn a_wrong_answer_is_an_edit_of_the_solution() {
    let wrong = tasks::parse_wrong_answers(WRONG).unwrap();
    assert_eq!(wrong[0].fails, ["task_1::one", "task_1::two"]);
    assert_eq!(
        wrong[0].apply(PAIR).unwrap(),
        PAIR.replace("a + b", "a - b")
    );
}

#[test]
fn an_edit_must_be_possible_at_exactly_one_place() {
    let wrong = tasks::parse_wrong_answers(WRONG).unwrap().remove(0);
    assert!(wrong.apply("nothing").is_err());
    assert!(wrong.apply("a + b, a + b").is_err());
}

#[test]
fn mistakes_in_a_wrong_toml_are_told() {
    assert!(error(&WRONG.replace("\"6.1\"", "\"six\"")).contains("six"));
    assert!(error(&format!("{WRONG}{WRONG}")).contains("twice"));
    assert!(error(&WRONG.replace("minus", "../minus")).contains("../minus"));
    assert!(error(&WRONG.replace("bug =", "bugs =")).contains("bugs"));
    let none = WRONG.replace(r#"["task_1::two", "task_1::one"]"#, "[]");
    assert!(error(&none).contains("no case"));
}

#[test]
fn a_task_has_its_title_from_the_hole_and_the_rest_from_tasks_toml() {
    let fixture = Fixture::new();
    let tasks = tasks::tasks(&fixture.workspace, &fixture.chapter).unwrap();
    assert_eq!(tasks.len(), 2);
    assert_eq!(tasks[0].title, "add them");
    assert_eq!(tasks[1].kind, Kind::Study);
    assert_eq!((tasks[1].stars, tasks[1].minutes), (2, 20));
    assert_eq!(tasks[1].files, ["src/pair.rs"]);
}

#[test]
fn a_task_is_taught_by_its_chapters_page_or_by_the_one_that_it_names() {
    let fixture = Fixture::new();
    let page = || {
        let tasks = tasks::tasks(&fixture.workspace, &fixture.chapter).unwrap();
        tasks[0].page.clone()
    };
    assert_eq!(page(), Path::new("book/src/06-pairs.md"));
    let file = "exercises/06-pairs/tasks.toml";
    let text = std::fs::read_to_string(fixture.workspace.path(file)).unwrap();
    let named = text.replacen("kind =", "page = \"06-more\"\nkind =", 1);
    fixture.write(file, &named);
    assert_eq!(page(), Path::new("book/src/06-more.md"));
}

#[test]
fn a_task_has_the_title_that_tasks_toml_gives_it() {
    let fixture = Fixture::new();
    let file = "exercises/06-pairs/tasks.toml";
    let text = fixture.read(file);
    let titled = text.replacen("kind =", "title = \"the sum\"\nkind =", 1);
    fixture.write(file, &titled);
    let tasks = tasks::tasks(&fixture.workspace, &fixture.chapter).unwrap();
    assert_eq!(tasks[0].title, "the sum");
}

#[test]
fn without_one_a_task_of_several_holes_has_the_title_of_the_first() {
    let fixture = Fixture::new();
    fixture.write(
        "solutions/06-pairs/src/pair.rs",
        &PAIR.replace("6.2", "6.1"),
    );
    fixture.write(
        "solutions/06-pairs/src/more.rs",
        &PAIR.replace("6.1", "6.2"),
    );
    let tasks = tasks::tasks(&fixture.workspace, &fixture.chapter).unwrap();
    let titles: Vec<_> = tasks.iter().map(|task| &*task.title).collect();
    assert_eq!(titles, ["add them", "add them"]);
    assert_eq!(tasks[0].files, ["src/pair.rs"]);
    assert_eq!(tasks[1].files, ["src/more.rs"]);
}

#[test]
fn a_task_without_a_hole_is_refused() {
    let fixture = Fixture::new();
    let one = PAIR.replace("// task 6.2: ", "// was 6.2: ");
    let one = one.trim_end_matches("    // end\n}\n").to_owned() + "}\n";
    fixture.write("solutions/06-pairs/src/pair.rs", &one);
    let error = tasks::tasks(&fixture.workspace, &fixture.chapter).unwrap_err();
    assert!(error.to_string().contains("6.2"), "{error}");
}
