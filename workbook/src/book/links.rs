//! Whether every link inside of the book leads somewhere. Addresses outside are
//! not fetched: a check must not depend on other people's servers.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Component, Path, PathBuf};

use anyhow::{Result, ensure};

use super::html::{self, Page};
use crate::tree;

/// Pages that mdBook makes of all the others: their links are the others' links,
/// seen from another place.
const MADE: [&str; 3] = ["print.html", "toc.html", "404.html"];

/// A link that leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Broken {
    /// The page that it is on, in the book's folder.
    pub page: PathBuf,
    /// As the page has it.
    pub link: String,
    /// What is wrong.
    pub problem: &'static str,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Broken {
            page,
            link,
            problem,
        } = self;
        write!(f, "{}: `{link}`: {problem}", page.display())
    }
}

/// Looks at every page below `folder`.
///
/// # Errors
/// When one cannot be read, or there is none.
pub fn broken_links(folder: &Path) -> Result<Vec<Broken>> {
    let mut pages = BTreeMap::new();
    for name in names(folder, Path::new(""))? {
        if name
            .extension()
            .is_some_and(|extension| extension == "html")
        {
            let text = tree::read_text(&folder.join(&name))?;
            pages.insert(name, html::parse(&text));
        }
    }
    ensure!(!pages.is_empty(), "{} has no pages", folder.display());
    let mut broken = Vec::new();
    for (name, page) in &pages {
        if MADE.iter().any(|made| name == Path::new(made)) {
            continue;
        }
        for link in &page.links {
            if let Some(problem) = problem(folder, name, link, &pages) {
                broken.push(Broken {
                    page: name.clone(),
                    link: link.clone(),
                    problem,
                });
            }
        }
    }
    broken.sort();
    broken.dedup();
    Ok(broken)
}

fn names(folder: &Path, below: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder.join(below))? {
        let name = below.join(entry?.file_name());
        if folder.join(&name).is_dir() {
            found.extend(names(folder, &name)?);
        } else {
            found.push(name);
        }
    }
    Ok(found)
}

fn problem(
    folder: &Path,
    name: &Path,
    link: &str,
    pages: &BTreeMap<PathBuf, Page>,
) -> Option<&'static str> {
    if ["http:", "https:", "mailto:", "data:"]
        .iter()
        .any(|scheme| link.starts_with(scheme))
    {
        return None;
    }
    let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
    let path = path.split('?').next().unwrap_or_default();
    let Some(mut target) = resolve(name, &decode(path)) else {
        return Some("leaves the book");
    };
    if folder.join(&target).is_dir() {
        target.push("index.html");
    }
    if !folder.join(&target).is_file() {
        return Some("no such file");
    }
    let anchor = decode(anchor);
    let known = pages
        .get(&target)
        .is_none_or(|page| anchor.is_empty() || page.anchors.contains(&anchor));
    (!known).then_some("no such anchor")
}

/// The path, seen from the book's folder; `None` if it leads out of it.
fn resolve(page: &Path, path: &str) -> Option<PathBuf> {
    if path.is_empty() {
        return Some(page.to_owned());
    }
    let mut target = page.parent().unwrap_or(Path::new("")).to_owned();
    for component in Path::new(path).components() {
        match component {
            Component::Normal(part) => target.push(part),
            Component::ParentDir => {
                if !target.pop() {
                    return None;
                }
            }
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(target)
}

/// `%20` and its like.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        let hex = behind
            .get(..2)
            .and_then(|two| std::str::from_utf8(two).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &behind[2..];
            }
            _ => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
