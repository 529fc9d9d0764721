//! The messages as they are declared in `src/message`, read as text: what the tests
//! know of a message does not come from the code that the declaration becomes.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// A field of a struct.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) name: String,
    /// Its type, such as `Option<Vec<OffsetFetchTopic>>`.
    pub(crate) kind: String,
    /// The versions that have it.
    pub(crate) versions: RangeInclusive<i16>,
    /// Whether the other versions do without.
    pub(crate) ignorable: bool,
    /// The versions in which it can be null, if its type can.
    pub(crate) null: RangeInclusive<i16>,
    /// The number of a tagged field.
    pub(crate) tag: Option<u32>,
    /// What it is if nothing is said.
    pub(crate) default: Option<String>,
}

impl Field {
    /// The name of the struct that it holds, one or more of.
    pub(crate) fn struct_name(&self) -> &str {
        let inner = self.kind.trim_start_matches("Option<");
        inner.trim_start_matches("Vec<").trim_end_matches('>')
    }
}

/// The fields of every struct, by its name.
pub(crate) fn structs() -> &'static BTreeMap<String, Vec<Field>> {
    static STRUCTS: OnceLock<BTreeMap<String, Vec<Field>>> = OnceLock::new();
    STRUCTS.get_or_init(|| {
        let entries = std::fs::read_dir(folder()).expect("the messages are at their place");
        let mut structs = BTreeMap::new();
        for entry in entries {
            let path = entry.expect("the folder can be listed").path();
            let text = std::fs::read_to_string(path).expect("a file of messages can be read");
            if let Some((_, behind)) = text.split_once("messages! {\n") {
                let (body, _) = behind.split_once("\n}\n").expect("it has an end");
                read(body, &mut structs);
            }
        }
        structs
    })
}

/// Where the messages are; the tests of other crates look there too.
fn folder() -> PathBuf {
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    above
        .map(|folder| folder.join("chapters/04-wire-protocol/src/message"))
        .find(|folder| folder.is_dir())
        .expect("the chapter is in this repository")
}

fn read(body: &str, structs: &mut BTreeMap<String, Vec<Field>>) {
    let is_code = |line: &&str| !line.starts_with("//") && !line.starts_with("#[");
    let lines = body.lines().map(str::trim).filter(is_code);
    let text = lines.collect::<Vec<_>>().join(" ");
    let mut blocks = text.split_inclusive('}').peekable();
    while let Some(block) = blocks.next() {
        let (name, fields) = block.split_once('{').expect("a name, then its fields");
        let mut all: Vec<Field> = split(fields.trim_end_matches('}')).map(field).collect();
        let tagged = blocks.next_if(|block| block.trim_start().starts_with(", tagged"));
        if let Some((_, fields)) = tagged.and_then(|block| block.split_once('{')) {
            all.extend(split(fields.trim_end_matches('}')).map(field));
        }
        assert!(structs.insert(name.trim().to_owned(), all).is_none());
    }
}

/// The declarations of fields, each up to the semicolon that is not in brackets.
fn split(fields: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0;
    let ends = move |letter: char| {
        depth += i32::from(letter == '[') - i32::from(letter == ']');
        letter == ';' && depth == 0
    };
    fields
        .split(ends)
        .map(str::trim)
        .filter(|text| !text.is_empty())
}

fn field(text: &str) -> Field {
    let (name, rest) = text.split_once(':').expect("a name, then its type");
    let (tag, name) = match name.trim().split_once(' ') {
        Some((tag, name)) => (Some(tag.parse().expect("a tag")), name),
        None => (None, name.trim()),
    };
    let (rest, default) = match rest.split_once(" = ") {
        Some((rest, default)) => (rest, Some(default.trim().to_owned())),
        None => (rest, None),
    };
    let (kind, marks) = rest.split_once('[').unwrap_or((rest, "0..]"));
    let (marks, null) = match marks.trim_end().trim_end_matches(']').split_once("; null ") {
        Some((marks, null)) => (marks, null),
        None => (marks.trim_end().trim_end_matches(']'), "0.."),
    };
    let (versions, mark) = marks.split_once(", ").unwrap_or((marks, ""));
    assert!(["", "ignorable"].contains(&mark), "{text}");
    Field {
        name: name.to_owned(),
        kind: kind.trim().to_owned(),
        versions: range(versions),
        ignorable: mark == "ignorable",
        null: range(null),
        tag,
        default,
    }
}

/// `3..` or `0..=2`.
fn range(text: &str) -> RangeInclusive<i16> {
    let (first, last) = text.split_once("..").expect("a range of versions");
    let number = |text: &str| text.parse().expect("a version");
    let last = last.strip_prefix('=').map_or(i16::MAX, number);
    number(first)..=last
}
