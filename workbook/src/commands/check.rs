//! `check [N | N.K [CASE]]`: builds the part and its spec, runs every case, says what to
//! do next.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Result, bail, ensure};

use super::ladder::last_steps;
use crate::cargo::{Cargo, Talk};
use crate::chapter::{Chapter, Workspace};
use crate::holes::TaskId;
use crate::mine;
use crate::progress::{Progress, State};
use crate::say;
use crate::screen::Paint;
use crate::spec::{self, Case, Verdict};
use crate::tasks::Task;
use crate::verdict::{self, Checked};

/// What to speak of, of a chapter.
#[derive(Debug)]
pub enum Only {
    /// One task.
    Task(TaskId),
    /// The cases of a task that have this name.
    Case(TaskId, String),
}

/// Checks a chapter's part, or `only` a task or a case of it, and says what came of it.
///
/// # Errors
/// When it does not compile, a case is red, or there is no such case.
pub fn run(workspace: &Workspace, chapter: &Chapter, only: Option<&Only>) -> Result<()> {
    let mut verdicts = verdicts(workspace, chapter)?;
    let mut progress = Progress::of(workspace, chapter)?;
    if let Some(Only::Task(task) | Only::Case(task, _)) = only {
        progress.tasks.retain(|(known, _)| known.id == *task);
        verdicts.retain(|verdict| verdict.case.task == task.number);
        ensure!(
            !verdicts.is_empty(),
            "{} has no cases of a task {task}",
            chapter.folder
        );
    }
    let paint = Paint::for_stdout();
    match only {
        Some(Only::Case(task, case)) => {
            verdicts = called(verdicts, task, case)?;
            report_cases(&progress, &verdicts, paint);
        }
        Some(Only::Task(_)) | None => report(workspace, &progress, &verdicts, paint),
    }
    let red = verdicts.iter().filter(|v| v.failure.is_some()).count();
    if red > 0 {
        bail!("{red} of {} cases are red", verdicts.len());
    }
    Ok(())
}

/// Builds, runs every case, and keeps the verdicts.
///
/// # Errors
/// When it does not compile, or there are no cases.
pub fn verdicts(workspace: &Workspace, chapter: &Chapter) -> Result<Vec<Verdict>> {
    let hash = verdict::hash(workspace, chapter)?;
    let talk = if verdict::was_checked(workspace, chapter) {
        Talk::Diagnostics
    } else {
        say!("building the part of {} and its spec …", chapter.folder);
        Talk::Progress
    };
    let cargo = Cargo::new(&workspace.root);
    let built = cargo.build_test(&chapter.exercise_package(), "spec", talk)?;
    let Some(binary) = built.program("spec").filter(|_| built.success) else {
        bail!("{} does not compile yet: see above", chapter.folder);
    };
    let cases = spec::cases(binary, &workspace.path(chapter.exercise().join("spec")))?;
    ensure!(!cases.is_empty(), "{} has no cases", chapter.folder);
    let verdicts = spec::run(binary, &cases)?;
    Checked::new(hash, &verdicts).save(workspace, chapter)?;
    Ok(verdicts)
}

/// Those of `verdicts`, which are of `task`, whose case is called `case`: as its function
/// is, or with the module in front, as in `room::a_promise_holds_room`.
///
/// # Errors
/// When none is; says which there are.
pub fn called(verdicts: Vec<Verdict>, task: &TaskId, case: &str) -> Result<Vec<Verdict>> {
    let ending = format!("::{case}");
    let is_called = |verdict: &Verdict| format!("::{}", verdict.case.name).ends_with(&ending);
    let (found, others): (Vec<_>, Vec<_>) = verdicts.into_iter().partition(is_called);
    let names: Vec<_> = others.iter().map(|other| short(&other.case)).collect();
    ensure!(
        !found.is_empty(),
        "task {task} has no case `{case}`; it has:\n  {}",
        names.join("\n  ")
    );
    Ok(found)
}

fn report_cases(progress: &Progress, verdicts: &[Verdict], paint: Paint) {
    for verdict in verdicts {
        match verdict.failure {
            None => say!("{}  {}", paint.green("green"), verdict.case.name),
            Some(_) => explain(progress, std::slice::from_ref(verdict), verdict, paint),
        }
    }
}

fn report(workspace: &Workspace, progress: &Progress, verdicts: &[Verdict], paint: Paint) {
    say!("{}", paint.bold(&progress.chapter.folder));
    for (task, state) in &progress.tasks {
        let mine = verdicts.iter().filter(|v| v.case.task == task.id.number);
        let (green, all) = mine.fold((0, 0), |(green, all), verdict| {
            (green + usize::from(verdict.failure.is_none()), all + 1)
        });
        let word = match state {
            State::Open => paint.yellow("hole "),
            State::Green => paint.green("green"),
            State::Red => paint.red("red  "),
            State::Written => paint.dim("no case"),
        };
        say!(
            "  {}  {word} {green:>2} of {all:<2}  {}",
            task.id,
            task.title
        );
    }
    match verdicts.iter().find(|verdict| verdict.failure.is_some()) {
        Some(first) => explain(progress, verdicts, first, paint),
        None if progress.is_done() => praise(workspace, progress, paint),
        None => say!(
            "\n{} `cargo workbook` says what comes next.",
            paint.green("Green.")
        ),
    }
}

/// The first red case in full, the others of its task by name, and the ladder.
fn explain(progress: &Progress, verdicts: &[Verdict], first: &Verdict, paint: Paint) {
    let Some(failure) = &first.failure else {
        return;
    };
    let chapter = &progress.chapter;
    if !failure.printed.is_empty() {
        say!("\n{}", paint.dim("your part printed:"));
        say!("{}", failure.printed);
    }
    say!();
    // The ladder below says it in more words.
    let lines = failure.message.lines();
    lines
        .filter(|line| !line.starts_with("  stuck?"))
        .for_each(|line| say!("{line}"));
    say!("  case       {}", first.case.name);
    let task = first.case.task_id(chapter.short_number());
    if let Some((open, _)) = hole(progress, first) {
        say!("\nwrite your code between the two comments, in");
        for file in &open.files {
            say!("  {}", chapter.exercise().join(file).display());
        }
        say!(
            "the cases of the task are in {}",
            case_file(progress, first)
        );
        say!("where to begin?   cargo workbook hint {task}");
        return;
    }
    say_others(verdicts, &first.case, &task);
    say!("\n{}", paint.bold("stuck? one step at a time:"));
    say!(
        "  1  read the message above, and the case in {}",
        case_file(progress, first)
    );
    say!("  2  cargo workbook hint {task}");
    for (number, step) in (3..).zip(last_steps(&progress.page_of(&task), &task)) {
        say!("  {number}  {step}");
    }
}

/// The other red cases of the task of `first`.
fn say_others(verdicts: &[Verdict], first: &Case, task: &TaskId) {
    let others = verdicts.iter().filter_map(|verdict| {
        let is_other = verdict.case.task == first.task && verdict.case != *first;
        let failure = verdict.failure.as_ref().filter(|_| is_other)?;
        Some((short(&verdict.case), failure.was_not_run()))
    });
    let (not_run, red): (Vec<_>, Vec<_>) = others.partition(|(_, was_not_run)| *was_not_run);
    if !red.is_empty() {
        say!("\nalso red in {task} (one in full: cargo workbook check {task} CASE):");
    }
    for (name, _) in red {
        say!("  {name}");
    }
    if !not_run.is_empty() {
        say!(
            "\nnot run, because the case above does not end: {} more",
            not_run.len()
        );
    }
}

/// The case's name without its task.
fn short(case: &Case) -> &str {
    let name = &*case.name;
    name.split_once("::").map_or(name, |(_, case)| case)
}

/// The task of the case, if it is still a hole.
fn hole<'a>(progress: &'a Progress, verdict: &Verdict) -> Option<&'a (Task, State)> {
    let mut tasks = progress.tasks.iter();
    tasks.find(|(task, state)| task.id.number == verdict.case.task && *state == State::Open)
}

fn case_file(progress: &Progress, verdict: &Verdict) -> String {
    let (module, _) = verdict.case.name.rsplit_once("::").unwrap_or_default();
    let spec = progress.chapter.exercise().join("spec");
    let file = spec.join(Path::new(&module.replace("::", "/")));
    file.with_extension("rs").display().to_string()
}

fn praise(workspace: &Workspace, progress: &Progress, paint: Paint) {
    if mine::swaps(workspace, &progress.chapter) {
        let green = paint.green("All green. The queue can run on your part:");
        say!("\n{green}");
        say!("  cargo workbook serve --mine");
        say!("  cargo workbook demo --mine");
    } else {
        // A chapter with a process of its own, as 17.
        let green = paint.green("All green. The chapter's own programs can run on your part:");
        say!("\n{green}");
        say!("  see *Your part* on its page");
    }
    let pages = progress.tasks.iter().map(|(task, _)| &task.page);
    let pages: BTreeSet<String> = pages.map(|page| page.display().to_string()).collect();
    say!(
        "Then answer the questions at the end of {}. `cargo workbook` says what comes next.",
        Vec::from_iter(pages).join(" and ")
    );
}
