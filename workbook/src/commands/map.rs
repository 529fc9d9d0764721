//! No argument: where the learner is. Builds nothing.

use anyhow::Result;

use crate::chapter::Workspace;
use crate::progress::{self, Progress, State};
use crate::say;
use crate::screen::Paint;
use crate::tasks::Kind;

/// Prints the chapters with their tasks, and the next step.
///
/// # Errors
/// When a part cannot be read.
pub fn run(workspace: &Workspace) -> Result<()> {
    let paint = Paint::for_stdout();
    let current = progress::current(workspace)?;
    let (mut green, mut all) = (0, 0);
    let mut begun = false;
    for chapter in workspace.chapters()? {
        let progress = Progress::of(workspace, &chapter)?;
        begun |= progress.is_begun();
        all += progress.tasks.len();
        green += count(&progress, State::Green);
        let here = current
            .as_ref()
            .is_some_and(|current| current.chapter == chapter);
        say!("{}", heading(&progress, here, paint));
        for (task, state) in &progress.tasks {
            let kind = match task.kind {
                Kind::Queue => "",
                Kind::Study => " · study",
                Kind::Shell => " · shell",
            };
            let stars = "★".repeat(task.stars.into());
            let cost = format!("{stars} {} min{kind}", task.minutes);
            say!("  {} {}  {}", symbol(*state, paint), task.id, task.title);
            say!("         {}", paint.dim(cost.trim_start()));
        }
    }
    say!();
    say!(
        "{green} of {all} tasks green    {} hole  {} written, not checked  {} red  {} green",
        symbol(State::Open, paint),
        symbol(State::Written, paint),
        symbol(State::Red, paint),
        symbol(State::Green, paint)
    );
    say!();
    match current {
        Some(current) => next_step(&current, begun, paint),
        None => say!("Every task is green. `cargo workbook demo --mine` runs on all of it."),
    }
    say!("{}", paint.dim("cargo workbook help lists the commands"));
    Ok(())
}

fn count(progress: &Progress, wanted: State) -> usize {
    let states = progress.tasks.iter().map(|(_, state)| *state);
    states.filter(|state| *state == wanted).count()
}

fn heading(progress: &Progress, here: bool, paint: Paint) -> String {
    let chapter = &progress.chapter;
    let title = format!("{} {}", chapter.number(), chapter.name());
    let title = paint.bold(&title);
    if here {
        format!("{title}   ← you are here")
    } else {
        title
    }
}

fn symbol(state: State, paint: Paint) -> String {
    match state {
        State::Open => paint.dim("○"),
        State::Written => paint.yellow("●"),
        State::Red => paint.red("✗"),
        State::Green => paint.green("✓"),
    }
}

fn next_step(current: &Progress, begun: bool, paint: Paint) {
    let chapter = &current.chapter;
    let number = chapter.short_number();
    say!("{}", paint.bold("next"));
    if !begun {
        say!("  cargo workbook demo         see what you are about to build");
        say!("  cargo workbook book --open  read page 00, one evening with the queue");
        say!("  then:");
    }
    let Some((task, state)) = current.next_task() else {
        return;
    };
    match state {
        State::Written => say!("  cargo workbook check {number}"),
        State::Red => {
            say!("  cargo workbook check {number}     what is red");
            say!("  cargo workbook hint {}    one hint at a time", task.id);
        }
        State::Open | State::Green => {
            say!("  read   {}", task.page.display());
            say!("  write  {}: {}", task.id, task.title);
            for file in &task.files {
                say!("         in {}", chapter.exercise().join(file).display());
            }
            say!("  then   cargo workbook check {number}");
        }
    }
}
