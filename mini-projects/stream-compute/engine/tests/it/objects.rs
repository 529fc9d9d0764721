//! Checkpoints in an object store.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::sync::Arc;

use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use stream_engine::{Checkpoint, CheckpointDir, Error, Handle, MemorySink, Settings};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::checkpoints::{Build, Counted, job};
use crate::gated::Gate;
use crate::{ms, parallel, run};

fn dir(store: &Arc<InMemory>) -> CheckpointDir {
    CheckpointDir::in_store(Arc::clone(store) as Arc<dyn ObjectStore>, "jobs/count").unwrap()
}

async fn newest(dir: &CheckpointDir) -> Option<Checkpoint> {
    let dir = dir.clone();
    spawn_blocking(move || dir.newest().unwrap()).await.unwrap()
}

async fn names(store: &InMemory) -> BTreeSet<String> {
    let listed = store.list_with_delimiter(Some(&"jobs/count".into())).await;
    let objects = listed.unwrap().objects.into_iter();
    objects.map(|object| object.location.to_string()).collect()
}

/// A job that has begun, and waits for its gate.
struct Begun {
    gate: Gate,
    handle: Handle,
    running: JoinHandle<Result<(), Error>>,
}

async fn begun(dir: &CheckpointDir, sink: &MemorySink<Counted>) -> Begun {
    let (job, gate) = job(Build::Short, sink);
    let (handle, requests) = Handle::new();
    let settings = Settings {
        store: Some(dir.clone()),
        ..parallel(1)
    };
    let running = tokio::spawn(async move { job.run(settings, requests).await.map(drop) });
    handle.checkpoint().await.unwrap();
    Begun {
        gate,
        handle,
        running,
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_goes_on_from_an_object() {
    let store = Arc::new(InMemory::new());
    let sink = MemorySink::default();
    let dir = dir(&store);
    let killed = begun(&dir, &sink).await;
    killed.gate.allow(0, 500);
    for _ in 0..3 {
        killed.handle.checkpoint().await.unwrap();
    }
    killed.running.abort();
    assert!(killed.running.await.is_err());
    let two = ["jobs/count/checkpoint-3", "jobs/count/checkpoint-4"];
    assert_eq!(names(&store).await, two.map(str::to_owned).into());

    let (second, gate) = job(Build::Short, &sink);
    gate.open();
    let settings = Settings {
        store: Some(dir.clone()),
        resume: newest(&dir).await,
        ..parallel(2)
    };
    let summary = run(&second, settings).await.unwrap();
    assert_eq!(summary.checkpoint.unwrap().id, 5);
    let whole = MemorySink::default();
    let (alone, gate) = job(Build::Short, &whole);
    gate.open();
    run(&alone, parallel(1)).await.unwrap();
    let sorted = |sink: &MemorySink<Counted>| {
        let mut rows = sink.committed();
        rows.sort_unstable();
        rows
    };
    assert_eq!(sorted(&sink), sorted(&whole));
}

#[tokio::test(start_paused = true)]
async fn of_two_jobs_with_one_prefix_one_fails() {
    let store = Arc::new(InMemory::new());
    let (first, second) = (dir(&store), dir(&store));
    let sinks = (MemorySink::default(), MemorySink::default());
    let first = begun(&first, &sinks.0).await;
    let second = begun(&second, &sinks.1).await;
    // The second one has seen checkpoint 1, and its own is 2. The first one does not know.
    first.gate.allow(0, 10);
    // Time moves when no task has anything to do: the ten are counted then.
    tokio::time::sleep(ms(1)).await;
    assert!(first.handle.checkpoint().await.is_none());
    let failed = first.running.await.unwrap();
    assert!(
        matches!(&failed, Err(Error::Store(path, error))
            if error.kind() == ErrorKind::AlreadyExists && path.ends_with("checkpoint-2")),
        "{failed:?}"
    );
    assert!(second.handle.checkpoint().await.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_no_other_job() {
    let (store, twin) = (Arc::new(InMemory::new()), Arc::new(InMemory::new()));
    let sink = MemorySink::default();
    let twin_job = begun(&dir(&twin), &sink).await;
    twin_job.handle.checkpoint().await.unwrap();
    let second = Path::from("jobs/count/checkpoint-2");
    let bytes = twin.get(&second).await.unwrap().bytes().await.unwrap();

    let begun = begun(&dir(&store), &MemorySink::default()).await;
    store.put(&second, bytes.into()).await.unwrap();
    assert!(begun.handle.checkpoint().await.is_some());
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_damaged_is_named() {
    let store = Arc::new(InMemory::new());
    let dir = dir(&store);
    let object = Path::from("jobs/count/checkpoint-7");
    store.put(&object, "mqckpt".into()).await.unwrap();
    let newest = spawn_blocking(move || dir.newest()).await.unwrap();
    assert!(matches!(newest, Err(Error::Damaged(path)) if path.ends_with("checkpoint-7")));
}

#[tokio::test]
async fn a_url_names_a_store() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("file://{}/jobs", folder.path().display());
    let dir = CheckpointDir::open(url).unwrap();
    let noting = spawn_blocking(move || {
        assert_eq!(dir.noted("about").unwrap(), None);
        dir.note("about", b"one").unwrap();
        dir.note("about", b"two").unwrap();
        dir.noted("about").unwrap()
    });
    assert_eq!(noting.await.unwrap(), Some(b"two".to_vec()));
    let written = std::fs::read(folder.path().join("jobs/about")).unwrap();
    assert_eq!(written, b"two");
    let unknown = CheckpointDir::open("ftp://example.org/jobs");
    assert!(matches!(unknown, Err(Error::Store(..))));
}
