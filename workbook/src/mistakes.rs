//! Whether a learner's answer fails just as a known wrong answer does.

use crate::holes::TaskId;
use crate::tasks::WrongAnswer;
use crate::verdict::Checked;
use crate::verify::normalise;

/// The wrong answers to `task` that fail the same cases of it as the part that
/// was checked. If that leaves several, those that get the same messages; `pinned`
/// gives the messages of a wrong answer by its name. None if that decides nothing.
pub fn known<'a>(
    task: &TaskId,
    checked: &Checked,
    answers: &'a [WrongAnswer],
    pinned: impl Fn(&str) -> Option<String>,
) -> Vec<&'a WrongAnswer> {
    let module = format!("task_{}::", task.number);
    let red = checked.cases.iter().filter(|case| case.message.is_some());
    let mut red: Vec<_> = red.filter(|case| case.task == task.number).collect();
    red.sort_by_key(|case| &case.name);
    if red.is_empty() {
        return Vec::new();
    }
    let names = || red.iter().map(|case| case.name.as_str());
    let fails_so = |wrong: &&WrongAnswer| {
        let own = wrong.fails.iter().map(String::as_str);
        wrong.task == *task && own.filter(|name| name.starts_with(&module)).eq(names())
    };
    let messages = || red.iter().filter_map(|case| case.message.as_deref());
    let says_so = |wrong: &&WrongAnswer| {
        let Some(text) = pinned(&wrong.name) else {
            return false;
        };
        messages().all(|message| text.contains(normalise(message).trim()))
    };
    let similar: Vec<_> = answers.iter().filter(fails_so).collect();
    let same: Vec<_> = similar.iter().copied().filter(says_so).collect();
    match (same.len(), similar.len()) {
        (0, 1) => similar,
        _ => same,
    }
}
