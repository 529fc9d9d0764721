//! How many lines files have.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::input::Place;

/// Returns how many lines there are in these files before a place in one of them. A file without a
/// line end at its end has one line more.
pub(crate) fn lines_before(paths: &[PathBuf], place: Place) -> Result<u64, Error> {
    let mut lines = 0;
    for path in paths {
        let at = |source| Error::Input {
            path: path.clone(),
            source,
        };
        let is_last = path.metadata().map_err(at)?.ino() == place.file;
        let bytes = if is_last { place.at } else { u64::MAX };
        lines += lines_in(path, bytes).map_err(at)?;
        if is_last {
            break;
        }
    }
    Ok(lines)
}

/// The lines in the first bytes of a file. Holds a part of a line at most.
fn lines_in(path: &Path, bytes: u64) -> io::Result<u64> {
    let mut file = BufReader::with_capacity(64 * 1024, File::open(path)?.take(bytes));
    let (mut ends, mut last) = (0, b'\n');
    loop {
        let part = file.fill_buf()?;
        let Some(end) = part.last() else {
            return Ok(ends + u64::from(last != b'\n'));
        };
        last = *end;
        ends += part.iter().filter(|byte| **byte == b'\n').count() as u64;
        let length = part.len();
        file.consume(length);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn lines_with_and_without_an_end_are_counted_up_to_the_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let long = "x".repeat(100_000);
        for (name, text) in [
            ("a", "1\n\n3"),
            ("empty", ""),
            ("b", &*format!("{long}\n2\n")),
            ("c", "1\n2\n"),
        ] {
            fs::write(path(name), text).unwrap();
        }
        let paths = ["a", "empty", "b", "c"].map(path);
        for (name, at, lines) in [("a", 0, 0), ("a", 2, 1), ("b", 100_001, 4), ("c", 4, 7)] {
            let file = path(name).metadata().unwrap().ino();
            let found = lines_before(&paths, Place { file, at }).unwrap();
            assert_eq!(found, lines, "{name} {at}");
        }
    }
}
