//! `check [N]`: builds the part and its spec, runs every case, says what to do next.

use anyhow::{Result, bail, ensure};

use super::ladder::last_steps;
use crate::cargo::{Cargo, Talk};
use crate::chapter::{Chapter, Workspace};
use crate::holes::TaskId;
use crate::progress::{Progress, State};
use crate::say;
use crate::screen::Paint;
use crate::spec::{self, Case, Verdict};
use crate::tasks::Task;
use crate::verdict::{self, Checked};

/// Checks a chapter's part, or `only` one task of it, and says what came of it.
///
/// # Errors
/// When it does not compile, or a case is red.
pub fn run(workspace: &Workspace, chapter: &Chapter, only: Option<&TaskId>) -> Result<()> {
    let mut verdicts = verdicts(workspace, chapter)?;
    let mut progress = Progress::of(workspace, chapter)?;
    if let Some(only) = only {
        progress.tasks.retain(|(task, _)| task.id == *only);
        verdicts.retain(|verdict| verdict.case.task == only.number);
        ensure!(
            !verdicts.is_empty(),
            "{} has no cases of a task {only}",
            chapter.folder
        );
    }
    report(&progress, &verdicts, Paint::for_stdout());
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

fn report(progress: &Progress, verdicts: &[Verdict], paint: Paint) {
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
        None if progress.is_done() => praise(progress, paint),
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
        say!("the cases of the task are in {}", case_file(chapter, first));
        say!("where to begin?   cargo workbook hint {task}");
        return;
    }
    say_others(verdicts, &first.case, &task);
    say!("\n{}", paint.bold("stuck? one step at a time:"));
    say!(
        "  1  read the message above, and the case in {}",
        case_file(chapter, first)
    );
    say!("  2  cargo workbook hint {task}");
    for (number, step) in (3..).zip(last_steps(chapter, &task)) {
        say!("  {number}  {step}");
    }
}

/// The other red cases of the task of `first`.
fn say_others(verdicts: &[Verdict], first: &Case, task: &TaskId) {
    let others = verdicts.iter().filter_map(|verdict| {
        let is_other = verdict.case.task == first.task && verdict.case != *first;
        let failure = verdict.failure.as_ref().filter(|_| is_other)?;
        Some((&verdict.case.name, failure.was_not_run()))
    });
    let (not_run, red): (Vec<_>, Vec<_>) = others.partition(|(_, was_not_run)| *was_not_run);
    if !red.is_empty() {
        say!("\nalso red in {task}:");
    }
    for (name, _) in red {
        let name = name.split_once("::").map_or(&**name, |(_, case)| case);
        say!("  {name}");
    }
    if !not_run.is_empty() {
        say!(
            "\nnot run, because the case above does not end: {} more",
            not_run.len()
        );
    }
}

/// The task of the case, if it is still a hole.
fn hole<'a>(progress: &'a Progress, verdict: &Verdict) -> Option<&'a (Task, State)> {
    let mut tasks = progress.tasks.iter();
    tasks.find(|(task, state)| task.id.number == verdict.case.task && *state == State::Open)
}

fn case_file(chapter: &Chapter, verdict: &Verdict) -> String {
    let module = verdict.case.name.split("::").next().unwrap_or_default();
    let file = chapter.exercise().join("spec").join(module);
    file.with_extension("rs").display().to_string()
}

fn praise(progress: &Progress, paint: Paint) {
    let chapter = &progress.chapter;
    say!(
        "\n{}",
        paint.green("All green. The queue can run on your part:")
    );
    say!("  cargo workbook serve --mine");
    say!("  cargo workbook demo --mine");
    say!(
        "Then answer the questions at the end of {}. `cargo workbook` says what comes next.",
        chapter.page().display()
    );
}
