//! Stripes that are far smaller than those of the source, so that lines, chunks, pieces and
//! checkpoints meet in all ways.

use std::collections::BTreeSet;
use std::fs;
use std::future::poll_fn;
use std::path::Path;
use std::pin::pin;
use std::task::Poll;

use proptest::prelude::*;

use super::*;
use crate::file_source::FileSource;
use crate::file_source::catalog::Wanted;
use crate::source::Source;

/// Offset and text.
type Seen = (u64, Vec<u8>);
type Positions = Vec<(u32, Position)>;

fn seen(line: Line<'_>) -> Seen {
    (line.offset, line.text.to_owned())
}

fn source(
    paths: &[&Path],
    layout: Layout,
) -> impl Source<Item = Seen, Reader = FileReader<fn(Line<'_>) -> Seen>> {
    let files = Wanted::Files(paths.iter().map(|path| path.to_path_buf()).collect());
    FileSource::of(files, layout, seen as fn(Line<'_>) -> Seen)
}

/// The lines of the whole text.
fn lines(text: &[u8]) -> Vec<Seen> {
    let mut offset = 0;
    let lines = text.split_inclusive(|byte| *byte == b'\n').map(|line| {
        let end = line.strip_suffix(b"\n");
        let text = end.map_or(line, |line| line.strip_suffix(b"\r").unwrap_or(line));
        offset += line.len() as u64;
        (offset - line.len() as u64, text.to_owned())
    });
    lines.collect()
}

/// How a job runs until it is killed or has read all.
#[derive(Debug, Clone)]
struct Run {
    subtasks: usize,
    /// Which subtask reads next, and whether it waits for what it reads.
    turns: Vec<(usize, bool)>,
}

/// Reads by the turns and, if it is the last run, to the end. Returns what the checkpoint has.
async fn read(
    source: &impl Source<Item = Seen, Reader = FileReader<fn(Line<'_>) -> Seen>>,
    run: &Run,
    (piece, positions): (usize, Positions),
    (is_last, lines): (bool, &mut Vec<Seen>),
) -> Positions {
    let count = run.subtasks;
    let open = |index| source.open(Subtask { index, count }, positions.clone());
    let mut readers: Vec<_> = (0..count).map(|index| open(index).unwrap()).collect();
    for reader in &mut readers {
        reader.buffer = LineBuffer::new(piece);
    }
    let mut order = vec![Vec::new(); count];
    for (index, wait) in &run.turns {
        let mut values = Vec::new();
        {
            let mut reading = pin!(readers[index % count].read(&mut values));
            if *wait {
                reading.await.unwrap();
            } else {
                // It may be dropped at any time.
                poll_fn(|context| Poll::Ready(reading.as_mut().poll(context).is_ready())).await;
            }
        }
        order[index % count].extend(values.iter().map(|line: &Seen| line.0));
        lines.extend(values);
    }
    if is_last {
        for (index, reader) in readers.iter_mut().enumerate() {
            let mut values = Vec::new();
            while reader.read(&mut values).await.unwrap() != Read::Exhausted {
                order[index].extend(values.iter().map(|line: &Seen| line.0));
                lines.append(&mut values);
            }
        }
    }
    // In a partition the lines are in the order of the file, also behind a checkpoint of another
    // number of subtasks.
    for (reader, offsets) in readers.iter().zip(order) {
        assert!(reader.files.len() > 1 || offsets.is_sorted());
    }
    readers.iter().flat_map(Reader::positions).collect()
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    let line = (
        0..30_usize,
        prop_oneof![Just("\n"), Just("\r\n"), Just("\r")],
    );
    let lines = prop::collection::vec(line, 0..40);
    (lines, any::<bool>()).prop_map(|(lines, ends)| {
        let mut text = Vec::new();
        for (number, (length, end)) in (b'a'..=b'z').cycle().zip(lines) {
            text.extend(std::iter::repeat_n(number, length));
            text.extend(end.as_bytes());
        }
        if !ends {
            text.extend(b"last");
        }
        text
    })
}

fn runs() -> impl Strategy<Value = Vec<Run>> {
    let turns = prop::collection::vec((0..4_usize, any::<bool>()), 0..40);
    let run = (1..4_usize, turns).prop_map(|(subtasks, turns)| Run { subtasks, turns });
    prop::collection::vec(run, 1..4)
}

fn layout() -> impl Strategy<Value = Layout> {
    (1..5_u32, 1..40_u64).prop_map(|(stripes, chunk)| Layout { stripes, chunk })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 150,
        rng_seed: proptest::test_runner::RngSeed::Fixed(29),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn each_line_is_read_once(
        texts in prop::collection::vec(text(), 1..4),
        layout in layout(),
        piece in 1..60_usize,
        runs in runs(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let (mut paths, mut wanted) = (Vec::new(), Vec::new());
        for (number, text) in texts.iter().enumerate() {
            paths.push(folder.path().join(number.to_string()));
            fs::write(&paths[number], text).unwrap();
            wanted.extend(lines(text));
        }
        let paths: Vec<&Path> = paths.iter().map(AsRef::as_ref).collect();
        let source = source(&paths, layout);
        let mut read_lines = Vec::new();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut positions = Vec::new();
            for (number, run) in runs.iter().enumerate() {
                let end = (number + 1 == runs.len(), &mut read_lines);
                positions = read(&source, run, (piece, positions), end).await;
            }
        });
        let is_straight = runs.len() == 1 && runs[0].subtasks == 1 && texts.len() == 1;
        if !is_straight {
            read_lines.sort();
            wanted.sort();
        }
        prop_assert_eq!(read_lines, wanted);
    }

    #[test]
    fn a_file_that_has_grown_is_read_on(
        texts in prop::collection::vec(text(), 1..4),
        layout in layout(),
        piece in 1..60_usize,
        subtasks in 1..4_usize,
    ) {
        let file = tempfile::NamedTempFile::new().unwrap();
        let source = source(&[file.path()], layout);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (mut whole, mut read_lines, mut positions) = (Vec::new(), Vec::new(), Vec::new());
        let run = Run { subtasks, turns: Vec::new() };
        for text in texts {
            whole.extend(text);
            whole.push(b'\n');
            fs::write(file.path(), &whole).unwrap();
            let reading = read(&source, &run, (piece, positions), (true, &mut read_lines));
            positions = runtime.block_on(reading);
        }
        read_lines.sort();
        prop_assert_eq!(read_lines, lines(&whole));
    }
}

#[test]
fn the_stripes_of_a_file_are_divided_among_the_subtasks() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), [b'x'; 100]).unwrap();
    let (stripes, chunk) = (16, 4);
    let source = source(&[file.path()], Layout { stripes, chunk });
    let mut partitions = BTreeSet::new();
    for count in 1..=16 {
        let open = |index| source.open(Subtask { index, count }, Vec::new());
        let readers: Vec<_> = (0..count).map(|index| open(index).unwrap()).collect();
        let shares: Vec<Positions> = readers.iter().map(Reader::positions).collect();
        let all = shares.iter().flatten().map(|(number, _)| *number);
        assert!(all.eq(0..16), "{count} subtasks");
        let even = 16 / count..=16_usize.div_ceil(count);
        assert!(shares.iter().all(|share| even.contains(&share.len())));
        // A part has another number if there are more or fewer, because what a checkpoint says of
        // event time in it is not true of the new parts.
        let new = readers.iter().map(|reader| reader.files[0].partition);
        assert!(
            new.into_iter()
                .all(|partition| partitions.insert(partition))
        );
    }
    let numbers = Layout { stripes, chunk }.partitions();
    assert!(partitions.into_iter().eq(0..numbers));
}

#[tokio::test]
async fn a_file_that_is_cut_while_it_is_read_is_an_error() {
    for layout in [
        Layout::WHOLE,
        Layout {
            stripes: 3,
            chunk: 8,
        },
    ] {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "one\ntwo\nthree\nfour\nfive\nsix\nseven\n").unwrap();
        let source = source(&[file.path()], layout);
        let mut reader = source
            .open(Subtask { index: 0, count: 1 }, Vec::new())
            .unwrap();
        reader.buffer = LineBuffer::new(12);
        let mut lines = Vec::new();
        while lines.is_empty() {
            reader.read(&mut lines).await.unwrap();
        }
        file.as_file().set_len(4).unwrap();
        let error = loop {
            match reader.read(&mut Vec::new()).await {
                Ok(Read::Exhausted) => panic!("it has read all of a file that was cut"),
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        assert!(error.to_string().contains("was cut"), "{error}");
    }
}
