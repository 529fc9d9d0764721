use std::process::{Command, Stdio};

use workbook::screen::{Paint, fold, wrap};

#[test]
fn a_line_that_fits_is_left_alone() {
    for line in [
        "",
        "green",
        "  5.1  two columns",
        "    indented,  with gaps",
    ] {
        assert_eq!(fold(line, 24), line);
    }
}

#[test]
fn a_line_breaks_between_words() {
    assert_eq!(
        fold("one two three four five", 10),
        "one two\nthree four\nfive"
    );
    assert_eq!(
        fold("  indented text goes on deeper", 20),
        "  indented text goes\n    on deeper"
    );
}

#[test]
fn what_goes_on_stands_below_the_second_column() {
    let line = "  expected   [0, 1, 2] and what follows from it";
    assert_eq!(
        fold(line, 38),
        "  expected   [0, 1, 2] and what\n             follows from it"
    );
}

#[test]
fn a_second_column_without_room_is_given_up() {
    let line = "  expected   [0, 1, 2] and what follows from it";
    assert_eq!(
        fold(line, 30),
        "  expected   [0, 1, 2] and\n    what follows from it"
    );
}

#[test]
fn a_path_that_fits_nowhere_stays_where_it_is() {
    let line = "  where   exercises/05-record-batch/src/assign.rs:16:5, below";
    assert_eq!(
        fold(line, 40),
        "  where   exercises/05-record-batch/src/assign.rs:16:5,\n          below"
    );
}

#[test]
fn colours_take_no_room() {
    let coloured = "\u{1b}[31mred\u{1b}[0m and \u{1b}[32mgreen\u{1b}[0m";
    assert_eq!(fold(coloured, 13), coloured);
    assert_eq!(fold(coloured, 12), coloured.replace("and ", "and\n"));
}

#[test]
fn prose_is_wrapped_under_its_indent() {
    assert_eq!(Paint::plain().bold("x"), "x");
    let text = "word ".repeat(20);
    let line = format!("  {}", ["word"; 15].join(" "));
    let last = format!("  {}", ["word"; 5].join(" "));
    assert_eq!(wrap(&text, 2), format!("{line}\n{last}"));
}

#[test]
fn a_pipe_that_nobody_reads_changes_no_exit_code() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = Command::new(env!("CARGO_BIN_EXE_workbook"))
        .arg("help")
        .stdout(writer)
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", output.status);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
