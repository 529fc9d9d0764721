//! Rows in a table of SQLite, written in three ways. The job dies, and goes on from its last
//! checkpoint: how many rows are in the table then?
//!
//! ```text
//! cargo run -p stream-engine --features sqlite --example p1-database
//! ```

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use async_model::Clock;
use rusqlite::Connection;
use stream_engine::{
    Cause, CheckpointDir, Handle, IteratorSource, Job, Record, Settings, Sink, SqliteSink, Subtask,
    Writer,
};

/// How many rows a job writes, in batches of up to 1,024.
const ROWS: i64 = 3_000;
const PLAIN: &str = "CREATE TABLE IF NOT EXISTS rows (key INTEGER, count INTEGER)";
const KEYED: &str = "CREATE TABLE IF NOT EXISTS rows (key INTEGER PRIMARY KEY, count INTEGER)";
const INSERT: &str = "INSERT INTO rows (key, count) VALUES (?1, 1)";
const REPLACE: &str = "INSERT OR REPLACE INTO rows (key, count) VALUES (?1, 1)";
/// Where the job dies: before which call of its sink.
const DEATHS: [(&str, u32); 5] = [
    ("behind 1024 rows", 2),
    ("behind 2048 rows", 3),
    ("behind all rows", 4),
    ("when the checkpoint is stored", 5),
    ("never", u32::MAX),
];

#[derive(Clone, Copy)]
enum Way {
    AtOnce,
    Replace,
    Marked,
}

#[tokio::main]
async fn main() -> Result<()> {
    println!("{:30}     at once       by key       marked", "");
    println!(
        "The job dies{:18}  dead   end   dead   end   dead   end",
        ""
    );
    let mut bytes = Vec::new();
    for (place, dies_at) in DEATHS {
        print!("{place:30}");
        for way in [Way::AtOnce, Way::Replace, Way::Marked] {
            let folder = tempfile::tempdir()?;
            let dir = CheckpointDir::open(folder.path().join("checkpoints"))?;
            let file = folder.path().join("rows.db");
            let lived = live(way, &file, &dir, dies_at).await;
            ensure!(lived.is_ok() == (dies_at == u32::MAX), "{lived:?}");
            let before = rows(&file)?;
            if let Ok(size) = lived {
                bytes.push(size);
            } else {
                live(way, &file, &dir, u32::MAX).await?;
            }
            print!("{before:>7}{:>6}", rows(&file)?);
        }
        println!();
    }
    print!("bytes of its checkpoint       ");
    bytes.iter().for_each(|bytes| print!("{bytes:>13}"));
    println!();
    Ok(())
}

/// Goes on from the newest checkpoint to the end, or to a call of the sink. Returns how large the
/// last checkpoint is.
async fn live(way: Way, file: &Path, dir: &CheckpointDir, dies_at: u32) -> Result<usize> {
    let job = Job::new("rows");
    let keys = job.source("keys", IteratorSource::new(1, |_| 0..ROWS));
    let at_once = |table, insert| AtOnce {
        file: file.to_owned(),
        table,
        insert,
    };
    let key = |key: &i64| (*key,);
    match way {
        Way::AtOnce => keys.sink("rows", Mortal(at_once(PLAIN, INSERT), dies_at)),
        Way::Replace => keys.sink("rows", Mortal(at_once(KEYED, REPLACE), dies_at)),
        Way::Marked => {
            let sink = SqliteSink::new(file, PLAIN, INSERT, key);
            keys.sink("rows", Mortal(sink, dies_at));
        }
    }
    let settings = Settings {
        resume: dir.newest()?,
        store: Some(dir.clone()),
        ..Settings::new(Clock::start())
    };
    let (_handle, requests) = Handle::new();
    let summary = job.run(settings, requests).await?;
    let checkpoint = summary.checkpoint.as_deref().map(postcard::to_stdvec);
    Ok(checkpoint.transpose()?.map_or(0, |bytes| bytes.len()))
}

/// How many rows a reader finds.
fn rows(file: &Path) -> Result<i64> {
    let database = Connection::open(file)?;
    Ok(database.query_row("SELECT count(*) FROM rows", (), |row| row.get(0))?)
}

/// Writes rows as soon as they come.
struct AtOnce {
    file: PathBuf,
    table: &'static str,
    insert: &'static str,
}

struct AtOnceWriter {
    database: Connection,
    insert: &'static str,
}

impl Sink for AtOnce {
    type Item = i64;
    type Writer = AtOnceWriter;

    fn open(&self, _: Subtask) -> Result<AtOnceWriter, Cause> {
        let database = Connection::open(&self.file)?;
        database.execute_batch(self.table)?;
        Ok(AtOnceWriter {
            database,
            insert: self.insert,
        })
    }
}

impl Writer for AtOnceWriter {
    type Item = i64;
    type Prepared = ();

    async fn write(&mut self, records: &mut Vec<Record<i64>>) -> Result<(), Cause> {
        let transaction = self.database.transaction()?;
        for record in records.drain(..) {
            transaction.execute(self.insert, (record.value,))?;
        }
        Ok(transaction.commit()?)
    }

    async fn prepare(&mut self, _: u64) -> Result<(), Cause> {
        Ok(())
    }

    async fn commit(&mut self, (): ()) -> Result<(), Cause> {
        Ok(())
    }
}

/// A sink with which the job dies, before the call with this number.
struct Mortal<S>(S, u32);

struct MortalWriter<W> {
    writer: W,
    calls: u32,
    dies_at: u32,
}

impl<S: Sink> Sink for Mortal<S> {
    type Item = S::Item;
    type Writer = MortalWriter<S::Writer>;

    fn open(&self, subtask: Subtask) -> Result<MortalWriter<S::Writer>, Cause> {
        Ok(MortalWriter {
            writer: self.0.open(subtask)?,
            calls: 0,
            dies_at: self.1,
        })
    }
}

impl<W> MortalWriter<W> {
    fn call(&mut self) -> Result<(), Cause> {
        self.calls += 1;
        if self.calls == self.dies_at {
            return Err("the job dies here".into());
        }
        Ok(())
    }
}

impl<W: Writer> Writer for MortalWriter<W> {
    type Item = W::Item;
    type Prepared = W::Prepared;

    async fn write(&mut self, records: &mut Vec<Record<W::Item>>) -> Result<(), Cause> {
        self.call()?;
        self.writer.write(records).await
    }

    async fn prepare(&mut self, checkpoint: u64) -> Result<W::Prepared, Cause> {
        self.call()?;
        self.writer.prepare(checkpoint).await
    }

    async fn commit(&mut self, prepared: W::Prepared) -> Result<(), Cause> {
        self.call()?;
        self.writer.commit(prepared).await
    }
}
