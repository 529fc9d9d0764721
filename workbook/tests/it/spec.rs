//! Runs a script that behaves like a test binary.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;
use workbook::spec::{self, Case, Verdict};

use crate::script::write_script;

/// Lists four cases; passes the first, fails the others in three ways.
const BINARY: &str = r#"#!/bin/sh
if [ "$1" = --list ]; then
    echo "spec::task_2::aborts: test"
    echo "spec::task_1::alpha: test"
    echo "spec::task_1::beta: test"
    echo "spec::task_2::overflows: test"
    echo "helper: test"
    exit
fi
case "$2" in
spec::task_1::alpha) exit 0 ;;
spec::task_1::beta)
    echo
    echo "---- $2 stdout ----"
    echo "printed by the part"
    echo
    echo "task 6.1 · It adds."
    echo "  expected   3"
    echo
    echo
    echo "failures:"
    echo "    $2"
    exit 101
    ;;
spec::task_2::overflows) echo "thread 'case' has overflowed its stack" >&2; exit 134 ;;
spec::task_5::believes)
    echo "task 6.5 · It bounds." >&2
    echo "memory allocation of 17179869184 bytes failed" >&2
    if [ "$RUST_BACKTRACE" = 1 ]; then
        echo "   9: pairs_exercise::read" >&2
        echo "             at /some/where/exercises/06-pairs/src/pair.rs:33:9" >&2
        echo "  10: spec::task_5::believes" >&2
        echo "             at /some/where/exercises/06-pairs/spec/task_5.rs:3:9" >&2
    fi
    exit 134
    ;;
spec::task_5::grows) echo "memory allocation of 4096 bytes failed" >&2; exit 134 ;;
spec::task_4::waits) until [ -e "$0.met" ]; do :; done ;;
spec::task_4::comes) touch "$0.met" ;;
spec::task_3::hangs)
    echo
    echo "---- $2 stdout ----"
    echo
    echo "task 6.3 · It ends."
    echo "  problem    it did not end within 10s"
    exit 101
    ;;
*)
    if [ -n "$SPEC_ANNOUNCE" ]; then echo "task 6.2 · It lives." >&2; fi
    echo "killed by something" >&2
    exit 134
    ;;
esac
"#;

fn binary() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spec-binary");
    write_script(&path, BINARY);
    let text = "fn beta() {}\nfn alpha() {}\n";
    fs::write(folder.path().join("task_1.rs"), text).unwrap();
    (folder, path)
}

#[test]
fn cases_come_in_the_order_of_the_specs_text() {
    let (folder, binary) = binary();
    let cases = spec::cases(&binary, folder.path()).unwrap();
    let names: Vec<_> = cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "task_1::beta",
            "task_1::alpha",
            "task_2::aborts",
            "task_2::overflows"
        ]
    );
    assert_eq!(cases[2].task, 2);
}

#[test]
fn a_message_is_told_apart_from_what_the_part_printed() {
    let (folder, binary) = binary();
    let cases = spec::cases(&binary, folder.path()).unwrap();
    let verdicts = spec::run(&binary, &cases).unwrap();
    let failures: Vec<_> = verdicts.iter().map(|verdict| &verdict.failure).collect();
    let beta = failures[0].as_ref().unwrap();
    assert_eq!(beta.message, "task 6.1 · It adds.\n  expected   3");
    assert_eq!(beta.printed, "printed by the part");
    assert_eq!(*failures[1], None);
}

#[test]
fn a_case_whose_process_dies_has_a_message_too() {
    let (folder, binary) = binary();
    let cases = spec::cases(&binary, folder.path()).unwrap();
    let verdicts = spec::run(&binary, &cases).unwrap();
    let message = |verdict: &Verdict| verdict.failure.as_ref().unwrap().message.clone();
    assert_eq!(
        message(&verdicts[2]),
        "task 6.2 · It lives.\n  problem    the process of this case ended early: killed by something"
    );
    assert!(message(&verdicts[3]).contains("overflowed the stack"));
}

#[test]
fn a_case_without_memory_says_who_asked_for_it() {
    let (_folder, binary) = binary();
    let case = |name: &str| Case {
        name: name.to_owned(),
        task: 5,
    };
    let cases = [case("task_5::believes"), case("task_5::grows")];
    let verdicts = spec::run(&binary, &cases).unwrap();
    let message = |verdict: &Verdict| verdict.failure.as_ref().unwrap().message.clone();
    assert_eq!(
        message(&verdicts[0]),
        "task 6.5 · It bounds.\n  problem    your code asked for 17179869184 bytes at once: \
         was a length believed that came in?\n  where      exercises/06-pairs/src/pair.rs:33:9"
    );
    assert!(message(&verdicts[1]).contains("grows without a bound?"));
}

#[test]
fn once_a_case_hangs_the_others_are_not_waited_for() {
    let (_folder, binary) = binary();
    let case = |name: &str| Case {
        name: name.to_owned(),
        task: 3,
    };
    let mut cases = vec![case("task_3::hangs")];
    cases.extend((0..20).map(|number| case(&format!("task_3::case_{number}"))));
    let verdicts = spec::run(&binary, &cases).unwrap();
    assert_eq!(verdicts.len(), 21);
    assert!(verdicts[0].failure.as_ref().unwrap().hung());
    let last = verdicts[20].failure.as_ref().unwrap();
    assert!(!last.hung() && last.was_not_run());
    let expected = "not run, because task_3::hangs does not end";
    assert!(last.message.contains(expected), "{}", last.message);
}

#[test]
fn two_cases_run_at_a_time() {
    let (_folder, binary) = binary();
    let case = |name: &str| Case {
        name: name.to_owned(),
        task: 4,
    };
    let cases = [case("task_4::waits"), case("task_4::comes")];
    for verdict in spec::run(&binary, &cases).unwrap() {
        assert_eq!(verdict.failure, None, "{}", verdict.case.name);
    }
}

#[test]
fn the_cases_of_a_module_come_where_the_file_of_the_task_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spec-binary");
    let list = ["late::b", "late::a", "last", "first"];
    let lines = list.map(|case| format!("echo 'spec::task_1::{case}: test'\n"));
    write_script(&path, &format!("#!/bin/sh\n{}", lines.concat()));
    let text = "fn first() {}\nmod late;\nfn last() {}\n";
    fs::write(folder.path().join("task_1.rs"), text).unwrap();
    fs::create_dir(folder.path().join("task_1")).unwrap();
    fs::write(
        folder.path().join("task_1/late.rs"),
        "fn a() {}\nfn b() {}\n",
    )
    .unwrap();
    let cases = spec::cases(&path, folder.path()).unwrap();
    let names: Vec<&str> = cases.iter().map(|case| &*case.name).collect();
    let wanted = ["first", "late::a", "late::b", "last"].map(|case| format!("task_1::{case}"));
    assert_eq!(names, wanted);
}
