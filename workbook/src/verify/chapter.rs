//! The proofs of one chapter.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::{Mirror, Report, golden};
use crate::cargo::{Built, Message, Talk};
use crate::chapter::{Chapter, Workspace};
use crate::commands::stubs::stubs_of;
use crate::holes::TaskId;
use crate::process;
use crate::spec::{self, Verdict};
use crate::tasks::{self, Task, WrongAnswer};
use crate::tree;

/// How long a chapter's own tests may take, their build included.
const TESTS_LIMIT: Duration = Duration::from_secs(20 * 60);
/// What `rustc` counts as unused; a mistake may leave something so.
const UNUSED: [&str; 4] = [
    "dead_code",
    "unreachable_code",
    "unreachable_patterns",
    "path_statements",
];

/// Makes every proof; what fails is in the report.
pub(super) fn verify(
    workspace: &Workspace,
    mirror: &Mirror,
    chapter: &Chapter,
    bless: bool,
    report: &mut Report,
) -> Result<()> {
    let tasks = tasks::tasks(workspace, chapter)?;
    let wrong = tasks::wrong_answers(workspace, chapter)?;
    ensure!(!tasks.is_empty(), "the solution has no hole yet");
    let proof = Proof {
        workspace,
        mirror,
        chapter,
    };
    report.unless(
        "every task has three hints and a wrong answer",
        &described(&tasks, &wrong),
    );
    report.unless(
        "the committed stub is the solution's",
        &proof.stub_is_current()?,
    );
    proof.stub(report)?;
    proof.filled(&tasks, report)?;
    proof.tests_with_mine(report)?;
    for wrong in &wrong {
        let what = format!("{} {}", wrong.task, wrong.name);
        match proof.wrong_answer(wrong, bless) {
            Ok((caught, problems)) => {
                report.unless(&format!("{what}: caught by {caught}"), &problems);
            }
            Err(error) => report.fail(&what, &format!("{error:#}")),
        }
    }
    let leftovers = golden::leftovers(workspace, chapter, &wrong, bless)?;
    report.unless("every pinned message belongs to a wrong answer", &leftovers);
    mirror.fill(chapter, &BTreeSet::new())
}

fn described(tasks: &[Task], wrong: &[WrongAnswer]) -> Vec<String> {
    let mut problems = Vec::new();
    for task in tasks {
        if task.hints.len() != 3 {
            problems.push(format!("{} has {} hints", task.id, task.hints.len()));
        }
        if !wrong.iter().any(|wrong| wrong.task == task.id) {
            problems.push(format!("{} has no wrong answer", task.id));
        }
    }
    for wrong in wrong {
        if !tasks.iter().any(|task| task.id == wrong.task) {
            problems.push(format!("`{}` is of no task: {}", wrong.name, wrong.task));
        }
    }
    problems
}

struct Proof<'a> {
    workspace: &'a Workspace,
    mirror: &'a Mirror,
    chapter: &'a Chapter,
}

impl Proof<'_> {
    fn stub_is_current(&self) -> Result<Vec<String>> {
        let expected = stubs_of(self.workspace, self.chapter, &BTreeSet::new())?;
        let source = self.chapter.exercise().join("src");
        let present = tree::read(&self.workspace.path(&source))?;
        let names: BTreeSet<_> = expected.keys().chain(present.keys()).collect();
        let differs = names
            .into_iter()
            .filter(|name| expected.get(*name) != present.get(*name));
        Ok(differs
            .map(|name| {
                let file = source.join(name);
                format!(
                    "{}: `cargo workbook stubs {}` makes another text",
                    file.display(),
                    self.chapter.short_number()
                )
            })
            .collect())
    }

    fn stub(&self, report: &mut Report) -> Result<()> {
        self.mirror.fill(self.chapter, &BTreeSet::new())?;
        let built = self.build()?;
        report.unless(
            "the stub compiles without warnings",
            &self.complaints(&built, |_| true),
        );
        let verdicts = self.run(&built)?;
        let passing = verdicts.iter().filter(|verdict| verdict.failure.is_none());
        let mut problems: Vec<_> = passing
            .map(|verdict| format!("{} passes on the stub", verdict.case.name))
            .collect();
        problems.extend(hanging(&verdicts));
        let homeless = verdicts.iter().filter(|verdict| verdict.case.task == 0);
        problems.extend(homeless.map(|v| format!("{} stands in no module task_N", v.case.name)));
        report.unless(
            &format!("each of the {} cases fails on the stub", verdicts.len()),
            &problems,
        );
        Ok(())
    }

    /// Ends with every task filled: the solution's text.
    fn filled(&self, tasks: &[Task], report: &mut Report) -> Result<()> {
        let mut filled = BTreeSet::<TaskId>::new();
        for task in tasks {
            filled.insert(task.id.clone());
            self.mirror.fill(self.chapter, &filled)?;
            let built = self.build()?;
            let mut problems = self.complaints(&built, |_| true);
            let verdicts = self.run(&built)?;
            let mine = verdicts
                .iter()
                .filter(|verdict| verdict.case.task <= task.id.number);
            let count = mine
                .clone()
                .filter(|verdict| verdict.case.task == task.id.number)
                .count();
            if count == 0 {
                problems.push("it has no case".to_owned());
            }
            problems.extend(mine.filter_map(|verdict| {
                let failure = verdict.failure.as_ref()?;
                Some(format!("{} fails\n{}", verdict.case.name, failure.message))
            }));
            let what = if filled.len() == tasks.len() {
                format!("the solution passes every case ({count} of {})", task.id)
            } else {
                format!(
                    "with tasks up to {} filled, its {count} cases pass",
                    task.id
                )
            };
            report.unless(&what, &problems);
        }
        Ok(())
    }

    fn tests_with_mine(&self, report: &mut Report) -> Result<()> {
        let package = self.chapter.name();
        let what = format!("{package}'s tests pass with `mine` on the solution's text");
        let mut command = self.mirror.cargo().command(&["test", "-q", "-p", package]);
        command.args(["--features", "mine", "--lib", "--bins", "--tests"]);
        match process::run(&mut command, TESTS_LIMIT)? {
            None => report.fail(&what, "they did not end"),
            Some(ended) if ended.success => report.pass(&what),
            Some(ended) => {
                let said = ended.stdout + &ended.stderr;
                let lines: Vec<_> = said.lines().collect();
                report.fail(&what, &lines[lines.len().saturating_sub(40)..].join("\n"));
            }
        }
        Ok(())
    }

    fn wrong_answer(&self, wrong: &WrongAnswer, bless: bool) -> Result<(String, Vec<String>)> {
        let everything: BTreeSet<_> = tasks::tasks(self.workspace, self.chapter)?
            .into_iter()
            .map(|task| task.id)
            .collect();
        let mut files = stubs_of(self.workspace, self.chapter, &everything)?;
        let name = Path::new(&wrong.file)
            .strip_prefix("src")
            .ok()
            .filter(|name| files.contains_key(*name))
            .with_context(|| format!("the solution has no file {}", wrong.file))?
            .to_owned();
        let text = wrong.apply(&files[&name])?;
        files.insert(name, text);
        self.mirror.put(self.chapter, &files)?;
        let built = self.build()?;
        let mut problems = self.complaints(&built, |message| !is_unused(message));
        let verdicts = self.run(&built)?;
        problems.extend(hanging(&verdicts));
        let red: BTreeSet<&str> = verdicts
            .iter()
            .filter(|verdict| verdict.failure.is_some())
            .map(|verdict| verdict.case.name.as_str())
            .collect();
        let named: BTreeSet<&str> = wrong.fails.iter().map(String::as_str).collect();
        problems.extend(
            named
                .difference(&red)
                .map(|case| format!("not caught by {case}")),
        );
        problems.extend(
            red.difference(&named)
                .map(|case| format!("also caught by {case}, which it does not name")),
        );
        if problems.is_empty() {
            let now = golden::text(wrong, &verdicts);
            problems = golden::compare(self.workspace, self.chapter, wrong, &now, bless)?;
        }
        let count = named.len();
        let caught = format!("{count} case{}", if count == 1 { "" } else { "s" });
        Ok((caught, problems))
    }

    fn build(&self) -> Result<Built> {
        let package = self.chapter.exercise_package();
        let cargo = self.mirror.cargo();
        let built = cargo.build_test(&package, "spec", Talk::Nothing)?;
        ensure!(built.success, "it does not compile:\n{}", built.errors());
        Ok(built)
    }

    fn run(&self, built: &Built) -> Result<Vec<Verdict>> {
        let binary = built
            .program("spec")
            .context("cargo names no test binary")?;
        let folder = self.chapter.exercise().join("spec");
        let cases = spec::cases(binary, &self.mirror.workspace().path(folder))?;
        spec::run(binary, &cases)
    }

    /// The warnings about this exercise that count.
    fn complaints(&self, built: &Built, counts: impl Fn(&Message) -> bool) -> Vec<String> {
        let manifest = self.chapter.exercise().join("Cargo.toml");
        let own = built
            .messages
            .iter()
            .filter(|message| Path::new(&message.manifest).ends_with(&manifest));
        own.filter(|message| message.level == "warning" && counts(message))
            .map(|message| message.text.clone())
            .collect()
    }
}

fn is_unused(message: &Message) -> bool {
    message.code.starts_with("unused") || UNUSED.contains(&&*message.code)
}

fn hanging(verdicts: &[Verdict]) -> Vec<String> {
    let hung = verdicts
        .iter()
        .filter(|verdict| verdict.failure.as_ref().is_some_and(spec::Failure::hung));
    hung.map(|verdict| {
        format!(
            "{} does not end: a case bounds its own loops, and says what went on too long",
            verdict.case.name
        )
    })
    .collect()
}
