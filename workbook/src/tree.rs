//! Folders of text files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The files below a folder, by their path in it.
pub type Files = BTreeMap<PathBuf, String>;

/// Reads every file below `folder`; none if there is no such folder.
///
/// # Errors
/// When one cannot be read, or is not text.
pub fn read(folder: &Path) -> Result<Files> {
    let mut files = Files::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(current) = folders.pop() {
        if !current.is_dir() {
            continue;
        }
        for entry in
            fs::read_dir(&current).with_context(|| format!("reading {}", current.display()))?
        {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap_or(&path).to_owned();
                files.insert(name, read_text(&path)?);
            }
        }
    }
    Ok(files)
}

/// Reads a text file.
///
/// # Errors
/// When it cannot be read, or is not text; says which file.
pub fn read_text(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))
}

/// Writes a file if it differs, so that cargo sees only real changes. Returns
/// whether it did.
///
/// # Errors
/// When it cannot be written; says which file.
pub fn write_if_changed(path: &Path, text: &[u8]) -> Result<bool> {
    if fs::read(path).is_ok_and(|old| old == text) {
        return Ok(false);
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))?;
    Ok(true)
}
