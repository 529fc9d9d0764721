//! `--mine`: which of the learner's parts the queue runs on.

use anyhow::Result;

use crate::chapter::{Chapter, Workspace};
use crate::commands::check;
use crate::progress::Progress;
use crate::say;
use crate::tree;
use crate::verdict::Checked;

/// Which parts are the learner's, and why the others are not.
#[derive(Debug, Default)]
pub struct Mine {
    /// Green: the queue runs on these.
    pub yours: Vec<Chapter>,
    /// The solution stands in for these; why.
    pub solution: Vec<(Chapter, String)>,
}

impl Mine {
    /// Takes every part whose spec is green. Checks those that are written and
    /// were not checked as they are now.
    ///
    /// # Errors
    /// When a part cannot be read.
    pub fn find(workspace: &Workspace) -> Result<Mine> {
        let mut mine = Mine::default();
        for chapter in workspace.chapters()? {
            if !swaps(workspace, &chapter) {
                continue;
            }
            match why_not(workspace, &chapter)? {
                None => mine.yours.push(chapter),
                Some(why) => mine.solution.push((chapter, why)),
            }
        }
        Ok(mine)
    }

    /// For cargo: `log-storage/mine,broker/mine`.
    #[must_use]
    pub fn features(&self) -> String {
        let names = self.yours.iter().map(|c| format!("{}/mine", c.name()));
        names.collect::<Vec<_>>().join(",")
    }

    /// Says which are whose.
    pub fn say(&self) {
        if self.yours.is_empty() {
            say!("none of your parts is green yet; the queue runs on the solutions:");
        } else {
            say!("the queue runs on your part of:");
            for chapter in &self.yours {
                say!("  {}", chapter.folder);
            }
            if !self.solution.is_empty() {
                say!("and on the solution of:");
            }
        }
        for (chapter, why) in &self.solution {
            say!("  {:<20}  {why}", chapter.folder);
        }
    }
}

/// Whether the chapter is a layer of the queue with a feature `mine`.
fn swaps(workspace: &Workspace, chapter: &Chapter) -> bool {
    let manifest = workspace
        .path("chapters")
        .join(&chapter.folder)
        .join("Cargo.toml");
    tree::read_text(&manifest).is_ok_and(|text| text.contains("\nmine = "))
}

fn why_not(workspace: &Workspace, chapter: &Chapter) -> Result<Option<String>> {
    let progress = Progress::of(workspace, chapter)?;
    if progress.is_done() {
        return Ok(None);
    }
    if let Some(open) = progress.first_open() {
        return Ok(Some(if progress.is_begun() {
            format!("{} is still a hole", open.id)
        } else {
            "not begun".to_owned()
        }));
    }
    if progress.checked.is_none()
        && let Err(error) = check::verdicts(workspace, chapter)
    {
        return Ok(Some(format!("{error:#}")));
    }
    let checked = Checked::load(workspace, chapter)?;
    let red = checked.as_ref().map_or(1, |checked| checked.red().len());
    Ok((red > 0).then(|| format!("{red} red: cargo workbook check {}", chapter.short_number())))
}
