//! The cases of a part, run on all its variants.
//!
//! The variants are one program, and a case is deterministic. So on two variants it does
//! the same until it enters a hole whose bodies differ; if it passes on the solution and
//! enters no such hole, its verdict on the other variant is known without a run.

use std::path::Path;

use anyhow::Result;

use super::variants::{Variants, filled_up_to};
use crate::spec::{self, Case, SOLUTION, Verdict};

/// The verdicts on each variant, in the order of the cases.
#[derive(Debug)]
pub struct Runs {
    /// On the stub.
    pub stub: Vec<Verdict>,
    /// With the tasks up to each one solved.
    pub stages: Vec<Vec<Verdict>>,
    /// On each wrong answer of [`Variants::together`].
    pub wrong: Vec<Vec<Verdict>>,
}

impl Runs {
    /// Runs `cases` on all variants of a part of so many tasks.
    ///
    /// # Errors
    /// When the binary cannot be run.
    pub fn new(binary: &Path, cases: &[Case], tasks: u32, variants: &Variants) -> Result<Runs> {
        let whole = [filled_up_to(0), SOLUTION].map(|variant| (variant, cases.to_vec()));
        let mut whole = spec::run_variants(binary, &whole)?.into_iter();
        let (stub, solved) = (
            whole.next().unwrap_or_default(),
            whole.next().unwrap_or_default(),
        );
        let stages = (1..tasks).map(|filled| {
            let differ = entering(variants.open_behind(filled), &solved);
            let of_tasks = differ.into_iter().filter(|case| case.task <= filled);
            (filled_up_to(filled), of_tasks.collect())
        });
        let wrong = variants.together.iter();
        let wrong = wrong.map(|variant| (variant.number, entering(1 << variant.hole, &solved)));
        let wanted: Vec<_> = stages.chain(wrong).collect();
        let runs = spec::run_variants(binary, &wanted)?.into_iter();
        let mut stages: Vec<_> = runs.map(|ran| with_known(ran, &solved)).collect();
        let wrong = stages.split_off(stages.len() - variants.together.len());
        stages.push(solved);
        Ok(Runs {
            stub,
            stages,
            wrong,
        })
    }
}

/// The cases whose verdict may be another one than on the solution if the `holes` are
/// other ones.
fn entering(holes: u64, solved: &[Verdict]) -> Vec<Case> {
    let enters = |verdict: &&Verdict| verdict.entered.is_none_or(|entered| entered & holes != 0);
    let entering = solved.iter().filter(enters);
    entering.map(|verdict| verdict.case.clone()).collect()
}

/// The verdicts of all cases: `ran`, and the solution's on those that did not run.
fn with_known(ran: Vec<Verdict>, solved: &[Verdict]) -> Vec<Verdict> {
    let mut ran = ran.into_iter().peekable();
    let verdicts = solved.iter().map(|solved| {
        ran.next_if(|verdict| verdict.case == solved.case)
            .unwrap_or_else(|| solved.clone())
    });
    verdicts.collect()
}
