use std::ffi::OsString;

use workbook::cli::{self, Action, Aim, Demo};
use workbook::holes::TaskId;
use workbook::mine::Take;

fn parse(line: &str) -> anyhow::Result<Action> {
    cli::parse(line.split_whitespace().map(OsString::from))
}

fn task(text: &str) -> TaskId {
    TaskId::parse(text).unwrap()
}

#[test]
fn every_subcommand_is_understood() {
    let chapter = |name: &str| Some(Aim::Chapter(name.to_owned()));
    let cases = [
        ("", Action::Map),
        ("help", Action::Help),
        ("--help", Action::Help),
        ("check -h", Action::Help),
        ("check", Action::Check(None)),
        ("check 06", Action::Check(chapter("06"))),
        ("check 6.1", Action::Check(Some(Aim::Task(task("6.1"))))),
        (
            "check 6.1 late::b",
            Action::Check(Some(Aim::Case(task("6.1"), "late::b".to_owned()))),
        ),
        ("watch log-storage", Action::Watch(chapter("log-storage"))),
        ("hint", Action::Hint(None, None)),
        ("hint 6.1", Action::Hint(Some(task("6.1")), None)),
        ("hint 6.1 2", Action::Hint(Some(task("6.1")), Some(2))),
        ("diff 6.1", Action::Diff(task("6.1"))),
        ("solve p1.2", Action::Solve(task("p1.2"))),
        ("reset 6.1", Action::Reset(task("6.1"))),
        ("book --open", Action::Book { open: true }),
        ("figures", Action::Figures),
    ];
    for (line, expected) in cases {
        assert_eq!(parse(line).unwrap(), expected, "{line}");
    }
}

#[test]
fn arguments_behind_two_dashes_go_to_mqd() {
    let expected = Action::Serve {
        mine: Some(Take::Green),
        arguments: vec!["--set".into(), "log.segment.bytes=1000".into()],
    };
    let given = parse("serve --mine -- --set log.segment.bytes=1000");
    assert_eq!(given.unwrap(), expected);
    let red = Action::Serve {
        mine: Some(Take::Written),
        arguments: Vec::new(),
    };
    assert_eq!(parse("serve --mine --red").unwrap(), red);
    assert!(parse("serve --red").is_err());
}

#[test]
fn the_demo_takes_a_log_or_follows_one() {
    let log = Action::Demo(Demo {
        mine: false,
        log: Some("a.log".into()),
        follow: None,
    });
    assert_eq!(parse("demo --log a.log").unwrap(), log);
    assert!(parse("demo --log a --follow b").is_err());
}

#[test]
fn authors_name_several_chapters() {
    let expected = Action::Verify {
        chapters: vec!["6".to_owned(), "7".to_owned()],
        all: false,
        bless: true,
    };
    assert_eq!(parse("verify 6 7 --bless").unwrap(), expected);
    let expected = Action::Verify {
        chapters: Vec::new(),
        all: true,
        bless: false,
    };
    assert_eq!(parse("verify --all").unwrap(), expected);
}

#[test]
fn what_is_not_understood_is_refused_and_not_passed_over() {
    let wrong = [
        "chek",
        "check --fast",
        "check 6 7",
        "check 6.1 a b",
        "hint six",
        "hint 6.1 4",
        "diff 6",
        "serve 6",
        "stubs --bless",
        "verify --force",
        "check --log x",
        "check -- x",
        "-x",
    ];
    for line in wrong {
        assert!(parse(line).is_err(), "{line}");
    }
}
