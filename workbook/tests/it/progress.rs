use workbook::commands::stubs;
use workbook::holes::TaskId;
use workbook::mine::Mine;
use workbook::progress::{self, Progress, State};
use workbook::spec::{Case, Failure, Verdict};
use workbook::verdict::{self, Checked};

use crate::fixture::Fixture;

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
fn a_damaged_cache_is_as_good_as_none() {
    let fixture = stubbed();
    fixture.write("target/workbook/verdicts/06-pairs.json", "{\"hash\": ");
    assert_eq!(states(&fixture), [State::Open, State::Open]);
}

#[test]
fn the_queue_runs_on_green_parts_only() {
    let fixture = stubbed();
    let manifest = "[package]\nname = \"pairs\"\n[features]\nmine = [\"dep:exercise\"]\n";
    fixture.write("chapters/06-pairs/Cargo.toml", manifest);
    let mine = Mine::find(&fixture.workspace).unwrap();
    assert_eq!(mine.features(), "");
    assert_eq!(mine.solution[0].1, "not begun");

    let half = fixture
        .read(EXERCISE)
        .replace("todo!(\"6.1: add them\")", "a + b");
    fixture.write(EXERCISE, &half);
    keep(&fixture, &[verdict("task_1::adds", 1, None)]);
    fixture.write(EXERCISE, &half.replace("a + b", "b + a"));
    let mine = Mine::find(&fixture.workspace).unwrap();
    assert_eq!(mine.solution[0].1, "6.2 is still a hole");

    let whole = half.replace("todo!(\"6.2", "panic!(\"6.2");
    fixture.write(EXERCISE, &whole);
    let red = [
        verdict("task_1::adds", 1, None),
        verdict("task_2::multiplies", 2, Some("it panicked")),
    ];
    keep(&fixture, &red);
    let mine = Mine::find(&fixture.workspace).unwrap();
    assert_eq!(mine.solution[0].1, "1 red: cargo workbook check 6");

    keep(&fixture, &[verdict("task_1::adds", 1, None)]);
    let mine = Mine::find(&fixture.workspace).unwrap();
    assert_eq!(mine.features(), "pairs/mine");
    assert!(mine.solution.is_empty());
}
