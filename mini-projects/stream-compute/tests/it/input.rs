//! Files that grow, are replaced, or are cut while they are read.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

use stream_compute::{Chunk, Input, Source};

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
    let mut input = Input::open(Source::File(path.clone()))
        .await
        .expect("opened");
    assert_eq!(next(&mut input).await, bytes("one\n"));
    assert_eq!(next(&mut input).await, Chunk::End);
    assert_eq!(input.can_be_read_again(), Some((path.as_path(), 4)));
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
    assert_eq!(input.can_be_read_again(), Some((path.as_path(), 8)));
}

#[tokio::test]
async fn a_rotated_file_is_read_to_its_end_and_then_the_new_one() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("access.log");
    let old = directory.path().join("access.log.1");
    append(&path, "one\n");
    let mut input = Input::open(Source::Follow(path.clone()))
        .await
        .expect("opened");
    assert_eq!(next(&mut input).await, bytes("one\n"));
    std::fs::rename(&path, &old).expect("renamed");
    assert_eq!(
        next(&mut input).await,
        Chunk::Nothing,
        "there is no new file yet"
    );
    // The server writes to the old file until it is told to open the new one.
    append(&old, "two\n");
    append(&path, "three\n");
    assert_eq!(next(&mut input).await, bytes("two\n"));
    assert_eq!(next(&mut input).await, Chunk::Break);
    assert_eq!(next(&mut input).await, bytes("three\n"));
    assert_eq!(next(&mut input).await, Chunk::Nothing);
    assert_eq!(input.can_be_read_again(), None);
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
    assert_eq!(next(&mut input).await, Chunk::Break);
    assert_eq!(next(&mut input).await, bytes("three\n"));
    assert_eq!(input.can_be_read_again(), None);
}

#[tokio::test]
async fn a_missing_file_is_named() {
    let missing = Source::Follow("/no/such/file".into());
    let error = Input::open(missing).await.expect_err("it is missing");
    assert!(error.to_string().contains("/no/such/file"), "{error}");
}
