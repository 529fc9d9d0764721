//! What the job says about a log that is rotated.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::queue::Queue;
use crate::{hit, line};

#[test]
fn the_next_file_is_named_and_so_is_one_that_is_gone() {
    let queue = Queue::start();
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("access.log");
    let write = |seconds| std::fs::write(&log, line(hit(1, seconds)) + "\n").unwrap();
    write(0);
    let mut job = Command::new(env!("CARGO_BIN_EXE_ip-count"))
        .args(["--bootstrap", &queue.address, "--follow"])
        .arg(&log)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(job.stdout.take().unwrap()).lines();
    let mut lines = lines.map(|line| line.unwrap());
    let mut until = |last: &str| -> Vec<String> {
        let mut said = Vec::new();
        for line in &mut lines {
            said.push(line);
            if said.last().is_some_and(|line| line.starts_with(last)) {
                return said;
            }
        }
        panic!("no {last:?} in {said:#?}");
    };
    until("acknowledged 1 lines");
    // As if it were rotated twice, and the file between were removed.
    std::fs::rename(&log, folder.path().join("access.log.2")).unwrap();
    write(1);
    let said = until("acknowledged 2 lines");
    job.kill().unwrap();
    job.wait().unwrap();
    let log = log.display();
    let wanted = [
        format!(
            "input {log} has no rotated file 1 any more: lines in it are lost; keep more files"
        ),
        format!("file {log} is read from now on"),
    ];
    let of_input = |line: &&String| !line.starts_with("row") && !line.starts_with("acknowledged");
    assert_eq!(
        said.iter().filter(of_input).collect::<Vec<_>>(),
        wanted.iter().collect::<Vec<_>>()
    );
}
