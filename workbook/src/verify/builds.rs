//! What is built for all chapters together, so that cargo has work for every core.

use std::collections::BTreeSet;

use anyhow::Result;

use super::cargo;
use super::chapter::Proof;
use crate::cargo::{Built, Talk};
use crate::mirror::Mirror;

/// What came of the builds.
pub(super) struct Builds {
    /// Every part as its untouched stub.
    pub(super) stubs: Built,
    /// Every part with all its variants, and its spec.
    pub(super) variants: Built,
    /// The chapters' own tests with `mine`, the parts being the solutions' text.
    pub(super) tests: Built,
}

impl Builds {
    /// Builds everything that `proofs` need. Leaves the solutions' text in the copy.
    pub(super) fn new(mirror: &Mirror, proofs: &mut [Proof<'_>]) -> Result<Builds> {
        let parts: Vec<_> = proofs
            .iter()
            .map(|p| p.chapter.exercise_package())
            .collect();
        for proof in &*proofs {
            mirror.fill(&proof.chapter, &BTreeSet::new())?;
        }
        let stubs = build(mirror, &parts, &["--lib"])?;
        let variants = loop {
            for proof in &*proofs {
                mirror.put(&proof.chapter, &proof.variants.files)?;
            }
            let built = build(mirror, &parts, &["--test", "spec"])?;
            let mut again = false;
            for proof in &mut *proofs {
                again |= proof.leave_out_broken(&built)?;
            }
            if !again {
                break built;
            }
        };
        for proof in &*proofs {
            mirror.put(&proof.chapter, &proof.solution)?;
        }
        let chapters: Vec<_> = proofs.iter().map(|p| p.chapter.name().to_owned()).collect();
        let features: Vec<_> = chapters.iter().map(|name| format!("{name}/mine")).collect();
        let tests = build(
            mirror,
            &chapters,
            &["--tests", "--features", &features.join(",")],
        )?;
        Ok(Builds {
            stubs,
            variants,
            tests,
        })
    }
}

fn build(mirror: &Mirror, packages: &[String], targets: &[&str]) -> Result<Built> {
    let mut arguments = vec!["build", "--keep-going"];
    for package in packages {
        arguments.extend(["-p", package]);
    }
    arguments.extend(targets);
    cargo(mirror).build(&arguments, Talk::Nothing)
}
