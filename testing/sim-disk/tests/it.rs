//! The simulated disk keeps what it promises, and loses what it may.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use disk::{Disk, File};
use sim_disk::{Call, SECTOR_SIZE, SimDisk};

const FILE: &str = "/dir/file";

/// A disk with an empty file that is known to exist.
fn with_file() -> SimDisk {
    let disk = SimDisk::new(1);
    disk.create_dir_all(Path::new("/dir")).unwrap();
    disk.sync_dir(Path::new("/")).unwrap();
    disk.create(Path::new(FILE)).unwrap();
    disk.sync_dir(Path::new("/dir")).unwrap();
    disk
}

/// What 200 crashes leave of the file.
fn survivors(disk: &SimDisk) -> BTreeSet<Option<Vec<u8>>> {
    let crashes = (0..200).map(|_| disk.crash());
    crashes
        .map(|disk| disk.files().into_iter().map(|(_, bytes)| bytes).next())
        .collect()
}

#[test]
fn what_is_synced_survives() {
    let disk = with_file();
    let file = disk.open(Path::new(FILE)).unwrap();
    file.write_all_at(b"safe", 0).unwrap();
    file.sync_data().unwrap();
    assert_eq!(survivors(&disk), [Some(b"safe".to_vec())].into());
}

#[test]
fn a_file_whose_directory_is_not_synced_may_be_lost_though_its_bytes_are() {
    let disk = SimDisk::new(1);
    disk.create_dir_all(Path::new("/dir")).unwrap();
    disk.sync_dir(Path::new("/")).unwrap();
    let file = disk.create(Path::new(FILE)).unwrap();
    file.write_all_at(b"safe", 0).unwrap();
    file.sync_data().unwrap();
    assert_eq!(survivors(&disk), [None, Some(b"safe".to_vec())].into());
}

#[test]
fn any_subset_of_the_sectors_may_survive() {
    let disk = with_file();
    let file = disk.open(Path::new(FILE)).unwrap();
    file.write_all_at(&[b'-'; 2 * SECTOR_SIZE], 0).unwrap();
    file.sync_data().unwrap();
    file.write_all_at(&[b'+'; 2 * SECTOR_SIZE], 0).unwrap();
    let heads: BTreeSet<(u8, u8)> = survivors(&disk)
        .into_iter()
        .flatten()
        .map(|bytes| (bytes[0], bytes[SECTOR_SIZE]))
        .collect();
    let all = [(b'-', b'-'), (b'-', b'+'), (b'+', b'-'), (b'+', b'+')];
    assert_eq!(heads, all.into());
}

#[test]
fn the_length_may_survive_without_the_data() {
    let disk = with_file();
    let file = disk.open(Path::new(FILE)).unwrap();
    file.write_all_at(&[b'+'; SECTOR_SIZE], 0).unwrap();
    let survivors = survivors(&disk);
    assert!(survivors.contains(&Some(vec![])), "nothing");
    assert!(survivors.contains(&Some(vec![0; SECTOR_SIZE])), "zeros");
    assert!(survivors.contains(&Some(vec![b'+'; SECTOR_SIZE])), "data");
    assert!(survivors.len() > 3, "rubbish too");
}

#[test]
fn what_was_cut_off_may_come_back() {
    let disk = with_file();
    let file = disk.open(Path::new(FILE)).unwrap();
    file.write_all_at(b"old", 0).unwrap();
    file.sync_data().unwrap();
    file.set_len(0).unwrap();
    file.write_all_at(b"n", 0).unwrap();
    let survivors = survivors(&disk);
    assert!(survivors.contains(&Some(b"old".to_vec())));
    assert!(survivors.contains(&Some(b"n".to_vec())));
}

#[test]
fn a_failed_sync_loses_for_good() {
    let whole = vec![b'+'; 4 * SECTOR_SIZE];
    let mut left = BTreeSet::new();
    for seed in 0..20 {
        let disk = SimDisk::new(seed);
        let file = disk.create(Path::new("/file")).unwrap();
        disk.sync_dir(Path::new("/")).unwrap();
        file.write_all_at(&whole, 0).unwrap();
        disk.fail_at(disk.operations());
        assert!(file.sync_data().is_err());
        assert_eq!(disk.files()[0].1, whole, "readers still see it");
        file.sync_data().unwrap();
        left.insert(disk.crash().files().remove(0).1);
        file.write_all_at(&whole, 0).unwrap();
        file.sync_data().unwrap();
        let again = disk.crash().files().remove(0).1;
        assert_eq!(again, whole, "what is written again is safe");
    }
    assert!(
        left.iter().any(|left| *left != whole),
        "a later sync has not saved it"
    );
}

#[test]
fn a_parked_call_waits_until_it_is_released() {
    let disk = with_file();
    let file = disk.open(Path::new(FILE)).unwrap();
    let parking = disk.park_next(Call::Sync, Path::new("/dir"));
    thread::scope(|scope| {
        let parked = scope.spawn(|| file.sync_data().unwrap());
        parking.wait();
        assert!(!parked.is_finished());
        disk.open(Path::new(FILE)).unwrap().sync_data().unwrap();
        file.write_all_at(b"others go on", 0).unwrap();
        parking.release();
    });
    assert_eq!(parking.count(), 1);
}

#[test]
fn every_call_below_a_directory_can_be_parked() {
    let disk = with_file();
    disk.create(Path::new("/other")).unwrap();
    let parking = disk.park_every(Call::Remove, Path::new("/dir"));
    thread::scope(|scope| {
        let parked = scope.spawn(|| disk.remove(Path::new(FILE)));
        parking.wait();
        disk.remove(Path::new("/other")).unwrap();
        drop(parking);
        parked.join().unwrap().unwrap();
    });
}

/// Each waits until it is released, and then does its work.
#[test]
fn every_kind_of_call_can_be_parked() {
    for (kind, call) in calls() {
        let disk = with_file();
        let file = disk.open(Path::new(FILE)).unwrap();
        let parking = disk.park_next(kind, Path::new("/dir"));
        thread::scope(|scope| {
            let parked = scope.spawn(|| call(&disk, &*file));
            parking.wait();
            assert!(!parked.is_finished(), "{kind:?}");
            parking.release();
            parked.join().unwrap().unwrap();
        });
        assert_eq!(parking.count(), 1, "{kind:?}");
    }
}

type Calling = fn(&SimDisk, &dyn File) -> std::io::Result<()>;

/// Each on [`FILE`] or its directory.
fn calls() -> [(Call, Calling); 12] {
    [
        (Call::Open, |disk, _| disk.open(Path::new(FILE)).map(drop)),
        (Call::Create, |disk, _| {
            disk.create(Path::new(FILE)).map(drop)
        }),
        (Call::Remove, |disk, _| disk.remove(Path::new(FILE))),
        (Call::Rename, |disk, _| {
            disk.rename(Path::new(FILE), Path::new("/dir/other"))
        }),
        (Call::CreateDir, |disk, _| {
            disk.create_dir_all(Path::new("/dir/new"))
        }),
        (Call::RemoveDir, |disk, _| {
            disk.remove_dir_all(Path::new("/dir"))
        }),
        (Call::List, |disk, _| disk.list(Path::new("/dir")).map(drop)),
        (Call::SyncDir, |disk, _| disk.sync_dir(Path::new("/dir"))),
        (Call::Read, |_, file| file.read_at(&mut [0], 0).map(drop)),
        (Call::Write, |_, file| file.write_all_at(b"a", 0)),
        (Call::SetLength, |_, file| file.set_len(1)),
        (Call::Sync, |_, file| file.sync_data()),
    ]
}

#[test]
fn what_is_cold_or_parked_is_not_in_memory() {
    let disk = with_file();
    let file = disk.open(Path::new(FILE)).unwrap();
    file.write_all_at(b"abc", 0).unwrap();
    let mut bytes = [0; 2];
    assert_eq!(file.read_cached_at(&mut bytes, 0).unwrap(), Some(2));
    disk.set_cold(true);
    assert_eq!(file.read_cached_at(&mut bytes, 0).unwrap(), None);
    assert_eq!(file.read_at(&mut bytes, 0).unwrap(), 2);
    disk.set_cold(false);
    let parking = disk.park_every(Call::Read, Path::new("/"));
    assert_eq!(file.read_cached_at(&mut bytes, 0).unwrap(), None);
    drop(parking);
    assert_eq!(file.read_cached_at(&mut bytes, 0).unwrap(), Some(2));
    assert_eq!(disk.counts().reads, 3);
    assert_eq!(disk.counts().bytes_read, 6);
}

#[test]
fn removals_and_renames_need_their_directory_synced() {
    let disk = with_file();
    disk.rename(Path::new(FILE), Path::new("/dir/other"))
        .unwrap();
    let names = |disk: SimDisk| -> Vec<PathBuf> {
        disk.files().into_iter().map(|(path, _)| path).collect()
    };
    let left: BTreeSet<_> = (0..50).map(|_| names(disk.crash())).collect();
    let old = vec![PathBuf::from(FILE)];
    let new = vec![PathBuf::from("/dir/other")];
    assert_eq!(left, [old, new.clone()].into());
    disk.sync_dir(Path::new("/dir")).unwrap();
    assert_eq!(names(disk.crash()), new);
}

#[test]
fn a_full_disk_takes_what_fits() {
    let disk = with_file();
    let file = disk.open(Path::new(FILE)).unwrap();
    disk.set_space(Some(3));
    let full = file.write_all_at(b"12345", 0).unwrap_err();
    assert_eq!(full.kind(), ErrorKind::StorageFull);
    assert_eq!(file.length().unwrap(), 3);
    file.write_all_at(b"abc", 0).unwrap();
    file.set_len(0).unwrap();
    file.write_all_at(b"xyz", 0).unwrap();
}

/// The power fails before each call of a replacement; so does each call by itself.
#[test]
fn a_file_is_replaced_as_a_whole() {
    let (old, new) = (b"old".to_vec(), vec![b'n'; 3 * SECTOR_SIZE]);
    let content = |disk: &SimDisk| {
        let mut files = disk.files().into_iter();
        files.find(|(path, _)| path == Path::new(FILE)).unwrap().1
    };
    for call in 0..6 {
        for only_it_fails in [false, true] {
            let disk = with_file();
            disk::replace(&disk, Path::new(FILE), &old).unwrap();
            let first = disk.operations();
            if only_it_fails {
                disk.fail_at(first + call);
            } else {
                disk.power_off_at(first + call);
            }
            let replaced = disk::replace(&disk, Path::new(FILE), &new);
            assert_eq!(replaced.is_ok(), call == 5, "there are five calls");
            let left: BTreeSet<_> = (0..200).map(|_| content(&disk.crash())).collect();
            let expected = match call {
                0..4 => BTreeSet::from([old.clone()]),
                4 => BTreeSet::from([old.clone(), new.clone()]),
                _ => BTreeSet::from([new.clone()]),
            };
            assert!(left == expected, "what is left, call {call}");
            assert!(
                expected.contains(&content(&disk)),
                "what is read, call {call}"
            );
        }
    }
}

#[test]
fn what_can_be_made_again_is_replaced_without_its_directory() {
    let disk = with_file();
    let syncs = disk.counts().directory_syncs;
    disk::replace_cache(&disk, Path::new(FILE), b"new").unwrap();
    assert_eq!(disk.counts().directory_syncs, syncs);
    let mut files = disk.files();
    assert_eq!(files.remove(0), (PathBuf::from(FILE), b"new".to_vec()));
    assert!(files.is_empty(), "nothing is left beside it");
}

#[test]
fn power_off_changes_nothing_any_more() {
    let disk = with_file();
    let file = disk.open(Path::new(FILE)).unwrap();
    disk.power_off_at(disk.operations());
    assert!(file.write_all_at(b"late", 0).is_err());
    assert!(disk.remove(Path::new(FILE)).is_err());
    assert_eq!(survivors(&disk), [Some(vec![])].into());
}

#[test]
fn the_same_seed_loses_the_same() {
    let left = || {
        let disk = with_file();
        let file = disk.open(Path::new(FILE)).unwrap();
        file.write_all_at(&[7; 5000], 0).unwrap();
        (0..20).map(|_| disk.crash().files()).collect::<Vec<_>>()
    };
    assert_eq!(left(), left());
}

#[test]
fn a_bit_flips_on_disk_too() {
    let disk = with_file();
    let file = disk.open(Path::new(FILE)).unwrap();
    file.write_all_at(&[0; 2], 0).unwrap();
    file.sync_data().unwrap();
    disk.flip(Path::new(FILE), 9);
    assert_eq!(disk.crash().files()[0].1, [0, 2]);
}

#[test]
fn a_query_fails_once_and_changes_nothing() {
    let disk = with_file();
    let file = disk.open(Path::new(FILE)).unwrap();
    file.write_all_at(b"as it was", 0).unwrap();
    let query = |number| match number {
        0 => disk.open(Path::new(FILE)).map(|_| ()),
        1 => disk.list(Path::new("/dir")).map(|_| ()),
        2 => file.length().map(|_| ()),
        _ => file.read_at(&mut [0; 4], 0).map(|_| ()),
    };
    for number in 0..4 {
        let before = disk.files();
        disk.fail_query_at(disk.queries());
        assert!(query(number).is_err(), "query {number}");
        assert!(query(number).is_ok(), "query {number}, again");
        assert_eq!(disk.files(), before);
    }
}

#[test]
fn open_files_are_counted_until_all_their_holders_are_gone() {
    let disk = with_file();
    assert_eq!(disk.open_files(Path::new("/")), 0);
    let file = disk.open(Path::new(FILE)).unwrap();
    let again = disk.create(Path::new(FILE)).unwrap();
    assert_eq!(disk.open_files(Path::new("/dir")), 2);
    assert_eq!(disk.open_files(Path::new("/other")), 0);
    let reader = Arc::clone(&file).reader();
    drop((file, again));
    assert_eq!(disk.open_files(Path::new(FILE)), 1);
    disk.remove(Path::new(FILE)).unwrap();
    assert_eq!(disk.open_files(Path::new(FILE)), 1, "still open");
    drop(reader);
    assert_eq!(disk.open_files(Path::new("/")), 0);
}

#[test]
fn a_read_may_be_short() {
    let disk = with_file();
    let file = disk.open(Path::new(FILE)).unwrap();
    file.write_all_at(b"123456789", 0).unwrap();
    disk.limit_reads(4);
    let counts = [0, 4, 8, 9].map(|position| file.read_at(&mut [0; 9], position).unwrap());
    assert_eq!(counts, [4, 4, 1, 0]);
}

#[test]
fn a_directory_that_is_gone_leaves_nothing_to_the_next_one_of_its_name() {
    for seed in 0..50 {
        let disk = SimDisk::new(seed);
        let (dir, above) = (Path::new("/data/log"), Path::new("/data"));
        let make = |name: &str| {
            disk.create_dir_all(dir).unwrap();
            disk.create(&dir.join(name)).unwrap();
        };
        make("synced");
        disk.sync_dir(Path::new("/")).unwrap();
        disk.sync_dir(dir).unwrap();
        disk.create(&dir.join("unsynced")).unwrap();
        disk.sync_dir(above).unwrap();
        disk.remove_dir_all(dir).unwrap();
        disk.sync_dir(above).unwrap();
        make("new");
        disk.sync_dir(above).unwrap();
        let left = disk.crash().list(dir).unwrap();
        assert!(left.is_empty() || left == ["new"], "{left:?}");
        disk.sync_dir(dir).unwrap();
        assert_eq!(disk.crash().list(dir).unwrap(), ["new"]);
    }
}
