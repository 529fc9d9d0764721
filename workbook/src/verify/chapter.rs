//! The proofs of one chapter.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::builds::Builds;
use super::runs::Runs;
use super::variants::Variants;
use super::{Report, cargo, golden};
use crate::cargo::{Built, Message};
use crate::chapter::{Chapter, Workspace};
use crate::commands::stubs::stubs_of;
use crate::mirror::Mirror;
use crate::process;
use crate::spec::{self, Case, Verdict};
use crate::tasks::{self, Task, WrongAnswer};
use crate::tree::{self, Files};

/// How long a test binary of a chapter may run.
const TESTS_LIMIT: Duration = Duration::from_secs(10 * 60);
/// A chapter that is being proven.
pub(super) struct Proof<'a> {
    pub(super) workspace: &'a Workspace,
    pub(super) mirror: &'a Mirror,
    pub(super) chapter: Chapter,
    pub(super) tasks: Vec<Task>,
    pub(super) solution: Files,
    pub(super) variants: Variants,
    /// The wrong answers that do not compile, and what the compiler says.
    pub(super) broken: Vec<(WrongAnswer, String)>,
    pub(super) wrong: Vec<WrongAnswer>,
}

impl<'a> Proof<'a> {
    /// Reads what the chapter's author wrote.
    pub(super) fn new(
        workspace: &'a Workspace,
        mirror: &'a Mirror,
        chapter: &Chapter,
    ) -> Result<Proof<'a>> {
        let tasks = tasks::tasks(workspace, chapter)?;
        ensure!(!tasks.is_empty(), "the solution has no hole yet");
        let wrong = tasks::wrong_answers(workspace, chapter)?;
        let solution = tree::read(&workspace.path(chapter.solution().join("src")))?;
        Ok(Proof {
            variants: Variants::new(&solution, count(&tasks), &wrong)?,
            broken: Vec::new(),
            workspace,
            mirror,
            chapter: chapter.clone(),
            tasks,
            solution,
            wrong,
        })
    }

    /// Leaves out the wrong answers that an error of the compiler is about; returns
    /// whether there are any.
    pub(super) fn leave_out_broken(&mut self, built: &Built) -> Result<bool> {
        let before = self.broken.len();
        for error in self.messages(built, "error") {
            let Some(wrong) = self.variants.blame(&self.chapter, error) else {
                continue;
            };
            if self
                .broken
                .iter()
                .all(|(other, _)| other.name != wrong.name)
            {
                self.broken.push((wrong.clone(), error.text.clone()));
            }
        }
        if self.broken.len() == before {
            return Ok(false);
        }
        let is_broken = |wrong: &&WrongAnswer| {
            let mut broken = self.broken.iter();
            broken.any(|(other, _)| other.name == wrong.name)
        };
        let rest: Vec<_> = self
            .wrong
            .iter()
            .filter(|w| !is_broken(w))
            .cloned()
            .collect();
        self.variants = Variants::new(&self.solution, count(&self.tasks), &rest)?;
        Ok(true)
    }

    /// Makes every proof; what fails is in the report.
    pub(super) fn judge(&self, builds: &Builds, bless: bool, report: &mut Report) -> Result<()> {
        report.unless(
            "every task has three hints and a wrong answer",
            &self.described(),
        );
        report.unless(
            "the committed stub is the one made from the solution",
            &self.stub_is_current()?,
        );
        report.unless(
            "the stub compiles without warnings",
            &self.complaints(&builds.stubs, |_| true),
        );
        let binary = self.spec_binary(&builds.variants)?;
        let cases = self.cases(binary)?;
        let runs = Runs::new(binary, &cases, count(&self.tasks), &self.variants)?;
        self.stub_fails(&runs.stub, report);
        for (task, verdicts) in self.tasks.iter().zip(&runs.stages) {
            let others = self.warnings_of_none(&builds.variants);
            self.stage_passes(task, verdicts, others, report);
        }
        self.tests_pass(&builds.tests, report)?;
        self.judge_wrong_answers(builds, &runs.wrong, bless, report)?;
        report.unless(
            "every case is named by a wrong answer",
            &self.unnamed(&cases),
        );
        let leftovers = golden::leftovers(self.workspace, &self.chapter, &self.wrong, bless)?;
        report.unless("every pinned message belongs to a wrong answer", &leftovers);
        Ok(())
    }

    fn described(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for task in &self.tasks {
            if task.hints.len() != 3 {
                problems.push(format!("{} has {} hints", task.id, task.hints.len()));
            }
            if !self.wrong.iter().any(|wrong| wrong.task == task.id) {
                problems.push(format!("{} has no wrong answer", task.id));
            }
        }
        for wrong in &self.wrong {
            if !self.tasks.iter().any(|task| task.id == wrong.task) {
                problems.push(format!(
                    "`{}` names a task that does not exist: {}",
                    wrong.name, wrong.task
                ));
            }
        }
        problems
    }

    fn stub_is_current(&self) -> Result<Vec<String>> {
        let expected = stubs_of(self.workspace, &self.chapter, &BTreeSet::new())?;
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
                    "{}: `cargo workbook stubs {}` makes a different text",
                    file.display(),
                    self.chapter.short_number()
                )
            })
            .collect())
    }

    fn stub_fails(&self, verdicts: &[Verdict], report: &mut Report) {
        let passing = verdicts.iter().filter(|verdict| verdict.failure.is_none());
        let mut problems: Vec<_> = passing
            .map(|verdict| format!("{} passes on the stub", verdict.case.name))
            .collect();
        problems.extend(hanging(verdicts));
        let homeless = verdicts.iter().filter(|verdict| verdict.case.task == 0);
        problems.extend(homeless.map(|v| format!("{} is in no module task_N", v.case.name)));
        report.unless(
            &format!("each of the {} cases fails on the stub", verdicts.len()),
            &problems,
        );
    }

    /// With the tasks up to `task` solved, their cases pass.
    fn stage_passes(
        &self,
        task: &Task,
        verdicts: &[Verdict],
        mut problems: Vec<String>,
        report: &mut Report,
    ) {
        let number = task.id.number;
        let own = verdicts.iter().filter(|v| v.case.task == number).count();
        if own == 0 {
            problems.push("it has no case".to_owned());
        }
        let mine = verdicts.iter().filter(|v| v.case.task <= number);
        problems.extend(mine.filter_map(|verdict| {
            let failure = verdict.failure.as_ref()?;
            Some(format!("{} fails\n{}", verdict.case.name, failure.message))
        }));
        let what = if number == count(&self.tasks) {
            format!("the solution passes every case ({own} of {})", task.id)
        } else {
            format!("with tasks up to {} filled, its {own} cases pass", task.id)
        };
        report.unless(&what, &problems);
    }

    fn tests_pass(&self, built: &Built, report: &mut Report) -> Result<()> {
        let package = self.chapter.name();
        let what = format!("{package}'s tests pass with `mine` on the solution's text");
        let folder = self.mirror.workspace().path(self.chapter.home());
        let manifest = folder.join("Cargo.toml");
        let of_chapter = |message: &&Message| {
            message.manifest == manifest || message.manifest.as_os_str().is_empty()
        };
        let errors = built
            .messages
            .iter()
            .filter(|message| message.level == "error");
        let mut problems: Vec<_> = errors.filter(of_chapter).map(|m| m.text.clone()).collect();
        let tests = built.programs.iter().filter(|program| program.is_test);
        let tests: Vec<_> = tests
            .filter(|program| program.manifest == manifest)
            .collect();
        if tests.is_empty() && problems.is_empty() {
            problems.push("cargo builds no tests of it".to_owned());
        }
        for test in tests {
            let mut command = cargo(self.mirror).program(&test.path);
            command
                .current_dir(&folder)
                .env("CARGO_MANIFEST_DIR", &folder);
            match process::run(&mut command, TESTS_LIMIT)? {
                None => problems.push(format!("{} does not end", test.target)),
                Some(ended) if ended.success => {}
                Some(ended) => {
                    let said = ended.stdout + &ended.stderr;
                    let lines: Vec<_> = said.lines().collect();
                    problems.push(lines[lines.len().saturating_sub(40)..].join("\n"));
                }
            }
        }
        report.unless(&what, &problems);
        Ok(())
    }

    pub(super) fn spec_binary<'b>(&self, built: &'b Built) -> Result<&'b Path> {
        let manifest = self.manifest();
        let mut programs = built.programs.iter();
        let found =
            programs.find(|program| program.manifest == manifest && program.target == "spec");
        let errors = || {
            self.messages(built, "error")
                .map(|message| message.text.as_str())
                .collect::<String>()
        };
        let found = found.with_context(|| format!("it does not compile:\n{}", errors()))?;
        Ok(&found.path)
    }

    pub(super) fn cases(&self, binary: &Path) -> Result<Vec<Case>> {
        let folder = self.chapter.exercise().join("spec");
        spec::cases(binary, &self.mirror.workspace().path(folder))
    }

    fn manifest(&self) -> std::path::PathBuf {
        let manifest = self.chapter.exercise().join("Cargo.toml");
        self.mirror.workspace().path(manifest)
    }

    /// What the compiler says of this exercise, or cargo of everything.
    pub(super) fn messages<'b>(
        &self,
        built: &'b Built,
        level: &'static str,
    ) -> impl Iterator<Item = &'b Message> + use<'b> {
        let manifest = self.manifest();
        let messages = built.messages.iter();
        let of_level = messages.filter(move |message| message.level == level);
        of_level.filter(move |message| {
            message.manifest == manifest || message.manifest.as_os_str().is_empty()
        })
    }

    /// The warnings about this exercise that count.
    pub(super) fn complaints(
        &self,
        built: &Built,
        counts: impl Fn(&Message) -> bool,
    ) -> Vec<String> {
        let warnings = self
            .messages(built, "warning")
            .filter(|message| counts(message));
        warnings.map(|message| message.text.clone()).collect()
    }

    /// The warnings that are about no wrong answer.
    fn warnings_of_none(&self, built: &Built) -> Vec<String> {
        self.complaints(built, |message| {
            self.variants.blame(&self.chapter, message).is_none()
        })
    }
}

fn count(tasks: &[Task]) -> u32 {
    u32::try_from(tasks.len()).unwrap_or(u32::MAX)
}

pub(super) fn hanging(verdicts: &[Verdict]) -> Vec<String> {
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
