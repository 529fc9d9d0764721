use std::path::PathBuf;

use workbook::commands::stubs;
use workbook::holes::TaskId;
use workbook::mine::{Mine, Take};
use workbook::progress::{self, Progress, State};
use workbook::spec::{Case, Failure, Verdict};
use workbook::verdict::{self, Checked};

use crate::fixture::{Fixture, PAIR, TASKS};

const EXERCISE: &str = "exercises/06-pairs/src/pair.rs";

fn verdict(name: &str, task: u32, message: Option<&str>) -> Verdict {
    Verdict {
        case: Case {
            name: name.to_owned(),
            task,
        },
        failure: message.map(|message| Failure {
            message: message.to_owned(),
            printed: String::new(),
        }),
        entered: None,
    }
}

fn stubbed() -> Fixture {
    let fixture = Fixture::new();
    stubs::run(
        &fixture.workspace,
        std::slice::from_ref(&fixture.chapter),
        false,
    )
    .unwrap();
    fixture
}

fn states(fixture: &Fixture) -> Vec<State> {
    let progress = Progress::of(&fixture.workspace, &fixture.chapter).unwrap();
    progress.tasks.into_iter().map(|(_, state)| state).collect()
}

fn keep(fixture: &Fixture, verdicts: &[Verdict]) {
    let hash = verdict::hash(&fixture.workspace, &fixture.chapter).unwrap();
    Checked::new(hash, verdicts)
        .save(&fixture.workspace, &fixture.chapter)
        .unwrap();
}

#[test]
fn an_untouched_stub_has_not_been_begun() {
    let fixture = stubbed();
    assert_eq!(states(&fixture), [State::Open, State::Open]);
    let current = progress::current(&fixture.workspace).unwrap().unwrap();
    assert!(!current.is_begun());
    let next = current.next_task().unwrap();
    assert_eq!(next.0.id, TaskId::parse("6.1").unwrap());
}

#[test]
fn a_verdict_holds_until_the_part_or_the_spec_changes() {
    let fixture = stubbed();
    let solved = fixture
        .read(EXERCISE)
        .replace("todo!(\"6.1: add them\")", "a + b");
    fixture.write(EXERCISE, &solved);
    assert_eq!(states(&fixture), [State::Written, State::Open]);

    let verdicts = [
        verdict("task_1::adds", 1, None),
        verdict("task_2::multiplies", 2, Some("still a hole")),
    ];
    keep(&fixture, &verdicts);
    assert_eq!(states(&fixture), [State::Green, State::Open]);

    fixture.write(EXERCISE, &solved.replace("a + b", "b + a"));
    assert_eq!(states(&fixture), [State::Written, State::Open]);

    fixture.write(EXERCISE, &solved);
    assert_eq!(states(&fixture), [State::Green, State::Open]);

    fixture.write("exercises/06-pairs/spec/task_1.rs", "// one case more\n");
    assert_eq!(states(&fixture), [State::Written, State::Open]);
}

#[test]
fn a_red_case_makes_its_task_red_and_the_chapter_not_done() {
    let fixture = stubbed();
    let text = fixture.read(EXERCISE);
    let solved = text
        .replace("todo!(\"6.1: add them\")", "a + b")
        .replace("todo!(\"6.2", "panic!(\"6.2");
    fixture.write(EXERCISE, &solved);
    keep(
        &fixture,
        &[
            verdict("task_1::adds", 1, None),
            verdict("task_2::multiplies", 2, Some("it panicked")),
            verdict("task_2::zero", 2, None),
        ],
    );
    assert_eq!(states(&fixture), [State::Green, State::Red]);
    let progress = Progress::of(&fixture.workspace, &fixture.chapter).unwrap();
    assert!(!progress.is_done());
    assert_eq!(progress.checked.unwrap().red(), ["task_2::multiplies"]);
}

#[test]
fn a_task_is_a_hole_until_its_last_one_is_written() {
    let fixture = stubbed();
    fixture.write(
        "solutions/06-pairs/src/pair.rs",
        &PAIR.replace("6.2", "6.1"),
    );
    let one = TASKS.split("[[task]]\nid = \"6.2\"").next().unwrap();
    fixture.write("exercises/06-pairs/tasks.toml", one);
    let half = fixture.read(EXERCISE).replace("6.2", "6.1");
    fixture.write(EXERCISE, &half);
    assert_eq!(states(&fixture), [State::Open]);
    let progress = || Progress::of(&fixture.workspace, &fixture.chapter).unwrap();
    assert!(!progress().is_begun());

    fixture.write(EXERCISE, &half.replace("todo!(\"6.1: add them\")", "a + b"));
    assert_eq!(states(&fixture), [State::Open]);
    assert!(progress().is_begun());
}

#[test]
fn a_damaged_cache_is_as_good_as_none() {
    let fixture = stubbed();
    fixture.write("target/workbook/verdicts/06-pairs.json", "{\"hash\": ");
    assert_eq!(states(&fixture), [State::Open, State::Open]);
}

const QUEUE: &str = "chapters/25-the-queue/Cargo.toml";

fn mine(fixture: &Fixture, take: Take) -> Mine {
    Mine::find(&fixture.workspace, take).unwrap()
}

/// With the first task written, and these verdicts on both.
fn half(first: Option<&str>, second: Option<&str>) -> Fixture {
    let fixture = stubbed();
    let manifest = "[package]\nname = \"pairs\"\n[features]\nmine = [\"dep:exercise\"]\n";
    fixture.write("chapters/06-pairs/Cargo.toml", manifest);
    fixture.write(QUEUE, "[dependencies]\npairs.workspace = true\n");
    let text = fixture.read(EXERCISE);
    let text = text.replace("todo!(\"6.1: add them\")", "b + a");
    fixture.write(EXERCISE, &text);
    let verdicts = [
        verdict("task_1::adds", 1, first),
        verdict("task_2::multiplies", 2, second),
    ];
    keep(&fixture, &verdicts);
    fixture
}

#[test]
fn the_queue_runs_on_green_tasks_and_the_solution_fills_the_others() {
    let fixture = half(None, Some("still a hole"));
    let text = fixture.read(EXERCISE);
    let mine = mine(&fixture, Take::Green);
    assert_eq!(mine.features(), "pairs/mine");
    assert!(mine.solution.is_empty());
    let [yours] = &mine.yours[..] else {
        panic!("{mine:?}")
    };
    let ids = |tasks: &[TaskId]| tasks.iter().map(TaskId::to_string).collect::<Vec<_>>();
    assert_eq!(
        (ids(&yours.tasks), ids(&yours.filled)),
        (vec!["6.1".to_owned()], vec!["6.2".to_owned()])
    );
    let filled = PAIR.replace("a + b", "b + a");
    assert_eq!(yours.files[&PathBuf::from("pair.rs")], filled);
    assert_eq!(fixture.read(EXERCISE), text);
}

#[test]
fn a_red_task_is_the_solutions_unless_it_is_wanted() {
    let fixture = half(Some("it adds wrongly"), Some("still a hole"));
    let why = &mine(&fixture, Take::Green).solution[0].1;
    assert_eq!(why, "red: cargo workbook check 6");
    let written = mine(&fixture, Take::Written);
    assert_eq!(written.yours[0].tasks.len(), 1);
    let text = &written.yours[0].files[&PathBuf::from("pair.rs")];
    assert_eq!(*text, PAIR.replace("a + b", "b + a"));
}

#[test]
fn the_copy_has_the_filled_part_and_is_no_version_of_the_original() {
    let fixture = half(Some("it adds wrongly"), Some("still a hole"));
    let manifest = fixture.read("Cargo.toml") + "[workspace.package]\nversion = \"0.1.0\"\n";
    fixture.write("Cargo.toml", &manifest);
    let text = fixture.read(EXERCISE);
    let mut mine = mine(&fixture, Take::Written);
    mine.cargo(&fixture.workspace, Take::Written).unwrap();
    let copy = |file: &str| fixture.read(&format!("target/workbook/mine/{file}"));
    assert_eq!(copy(EXERCISE), PAIR.replace("a + b", "b + a"));
    assert!(copy("Cargo.toml").contains("version = \"0.1.0+mine\""));
    assert_eq!(fixture.read(EXERCISE), text);
    assert_eq!(fixture.read("Cargo.toml"), manifest);
}

#[test]
fn a_part_that_is_green_is_taken_as_it_is() {
    let fixture = half(None, None);
    let whole = fixture
        .read(EXERCISE)
        .replace("todo!(\"6.2", "panic!(\"6.2");
    fixture.write(EXERCISE, &whole);
    let verdicts = [
        verdict("task_1::adds", 1, None),
        verdict("task_2::multiplies", 2, None),
    ];
    keep(&fixture, &verdicts);
    let mine = mine(&fixture, Take::Green);
    assert!(mine.yours[0].filled.is_empty());
    assert_eq!(mine.yours[0].files[&PathBuf::from("pair.rs")], whole);
}

#[test]
fn a_part_that_is_not_begun_is_the_solutions() {
    let fixture = half(None, None);
    stubs::run(
        &fixture.workspace,
        std::slice::from_ref(&fixture.chapter),
        true,
    )
    .unwrap();
    let mine = mine(&fixture, Take::Green);
    assert_eq!(mine.features(), "");
    assert_eq!(mine.solution[0].1, "not begun");
}

/// Chapter 17 has a process of its own.
#[test]
fn the_queue_runs_on_nothing_of_a_chapter_that_it_is_not_built_on() {
    let fixture = half(None, None);
    fixture.write(QUEUE, "[dev-dependencies]\npairs.workspace = true\n");
    let mine = mine(&fixture, Take::Green);
    assert!(
        mine.yours.is_empty() && mine.solution.is_empty(),
        "{mine:?}"
    );
}
