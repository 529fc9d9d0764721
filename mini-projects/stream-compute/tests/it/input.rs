//! Files that grow, are replaced, or are cut while they are read; and several files.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use stream_compute::{Chunk, Error, Input, Place, Source};
use tempfile::TempDir;

use crate::{hit, line};

fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .expect("opened");
    file.write_all(text.as_bytes()).expect("written");
}

fn bytes(text: &str) -> Chunk {
    Chunk::Bytes(text.as_bytes().to_vec())
}

async fn next(input: &mut Input) -> Chunk {
    input.next().await.expect("it can be read")
}

#[tokio::test]
async fn a_file_ends() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("access.log");
    append(&path, "one\n");
    let mut input = Input::open(Source::Files(vec![path.clone()]))
        .await
        .expect("opened");
    assert_eq!(next(&mut input).await, bytes("one\n"));
    assert_eq!(next(&mut input).await, Chunk::End);
    assert_eq!(input.can_be_read_again(), Some(vec![(path, 4)]));
}

#[tokio::test]
async fn a_followed_file_grows() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("access.log");
    append(&path, "one\ntw");
    let mut input = Input::open(Source::Follow(path.clone()))
        .await
        .expect("opened");
    assert_eq!(next(&mut input).await, bytes("one\ntw"));
    assert_eq!(next(&mut input).await, Chunk::Nothing);
    append(&path, "o\n");
    assert_eq!(next(&mut input).await, bytes("o\n"));
    assert_eq!(next(&mut input).await, Chunk::Nothing);
    assert_eq!(input.can_be_read_again(), Some(vec![(path, 8)]));
}

/// A log in a folder, and its files that were rotated.
struct Log {
    folder: TempDir,
    path: PathBuf,
}

impl Log {
    fn new(text: &str) -> Log {
        let folder = tempfile::tempdir().expect("a directory");
        let path = folder.path().join("access.log");
        append(&path, text);
        Log { folder, path }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn rename(&self, from: &str, to: &str) {
        std::fs::rename(self.file(from), self.file(to)).expect("renamed");
    }

    /// As logrotate does, before the server begins the new file.
    fn rotate(&self) {
        if self.file("access.log.1").exists() {
            self.rename("access.log.1", "access.log.2");
        }
        self.rename("access.log", "access.log.1");
        append(&self.path, "");
    }

    async fn follow(&self) -> Input {
        let source = Source::Follow(self.path.clone());
        Input::open(source).await.expect("opened")
    }
}

/// Looks again while there is nothing. Returns what there is then, and how many looks it took.
async fn next_of_many(input: &mut Input) -> (Chunk, u32) {
    for looks in 1..100 {
        match next(input).await {
            Chunk::Nothing => {}
            chunk => return (chunk, looks),
        }
    }
    panic!("nothing comes");
}

#[tokio::test]
async fn a_rotated_file_is_read_to_its_end_and_then_the_new_one() {
    let log = Log::new("one\n");
    let mut input = log.follow().await;
    assert_eq!(next(&mut input).await, bytes("one\n"));
    log.rename("access.log", "access.log.1");
    assert_eq!(next(&mut input).await, Chunk::Nothing, "no new file yet");
    // The server writes to the old file until it is told to open the new one.
    append(&log.file("access.log.1"), "two\n");
    append(&log.path, "");
    assert_eq!(next(&mut input).await, bytes("two\n"));
    assert_eq!(next(&mut input).await, Chunk::Nothing, "it is empty");
    append(&log.path, "four\n");
    // One process of the server has opened the new file, and another one has not.
    assert_eq!(next(&mut input).await, Chunk::Nothing);
    append(&log.file("access.log.1"), "three\n");
    assert_eq!(next(&mut input).await, bytes("three\n"));
    let (chunk, looks) = next_of_many(&mut input).await;
    assert_eq!((chunk, looks), (Chunk::Break, 10));
    assert_eq!(next(&mut input).await, bytes("four\n"));
    assert_eq!(next(&mut input).await, Chunk::Nothing);
    let again = vec![(log.file("access.log.1"), 14), (log.path.clone(), 5)];
    assert_eq!(input.can_be_read_again(), Some(again));
    std::fs::remove_file(log.file("access.log.1")).expect("removed");
    assert_eq!(input.can_be_read_again(), None);
}

#[tokio::test]
async fn rotations_between_two_looks_skip_no_file() {
    let log = Log::new("one\n");
    let mut input = log.follow().await;
    assert_eq!(next(&mut input).await, bytes("one\n"));
    log.rotate();
    append(&log.path, "two\n");
    log.rotate();
    append(&log.path, "three\n");
    assert_eq!(next(&mut input).await, Chunk::Break);
    assert_eq!(next(&mut input).await, bytes("two\n"));
    assert_eq!(next_of_many(&mut input).await.0, Chunk::Break);
    assert_eq!(next(&mut input).await, bytes("three\n"));
    let names = ["access.log.2", "access.log.1", "access.log"];
    let again = input.can_be_read_again().expect("all are there");
    let files: Vec<PathBuf> = again.into_iter().map(|(path, _)| path).collect();
    assert_eq!(files, names.map(|name| log.file(name)));
}

#[tokio::test]
async fn a_log_that_is_a_link_is_waited_for_when_it_leads_to_another_file() {
    let log = Log::new("");
    let days = ["access-20261128.log", "access-20261129.log"].map(|name| log.file(name));
    append(&days[0], "one\n");
    let lead_to = |day: &Path| {
        std::fs::remove_file(&log.path).expect("removed");
        symlink(day, &log.path).expect("linked");
    };
    lead_to(&days[0]);
    let mut input = log.follow().await;
    assert_eq!(next(&mut input).await, bytes("one\n"));
    append(&days[1], "three\n");
    lead_to(&days[1]);
    assert_eq!(next(&mut input).await, Chunk::Nothing);
    append(&days[0], "two\n");
    assert_eq!(next(&mut input).await, bytes("two\n"));
    assert_eq!(next_of_many(&mut input).await, (Chunk::Break, 10));
    assert_eq!(next(&mut input).await, bytes("three\n"));
    let again = vec![(days[0].clone(), 8), (log.path.clone(), 6)];
    assert_eq!(input.can_be_read_again(), Some(again));
}

#[tokio::test]
async fn another_file_with_the_inode_of_the_first_one_is_not_the_first_one() {
    let log = Log::new("one\n");
    let mut input = log.follow().await;
    assert_eq!(next(&mut input).await, bytes("one\n"));
    log.rotate();
    append(&log.path, "two\n");
    assert_eq!(next_of_many(&mut input).await.0, Chunk::Break);
    assert_eq!(next(&mut input).await, bytes("two\n"));
    // As if the first file were removed, and its inode given to the next one.
    log.rename("access.log.1", "removed");
    std::fs::write(log.file("removed"), "three\n").expect("written");
    log.rename("access.log", "access.log.1");
    log.rename("removed", "access.log");
    assert_eq!(next_of_many(&mut input).await.0, Chunk::Break);
    assert_eq!(next(&mut input).await, bytes("three\n"));
    assert_eq!(input.can_be_read_again(), None);
}

#[tokio::test]
async fn a_rotation_that_is_half_done_is_waited_for() {
    let log = Log::new("one\n");
    let mut input = log.follow().await;
    assert_eq!(next(&mut input).await, bytes("one\n"));
    log.rotate();
    append(&log.path, "two\n");
    for _ in 1..10 {
        assert_eq!(next(&mut input).await, Chunk::Nothing);
    }
    // The next look would go on with the second file. It does not seem to follow this one now.
    log.rename("access.log.1", "access.log.2");
    assert_eq!(next(&mut input).await, Chunk::Nothing);
    log.rename("access.log", "access.log.1");
    assert_eq!(next(&mut input).await, Chunk::Break);
    assert_eq!(next(&mut input).await, bytes("two\n"));
}

#[tokio::test]
async fn a_file_that_was_compressed_before_it_was_read_is_named() {
    let log = Log::new("one\n");
    let mut input = log.follow().await;
    assert_eq!(next(&mut input).await, bytes("one\n"));
    log.rotate();
    append(&log.path, "two\n");
    log.rotate();
    log.rename("access.log.1", "access.log.1.gz");
    let error = input.next().await.expect_err("it is compressed");
    let text = error.to_string();
    assert!(text.contains("access.log.1.gz is compressed"), "{text}");
}

#[tokio::test]
async fn a_log_between_two_files_is_waited_for() {
    let log = Log::new("one\n");
    log.rename("access.log", "access.log.1");
    let mut input = log.follow().await;
    assert_eq!(next(&mut input).await, Chunk::Nothing);
    append(&log.path, "two\n");
    assert_eq!(next(&mut input).await, Chunk::Nothing);
    assert_eq!(next(&mut input).await, bytes("two\n"));
    let again = vec![(log.path.clone(), 4)];
    assert_eq!(input.can_be_read_again(), Some(again));
}

fn place(path: &Path, at: u64) -> Place {
    let file = path.metadata().expect("it is there").ino();
    Place { file, at }
}

#[tokio::test]
async fn a_line_is_found_in_a_file_that_has_another_name() {
    let log = Log::new("one\ntwo\nthree\n");
    let two = place(&log.path, 4);
    log.rotate();
    append(&log.path, "four\n");
    log.rotate();
    log.rename("access.log.2", "kept");
    let mut input = log.follow().await;
    assert!(input.go_to(two, b"two").await.expect("looked for"));
    assert_eq!(next(&mut input).await, bytes("two\nthree\n"));
    assert_eq!(next(&mut input).await, Chunk::Break);
    assert_eq!(next(&mut input).await, bytes("four\n"));
}

#[tokio::test]
async fn a_line_is_found_in_a_copy_of_its_file() {
    let log = Log::new("one\ntwo\n");
    let two = place(&log.path, 4);
    log.rotate();
    append(&log.path, "three\n");
    // It was compressed, and its inode is that of another file now.
    let elsewhere = place(&log.path, 4);
    for place in [two, elsewhere] {
        std::fs::copy(log.file("access.log.1"), log.file("copy")).expect("copied");
        std::fs::remove_file(log.file("access.log.1")).expect("removed");
        log.rename("copy", "access.log.1");
        let mut input = log.follow().await;
        assert!(input.go_to(place, b"two").await.expect("looked for"));
        assert_eq!(next(&mut input).await, bytes("two\n"));
        assert_eq!(next_of_many(&mut input).await.0, Chunk::Break);
        assert_eq!(next(&mut input).await, bytes("three\n"));
    }
    let mut input = log.follow().await;
    std::fs::remove_file(log.file("access.log.1")).expect("removed");
    assert!(!input.go_to(two, b"two").await.expect("looked for"));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_file_that_cannot_be_read_matters_only_if_no_other_one_has_the_line() {
    let log = Log::new("one\ntwo\n");
    let two = place(&log.path, 4);
    // It is a regular file, but has no first byte; even the superuser cannot read that.
    symlink("/proc/self/mem", log.file("access.log.2")).expect("linked");
    std::fs::copy(&log.path, log.file("access.log.1")).expect("copied");
    std::fs::remove_file(&log.path).expect("removed");
    append(&log.path, "three\n");
    let mut input = log.follow().await;
    assert!(input.go_to(two, b"two").await.expect("looked for"));
    assert_eq!(next(&mut input).await, bytes("two\n"));
    let error = input
        .go_to(two, b"gone")
        .await
        .expect_err("it may be there");
    assert!(error.to_string().contains("access.log.2"), "{error}");
}

#[tokio::test]
async fn several_files_are_read_from_the_oldest_on() {
    let log = Log::new(&line(hit(1, 20)));
    for (name, seconds) in [("access.log.1", 10), ("access.log.2", 0)] {
        append(
            &log.file(name),
            &format!("not a line\n{}\n", line(hit(1, seconds))),
        );
    }
    append(&log.file("access.log.3"), "");
    let names = ["access.log", "access.log.1", "access.log.2", "access.log.3"];
    let paths = names.map(|name| log.file(name));
    let source = Source::oldest_first(paths.to_vec()).expect("looked at");
    let by_age: Vec<PathBuf> = paths.into_iter().rev().collect();
    assert_eq!(source, Source::Files(by_age.clone()));
    let mut input = Input::open(source).await.expect("opened");
    let mut read = Vec::new();
    loop {
        match next(&mut input).await {
            Chunk::Bytes(bytes) => read.extend(bytes),
            Chunk::Break => read.push(b'|'),
            other => {
                assert_eq!(other, Chunk::End);
                break;
            }
        }
    }
    let texts = by_age
        .iter()
        .map(|path| std::fs::read_to_string(path).expect("read"));
    let texts: Vec<String> = texts.collect();
    assert_eq!(String::from_utf8(read).expect("text"), texts.join("|"));
    let again = input.can_be_read_again().expect("all are there");
    let lengths = texts.iter().map(|text| text.len() as u64);
    assert_eq!(again, by_age.into_iter().zip(lengths).collect::<Vec<_>>());
    log.rename("access.log.3", "access.log.3.gz");
    let compressed = vec![log.path.clone(), log.file("access.log.3.gz")];
    let refused = Source::oldest_first(compressed).expect_err("it is compressed");
    assert!(matches!(refused, Error::Compressed(_)), "{refused}");
}

#[tokio::test]
async fn of_several_files_the_one_with_a_line_is_gone_on_with() {
    let log = Log::new("three\n");
    append(&log.file("a"), "one\n");
    append(&log.file("b"), "one\ntwo\n");
    let paths = vec![log.file("a"), log.file("b"), log.path.clone()];
    let two = place(&paths[1], 4);
    let mut input = Input::open(Source::Files(paths)).await.expect("opened");
    assert!(input.go_to(two, b"two").await.expect("looked for"));
    assert_eq!(next(&mut input).await, bytes("two\n"));
    assert_eq!(next(&mut input).await, Chunk::Break);
    assert_eq!(next(&mut input).await, bytes("three\n"));
    assert_eq!(next(&mut input).await, Chunk::End);
}

#[tokio::test]
async fn a_file_that_was_cut_is_read_from_its_start() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("access.log");
    append(&path, "one\ntwo\n");
    let mut input = Input::open(Source::Follow(path.clone()))
        .await
        .expect("opened");
    assert_eq!(next(&mut input).await, bytes("one\ntwo\n"));
    File::create(&path).expect("cut");
    append(&path, "three\n");
    assert_eq!(next(&mut input).await, Chunk::Cut);
    assert_eq!(next(&mut input).await, bytes("three\n"));
    assert_eq!(input.can_be_read_again(), None);
}

#[tokio::test]
async fn a_file_that_was_cut_is_read_from_its_start_even_if_it_is_longer_again() {
    let log = Log::new("one\ntwo\n");
    let place = place(&log.path, 4);
    let mut input = log.follow().await;
    assert_eq!(next(&mut input).await, bytes("one\ntwo\n"));
    File::create(&log.path).expect("cut");
    append(&log.path, "three\nfour\nfive\n");
    assert_eq!(next(&mut input).await, Chunk::Cut);
    assert_eq!(next(&mut input).await, bytes("three\nfour\nfive\n"));
    assert_eq!(input.can_be_read_again(), None);
    // It was cut after its line was found.
    let log = Log::new("one\ntwo\n");
    let mut input = log.follow().await;
    assert!(input.go_to(place, b"two").await.expect("looked for"));
    File::create(&log.path).expect("cut");
    append(&log.path, "three\n");
    assert_eq!(next(&mut input).await, Chunk::Cut);
    // Many reads later the end of what was read is still known.
    let (long, longer) = ("x\n".repeat(100_000), "yy\n".repeat(100_000));
    let log = Log::new(&long);
    let mut input = log.follow().await;
    let mut read = 0;
    while let Chunk::Bytes(bytes) = next(&mut input).await {
        read += bytes.len();
    }
    assert_eq!(read, long.len());
    File::create(&log.path).expect("cut");
    append(&log.path, &longer);
    assert_eq!(next(&mut input).await, Chunk::Cut);
}

#[tokio::test]
async fn a_missing_file_is_named() {
    let missing = Source::Follow("/no/such/file".into());
    let error = Input::open(missing).await.expect_err("it is missing");
    assert!(error.to_string().contains("/no/such/file"), "{error}");
}
