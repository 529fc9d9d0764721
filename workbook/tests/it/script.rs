//! Programs that a test writes and runs.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Writes an executable script. Another process has the file open meanwhile: if this one
/// had, a process that another test starts at that moment could inherit it, and Linux runs
/// nothing that is open for writing ("text file busy").
pub(crate) fn write_script(path: &Path, text: &str) {
    let mut shell = Command::new("sh")
        .args(["-c", r#"cat > "$0" && chmod +x "$0""#])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = shell.stdin.take().unwrap();
    input.write_all(text.as_bytes()).unwrap();
    drop(input);
    assert!(shell.wait().unwrap().success(), "{}", path.display());
}
