//! Names in a file. Time is paused where leases go by.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use rpc_names::{Error, LEASE, Names, open};
use tempfile::TempDir;
use tokio::time::{Instant, sleep, timeout};

use crate::{LONG, PATIENCE, until};

/// A directory for a file of names.
pub(crate) struct Place {
    dir: TempDir,
}

impl Place {
    pub(crate) fn new() -> Place {
        Place {
            dir: TempDir::new().unwrap(),
        }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join("names")
    }

    pub(crate) fn uri(&self) -> String {
        format!("file:{}", self.path().display())
    }

    /// Writes a file with these lines.
    fn write(&self, lines: &str) {
        let sum = crc32c::crc32c(lines.as_bytes());
        fs::write(
            self.path(),
            format!("rpc names 1, crc32c {sum:08x}\n{lines}"),
        )
        .unwrap();
    }

    pub(crate) async fn open(&self) -> Names {
        open(&self.uri(), LONG).await.unwrap()
    }
}

#[tokio::test]
async fn a_server_is_known_from_its_registration_until_it_is_closed() {
    let place = Place::new();
    let mut early = place.open().await;
    assert_eq!(early.living("Greeter"), [""; 0]);
    let server = place.open().await;
    let registration = server.register("Greeter", "127.0.0.1:1").await.unwrap();
    until(&mut early, "Greeter", &["127.0.0.1:1"]).await;
    let late = place.open().await;
    assert_eq!(late.living("Greeter"), ["127.0.0.1:1"]);
    assert_eq!(late.living("Other"), [""; 0]);
    registration.close().await.unwrap();
    until(&mut early, "Greeter", &[]).await;
    assert_eq!(place.open().await.living("Greeter"), [""; 0]);
}

#[tokio::test]
async fn a_registration_that_is_dropped_is_forgotten() {
    let place = Place::new();
    let mut names = place.open().await;
    let dropped = names.register("Greeter", "127.0.0.1:1").await.unwrap();
    let _kept = names.register("Greeter", "127.0.0.1:2").await.unwrap();
    until(&mut names, "Greeter", &["127.0.0.1:1", "127.0.0.1:2"]).await;
    drop(dropped);
    until(&mut names, "Greeter", &["127.0.0.1:2"]).await;
}

#[tokio::test]
async fn nothing_goes_on_when_all_is_dropped() {
    let tasks = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    let (place, before) = (Place::new(), tasks());
    let names = place.open().await;
    let registration = names.register("Greeter", "127.0.0.1:1").await.unwrap();
    assert!(tasks() > before);
    drop((names, registration));
    let ended = async {
        while tasks() > before {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, ended).await.unwrap();
}

#[tokio::test]
async fn names_are_words() {
    let place = Place::new();
    let names = place.open().await;
    for (service, address) in [("", "a:1"), ("a", ""), ("two words", "a:1"), ("a", "b:1\n")] {
        let refused = names.register(service, address).await;
        assert!(matches!(refused, Err(Error::NotOneWord)), "{refused:?}");
    }
    assert!(!place.path().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_register_at_the_same_time_are_all_known() {
    let place = Place::new();
    let mut registering = Vec::new();
    for server in 0..8 {
        let uri = place.uri();
        registering.push(tokio::spawn(async move {
            let names = open(&uri, LEASE).await.unwrap();
            let mut kept = Vec::new();
            for number in 0..5 {
                let address = format!("127.0.0.1:{}", 1000 + server * 5 + number);
                kept.push(names.register("Greeter", &address).await.unwrap());
            }
            kept
        }));
    }
    let mut kept = Vec::new();
    for registering in registering {
        kept.extend(registering.await.unwrap());
    }
    let expected: Vec<String> = (1000..1040)
        .map(|port| format!("127.0.0.1:{port}"))
        .collect();
    assert_eq!(place.open().await.living("Greeter"), expected);
}

#[tokio::test(start_paused = true)]
async fn heartbeats_keep_a_server_known() {
    let place = Place::new();
    let mut names = open(&place.uri(), LEASE).await.unwrap();
    let began = Instant::now();
    let registration = names.register("Greeter", "127.0.0.1:1").await.unwrap();
    until(&mut names, "Greeter", &["127.0.0.1:1"]).await;
    let changed = tokio::time::timeout(LEASE * 5, names.changed()).await;
    assert!(
        changed.is_err(),
        "{:?} after {:?}",
        names.living("Greeter"),
        began.elapsed()
    );
    registration.close().await.unwrap();
    until(&mut names, "Greeter", &[]).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_without_heartbeats_is_forgotten_when_its_lease_ends() {
    let place = Place::new();
    let text = written_by_a_server_that_is_gone(&place).await;
    fs::write(place.path(), text).unwrap();
    let mut names = open(&place.uri(), LEASE).await.unwrap();
    let began = Instant::now();
    assert_eq!(names.living("Greeter"), ["127.0.0.1:1"]);
    until(&mut names, "Greeter", &[]).await;
    let took = began.elapsed();
    assert!(
        took <= LEASE && took > LEASE - Duration::from_secs(5),
        "{took:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_has_ended_is_no_news() {
    let place = Place::new();
    place.write("Greeter 127.0.0.1:1 1\n");
    let mut names = place.open().await;
    assert_eq!(names.living("Greeter"), [""; 0]);
    let changed = tokio::time::timeout(LEASE, names.changed()).await;
    assert!(changed.is_err(), "{:?}", names.living("Greeter"));
    let _kept = names.register("Other", "127.0.0.1:2").await.unwrap();
    let text = fs::read_to_string(place.path()).unwrap();
    assert!(!text.contains("Greeter"), "it is not kept: {text}");
}

#[tokio::test(start_paused = true)]
async fn a_server_whose_clock_is_ahead_is_known_for_no_longer_than_a_lease() {
    let place = Place::new();
    place.write(&format!("Greeter 127.0.0.1:1 {}\n", i64::MAX));
    let mut names = open(&place.uri(), LEASE).await.unwrap();
    let began = Instant::now();
    assert_eq!(names.living("Greeter"), ["127.0.0.1:1"]);
    until(&mut names, "Greeter", &[]).await;
    assert!(began.elapsed() <= LEASE, "{:?}", began.elapsed());
}

/// Returns a file in which a server has its lease. Nothing renews it.
async fn written_by_a_server_that_is_gone(place: &Place) -> Vec<u8> {
    let names = open(&place.uri(), LEASE).await.unwrap();
    let registration = names.register("Greeter", "127.0.0.1:1").await.unwrap();
    let text = fs::read(place.path()).unwrap();
    registration.close().await.unwrap();
    text
}

#[tokio::test(start_paused = true)]
async fn what_is_known_stays_known_while_the_file_cannot_be_read() {
    let place = Place::new();
    let text = written_by_a_server_that_is_gone(&place).await;
    fs::write(place.path(), &text).unwrap();
    let mut names = open(&place.uri(), LEASE).await.unwrap();
    fs::write(place.path(), "torn").unwrap();
    let changed = tokio::time::timeout(LEASE * 10, names.changed()).await;
    assert!(changed.is_err(), "{:?}", names.living("Greeter"));
    assert_eq!(names.living("Greeter"), ["127.0.0.1:1"]);
    // It can be read again: the lease goes on where it was.
    fs::write(place.path(), &text).unwrap();
    let began = Instant::now();
    until(&mut names, "Greeter", &[]).await;
    let took = began.elapsed();
    assert!(took > LEASE / 2 && took < LEASE * 2, "{took:?}");
}

#[tokio::test]
async fn a_file_that_is_damaged_or_foreign_is_an_error_and_is_left_alone() {
    let place = Place::new();
    let whole = written_by_a_server_that_is_gone(&place).await;
    let cut = (0..whole.len()).map(|end| whole[..end].to_vec());
    let flipped = (0..whole.len()).map(|at| {
        let mut text = whole.clone();
        text[at] ^= 1;
        text
    });
    let longer = [b"\n".to_vec(), whole.clone()].map(|more| [&whole[..], &more].concat());
    let foreign = [&b"[names]\nGreeter = 1\n"[..], b"\xff\xfe\0", b" "].map(<[u8]>::to_vec);
    for text in cut.chain(flipped).chain(longer).chain(foreign) {
        fs::write(place.path(), &text).unwrap();
        let opened = open(&place.uri(), LEASE).await;
        let is_foreign = !text.starts_with(b"rpc names 1, crc32c ");
        let shown = String::from_utf8_lossy(&text);
        match opened {
            Err(Error::Foreign) => assert!(is_foreign, "{shown}"),
            Err(Error::Torn) => assert!(!is_foreign, "{shown}"),
            opened => panic!("{opened:?} of {shown}"),
        }
        assert_eq!(fs::read(place.path()).unwrap(), text);
    }
}

#[tokio::test]
async fn what_to_do_about_a_damaged_file_helps() {
    let place = Place::new();
    let mut names = open(&place.uri(), Duration::from_secs(1)).await.unwrap();
    let _kept = names.register("Greeter", "127.0.0.1:1").await.unwrap();
    until(&mut names, "Greeter", &["127.0.0.1:1"]).await;
    let whole = fs::read(place.path()).unwrap();
    fs::write(place.path(), &whole[..whole.len() - 1]).unwrap();
    let refused = names.register("Greeter", "127.0.0.1:2").await;
    let Err(error @ Error::Torn) = refused else {
        panic!("{refused:?}")
    };
    let advice = "move it away, and all living servers write it again";
    assert!(error.to_string().contains(advice), "{error}");
    assert_eq!(fs::read(place.path()).unwrap(), &whole[..whole.len() - 1]);
    fs::rename(place.path(), place.path().with_extension("away")).unwrap();
    let mut late = open(&place.uri(), Duration::from_secs(1)).await.unwrap();
    until(&mut late, "Greeter", &["127.0.0.1:1"]).await;
}

#[tokio::test]
async fn what_a_crash_leaves_beside_the_file_is_no_matter() {
    let place = Place::new();
    fs::write(place.path().with_extension("next"), "half a li").unwrap();
    fs::write(place.path().with_extension("lock"), "").unwrap();
    let names = place.open().await;
    let _kept = names.register("Greeter", "127.0.0.1:1").await.unwrap();
    assert_eq!(place.open().await.living("Greeter"), ["127.0.0.1:1"]);
}

#[tokio::test(start_paused = true)]
async fn a_lock_that_another_process_holds_is_not_waited_for_for_ever() {
    let place = Place::new();
    let mut names = open(&place.uri(), LEASE).await.unwrap();
    let lock = File::create(place.path().with_extension("lock")).unwrap();
    lock.lock().unwrap();
    let began = Instant::now();
    let refused = names.register("Greeter", "127.0.0.1:1").await;
    assert!(matches!(refused, Err(Error::TooSlow)), "{refused:?}");
    assert_eq!(began.elapsed(), LEASE);
    let registering = names.clone();
    let registering =
        tokio::spawn(async move { registering.register("Greeter", "127.0.0.1:1").await });
    sleep(LEASE / 2).await;
    drop(lock);
    let _kept = registering.await.unwrap().unwrap();
    until(&mut names, "Greeter", &["127.0.0.1:1"]).await;
}

#[tokio::test]
async fn a_directory_that_is_not_there() {
    let place = Place::new();
    let uri = format!("file:{}/none/names", place.path().display());
    let names = open(&uri, LEASE).await.unwrap();
    let refused = names.register("Greeter", "127.0.0.1:1").await;
    assert!(matches!(refused, Err(Error::File(_))), "{refused:?}");
}

/// A pipe is opened when the other end is, which may be never.
#[tokio::test]
async fn what_is_no_regular_file_is_refused() {
    for name in ["names", "names.lock", "names.next"] {
        let place = Place::new();
        let path = place.dir.path().join(name);
        let made = Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        let tried = async {
            let names = open(&place.uri(), LEASE).await?;
            names.register("Greeter", "127.0.0.1:1").await
        };
        let refused = timeout(PATIENCE, tried).await;
        // What waits for the other end all the same is let go, so the test ends.
        drop(File::options().read(true).write(true).open(&path));
        let refused = refused.unwrap();
        assert!(
            matches!(&refused, Err(Error::NoFile(found)) if *found == path),
            "{name}: {refused:?}"
        );
    }
    for uri in ["file:/dev/null", "file:/tmp"] {
        let opened = open(uri, LEASE).await;
        assert!(matches!(opened, Err(Error::NoFile(_))), "{opened:?}");
    }
}

#[tokio::test]
async fn a_file_that_is_too_long_is_neither_read_nor_written() {
    let place = Place::new();
    // A file without blocks: nothing is on disk.
    let sparse = File::create(place.path()).unwrap();
    sparse.set_len(3 << 30).unwrap();
    let opened = open(&place.uri(), LEASE).await;
    assert!(matches!(opened, Err(Error::TooLong)), "{opened:?}");
    let line = |number| format!("Greeter host-{number:05}.example:1 {}\n", i64::MAX);
    let lines: String = (0..(1 << 20) / line(0).len() - 1).map(line).collect();
    place.write(&lines);
    let before = fs::read(place.path()).unwrap();
    let names = place.open().await;
    let long = "x".repeat(200);
    let refused = names.register("Greeter", &long).await;
    assert!(matches!(refused, Err(Error::TooLong)), "{refused:?}");
    assert_eq!(fs::read(place.path()).unwrap(), before);
}
