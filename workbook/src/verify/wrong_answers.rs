//! The proofs of a chapter's wrong answers.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};

use super::builds::Builds;
use super::chapter::{Proof, hanging};
use super::{Report, cargo, golden};
use crate::cargo::{Built, Message, Talk};
use crate::spec::{self, Case, Verdict};
use crate::tasks::WrongAnswer;

/// What `rustc` counts as unused; a mistake may leave something so.
const UNUSED: [&str; 4] = [
    "dead_code",
    "unreachable_code",
    "unreachable_patterns",
    "path_statements",
];

impl Proof<'_> {
    /// Each is caught by exactly the cases that it names. `together` has the verdicts on
    /// those that are variants of one text.
    pub(super) fn judge_wrong_answers(
        &self,
        builds: &Builds,
        together: &[Vec<Verdict>],
        bless: bool,
        report: &mut Report,
    ) -> Result<()> {
        for (variant, verdicts) in self.variants.together.iter().zip(together) {
            let wrong = &variant.wrong;
            let mut problems = self.warnings_of(wrong, &builds.variants);
            problems.extend(self.caught(wrong, verdicts, bless)?);
            report.unless(&says(wrong), &problems);
        }
        for (wrong, error) in &self.broken {
            report.fail(&says(wrong), &format!("it does not compile:\n{error}"));
        }
        for wrong in &self.variants.apart {
            match self.apart(wrong, bless) {
                Ok(problems) => report.unless(&says(wrong), &problems),
                Err(error) => report.fail(&says(wrong), &format!("{error:#}")),
            }
        }
        Ok(())
    }

    /// A case that no wrong answer names could be emptied, or lost, and nobody would see.
    pub(super) fn unnamed(&self, cases: &[Case]) -> Vec<String> {
        let named: BTreeSet<_> = self.wrong.iter().flat_map(|wrong| &wrong.fails).collect();
        let unnamed = cases.iter().filter(|case| !named.contains(&case.name));
        unnamed
            .map(|case| format!("no wrong answer names {}", case.name))
            .collect()
    }

    /// What is wrong with a wrong answer on which the cases came out so.
    fn caught(
        &self,
        wrong: &WrongAnswer,
        verdicts: &[Verdict],
        bless: bool,
    ) -> Result<Vec<String>> {
        let mut problems = hanging(verdicts);
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
            let now = golden::text(wrong, verdicts);
            problems = golden::compare(self.workspace, &self.chapter, wrong, &now, bless)?;
        }
        Ok(problems)
    }

    /// What is wrong with a wrong answer that is built by itself.
    fn apart(&self, wrong: &WrongAnswer, bless: bool) -> Result<Vec<String>> {
        let mut files = self.solution.clone();
        let (name, text) = wrong.file_of(&self.solution)?;
        files.insert(name.to_owned(), wrong.apply(text)?);
        self.mirror.put(&self.chapter, &files)?;
        let package = self.chapter.exercise_package();
        let built = cargo(self.mirror)
            .build(&["build", "-p", &package, "--test", "spec"], Talk::Nothing)?;
        ensure!(built.success, "it does not compile:\n{}", built.errors());
        let mut problems = self.complaints(&built, |message| !is_unused(message));
        let binary = self.spec_binary(&built)?;
        let verdicts = spec::run(binary, &self.cases(binary)?)?;
        problems.extend(self.caught(wrong, &verdicts, bless)?);
        Ok(problems)
    }

    /// The warnings about one wrong answer that count.
    fn warnings_of(&self, wrong: &WrongAnswer, built: &Built) -> Vec<String> {
        self.complaints(built, |message| {
            let blamed = self.variants.blame(&self.chapter, message);
            !is_unused(message) && blamed.is_some_and(|blamed| blamed.name == wrong.name)
        })
    }
}

fn says(wrong: &WrongAnswer) -> String {
    let count = wrong.fails.len();
    let plural = if count == 1 { "" } else { "s" };
    format!(
        "{} {}: caught by {count} case{plural}",
        wrong.task, wrong.name
    )
}

fn is_unused(message: &Message) -> bool {
    message.code.starts_with("unused") || UNUSED.contains(&&*message.code)
}
