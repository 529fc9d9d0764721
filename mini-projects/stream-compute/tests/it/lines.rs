//! Cutting bytes into lines.

use proptest::collection::vec;
use proptest::prelude::*;
use stream_compute::{LINE_BYTES_MAX, Line, LineSplitter};

use crate::fixed;

fn split(chunks: &[&[u8]]) -> Vec<Line> {
    let mut splitter = LineSplitter::default();
    let mut lines: Vec<Line> = chunks
        .iter()
        .flat_map(|chunk| splitter.push(chunk))
        .collect();
    lines.extend(splitter.finish());
    lines
}

fn texts(lines: &[Line]) -> Vec<Option<&[u8]>> {
    lines.iter().map(|line| line.text.as_deref()).collect()
}

#[test]
fn line_ends_of_both_kinds() {
    let lines = split(&[b"one\ntwo\r\n\nfour"]);
    let expected: [Option<&[u8]>; 4] = [Some(b"one"), Some(b"two"), Some(b""), Some(b"four")];
    assert_eq!(texts(&lines), expected);
    let numbers: Vec<u64> = lines.iter().map(|line| line.number).collect();
    assert_eq!(numbers, [1, 2, 3, 4]);
}

#[test]
fn it_is_known_where_a_line_begins() {
    let long = vec![b'x'; LINE_BYTES_MAX + 10];
    let lines = split(&[b"one\nt", b"wo\r\n\n", &long, b"\nfive"]);
    let places: Vec<u64> = lines.iter().map(|line| line.at).collect();
    assert_eq!(places, [0, 4, 9, 10, 10 + long.len() as u64 + 1]);
}

#[test]
fn lines_of_the_next_file_go_on_with_the_numbers() {
    let mut splitter = LineSplitter::behind(7, 100);
    let line = |number, at, text: &str| Line {
        number,
        at,
        text: Some(text.into()),
    };
    assert_eq!(splitter.push(b"eight\nnine"), [line(8, 100, "eight")]);
    assert_eq!(splitter.finish(), Some(line(9, 106, "nine")));
    assert_eq!(splitter.push(b"ten\n"), [line(10, 0, "ten")]);
    assert_eq!(splitter.finish(), None);
    assert_eq!(splitter.push(b"eleven\n"), [line(11, 0, "eleven")]);
}

#[test]
fn no_line_behind_the_last_line_end() {
    assert_eq!(split(&[b"one\n"]).len(), 1);
    assert_eq!(split(&[b"", b""]).len(), 0);
}

#[test]
fn what_has_come_of_a_line_is_known() {
    let mut splitter = LineSplitter::default();
    splitter.push(b"one\ntwo");
    assert_eq!(splitter.pending_bytes(), 3);
    splitter.push(&vec![b'x'; LINE_BYTES_MAX]);
    assert_eq!(
        splitter.pending_bytes(),
        3 + LINE_BYTES_MAX as u64,
        "also of one that is too long"
    );
    splitter.push(b"\n");
    assert_eq!(splitter.pending_bytes(), 0);
}

#[test]
fn a_line_that_is_too_long_is_counted_and_dropped() {
    let fits = vec![b'a'; LINE_BYTES_MAX];
    let mut too_long = fits.clone();
    too_long.push(b'a');
    for end in [b"\n".as_slice(), b"\r\n"] {
        let lines = split(&[&fits, end, &too_long, end, b"next"]);
        let expected: [Option<&[u8]>; 3] = [Some(&fits), None, Some(b"next")];
        assert_eq!(texts(&lines), expected);
        assert_eq!(lines[2].number, 3);
    }
    // Also the last one, without a line end.
    assert_eq!(texts(&split(&[&too_long])), [None]);
    assert_eq!(texts(&split(&[&too_long, &too_long])), [None]);
}

proptest! {
    #![proptest_config(fixed())]

    /// However the bytes arrive, the lines are the same.
    #[test]
    fn any_cut_gives_the_same_lines(bytes in vec(prop_oneof![Just(b'\n'), Just(b'\r'), Just(b'x')], 0..60), cuts in vec(any::<prop::sample::Index>(), 0..6)) {
        let whole = split(&[&bytes]);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.sort_unstable();
        cuts.insert(0, 0);
        cuts.push(bytes.len());
        let chunks: Vec<&[u8]> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
        prop_assert_eq!(&split(&chunks), &whole);

        let text = String::from_utf8(bytes).expect("ASCII");
        let naive: Vec<&str> = text.split_inclusive('\n')
            .map(|line| line.strip_suffix('\n').unwrap_or(line))
            .map(|line| line.strip_suffix('\r').unwrap_or(line))
            .collect();
        let ours: Vec<String> = whole.into_iter()
            .map(|line| String::from_utf8(line.text.expect("short")).expect("ASCII"))
            .collect();
        prop_assert_eq!(ours, naive);
    }
}
