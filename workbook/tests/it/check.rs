use workbook::commands::check::called;
use workbook::holes::TaskId;
use workbook::spec::{Case, Verdict};

fn verdicts() -> Vec<Verdict> {
    let names = ["task_1::room::first", "task_1::first", "task_1::not_first"];
    let verdict = |name: &str| Verdict {
        case: Case {
            name: name.to_owned(),
            task: 1,
        },
        failure: None,
        entered: None,
    };
    names.map(verdict).into()
}

fn called_so(case: &str) -> anyhow::Result<Vec<String>> {
    let found = called(verdicts(), &TaskId::parse("6.1").unwrap(), case)?;
    Ok(found.into_iter().map(|one| one.case.name).collect())
}

#[test]
fn a_case_is_called_as_its_function_is_or_with_its_module() {
    let both = ["task_1::room::first", "task_1::first"];
    assert_eq!(called_so("first").unwrap(), both);
    assert_eq!(called_so("room::first").unwrap(), both[..1]);
    assert_eq!(called_so("task_1::first").unwrap(), both[1..]);
}

#[test]
fn a_case_that_is_not_there_is_an_error_that_names_those_that_are() {
    let error = called_so("irst").unwrap_err().to_string();
    for part in ["6.1", "`irst`", "room::first", "not_first"] {
        assert!(error.contains(part), "{error}");
    }
}
