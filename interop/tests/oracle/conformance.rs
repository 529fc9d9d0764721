//! Our declarations beside Kafka's own schemas, as the book's page `messages.md`.
//!
//! The schemas are not part of this repository, so the page is made where they are:
//! `KAFKA_MESSAGES=FOLDER cargo test -p interop --test oracle -- --ignored`. What
//! the page says of us, a test holds to the declarations everywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::bodies::{self, Body, NEVER};
use crate::declared::{Field, structs};

const HEAD: &str = "\
# The messages, beside Kafka's schemas

<!-- Made from the declarations in chapters/04-wire-protocol/src/message and Kafka's
     schemas by `KAFKA_MESSAGES=FOLDER cargo test -p interop --test oracle -- --ignored`;
     a test holds the declarations to it. -->

Kafka describes each of its messages in a file, `FetchRequest.json` and so on, in the
folder `clients/src/main/resources/common/message` of its source. Here each message is
declared in `chapters/04-wire-protocol/src/message`, and the table compares the two, in
every version that is declared: the order of the fields, their names, their types,
in which versions they can be null, what an older version does without, and
what a field is by default that its version lacks.

*Versions* are those that are declared. What `mqd` serves is the table in
`chapters/04-wire-protocol/src/api.rs`, and `mqd`'s answer to an ApiVersions
request. *Schema* are the versions of the schema that was compared. *Fields* counts
the fields of request and response that are declared. The last column has all
that is not the same.

| key | API | versions | flexible from | fields | schema | not the same |
|--:|---|---|--:|--:|---|---|
";

/// What the page says of an API without looking at Kafka's schemas.
struct Ours {
    key: i16,
    cells: String,
    bodies: Vec<Body>,
}

fn ours() -> Vec<Ours> {
    let mut apis: BTreeMap<i16, Vec<Body>> = BTreeMap::new();
    for body in bodies::all() {
        apis.entry(body.key).or_default().push(body);
    }
    let row = |(key, bodies): (i16, Vec<Body>)| {
        let body = bodies[0];
        let name = body.name.trim_end_matches("Request").to_owned();
        let flexible = match body.flexible {
            NEVER => "never".to_owned(),
            flexible => flexible.to_string(),
        };
        let fields: usize = bodies.iter().map(|body| count(body.name)).sum();
        let versions = match body.versions {
            (first, last) if first == last => first.to_string(),
            (first, last) => format!("{first}–{last}"),
        };
        let cells = format!("| {key} | {name} | {versions} | {flexible} | {fields} |");
        Ours { key, cells, bodies }
    };
    apis.into_iter().map(row).collect()
}

fn count(name: &str) -> usize {
    let fields = structs().get(name).map_or(&[][..], Vec::as_slice);
    let below = fields.iter().map(|field| count(field.struct_name()));
    fields.len() + below.sum::<usize>()
}

/// A number that another declaration makes another one.
fn digest() -> u32 {
    let text = structs().iter().fold(String::new(), |mut text, one| {
        // Writing to a String does not fail.
        let _ = writeln!(text, "{one:?}");
        text
    });
    crc32c::crc32c(text.as_bytes())
}

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../book/src/messages.md")
}

#[test]
fn the_page_says_what_is_declared() {
    let text = std::fs::read_to_string(page()).expect("the page can be read");
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| ")).collect();
    let ours = ours();
    assert_eq!(rows.len(), ours.len() + 1, "a row for each API");
    for (row, ours) in rows[1..].iter().zip(&ours) {
        assert!(row.starts_with(&ours.cells), "{row}\n{}", ours.cells);
    }
    let digest = format!("<!-- declarations {:08x} -->", digest());
    assert!(text.contains(&digest), "make the page again: {digest}");
}

#[test]
#[ignore = "writes the page, from schemas that are not in this repository"]
fn write_the_page() {
    let folder = std::env::var("KAFKA_MESSAGES").expect("KAFKA_MESSAGES is a folder of schemas");
    let mut text = HEAD.to_owned();
    for api in ours() {
        let mut found = BTreeSet::new();
        let mut versions = String::new();
        for body in &api.bodies {
            let schema = schema(&Path::new(&folder).join(format!("{}.json", body.name)));
            versions = schema["validVersions"].as_str().expect("text").to_owned();
            if schema["apiKey"] != api.key {
                found.insert("the key".to_owned());
            }
            compare(body, &schema, &mut found);
        }
        let versions = versions.replace('-', "–");
        let found: Vec<String> = found.into_iter().collect();
        let found = match found.is_empty() {
            true => "nothing".to_owned(),
            false => found.join("; "),
        };
        // Writing to a String does not fail.
        let _ = writeln!(text, "{} {versions} | {found} |", api.cells);
    }
    let _ = write!(text, "\n<!-- declarations {:08x} -->\n", digest());
    std::fs::write(page(), text).expect("the page can be written");
}

/// A schema: JSON with comments, which begin at a `//` that is in no string.
fn schema(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|_| panic!("{}", path.display()));
    let code = |line: &str| match line.rsplit_once("//") {
        Some((code, comment)) if !comment.contains('"') => code.to_owned(),
        _ => line.to_owned(),
    };
    let lines: Vec<String> = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .map(code)
        .collect();
    serde_json::from_str(&lines.join("\n")).unwrap_or_else(|error| panic!("{path:?}: {error}"))
}

fn compare(body: &Body, schema: &Value, found: &mut BTreeSet<String>) {
    let flexible = schema["flexibleVersions"].as_str().expect("text");
    let expected = match body.flexible {
        NEVER => "none".to_owned(),
        first => format!("{first}+"),
    };
    if flexible != expected {
        found.insert(format!("flexible from {flexible}"));
    }
    let common = schema["commonStructs"].as_array().into_iter().flatten();
    let common = common.map(|one| (one["name"].as_str().unwrap_or_default(), one));
    let mut comparison = Comparison {
        common: common.collect(),
        declared: body.versions.0..=body.versions.1,
        found,
    };
    for version in body.versions.0..=body.versions.1 {
        comparison.fields(body.name, schema, version);
    }
}

struct Comparison<'a> {
    common: BTreeMap<&'a str, &'a Value>,
    /// The versions that are compared.
    declared: RangeInclusive<i16>,
    found: &'a mut BTreeSet<String>,
}

impl Comparison<'_> {
    fn fields(&mut self, name: &str, schema: &Value, version: i16) {
        let ours = &structs()[name];
        let theirs = schema["fields"].as_array().expect("a list of fields");
        let is_here = |field: &&Value| versions(&field["versions"]).contains(&version);
        let is_tagged = |field: &&Value| !field["tag"].is_null();
        let (tagged, plain): (Vec<&Value>, Vec<&Value>) =
            theirs.iter().filter(is_here).partition(is_tagged);
        let in_version = ours
            .iter()
            .filter(|field| field.versions.contains(&version));
        let (our_tagged, our_plain): (Vec<&Field>, Vec<&Field>) =
            in_version.partition(|field| field.tag.is_some());
        if our_plain.len() != plain.len() {
            self.found
                .insert(format!("other fields in {name} {version}"));
        }
        for (field, schema) in our_plain.iter().zip(plain) {
            self.field(name, field, schema, version);
        }
        for schema in tagged {
            let tag = schema["tag"].as_u64();
            let field = our_tagged
                .iter()
                .find(|field| field.tag.map(u64::from) == tag);
            match field {
                Some(field) => self.field(name, field, schema, version),
                None => {
                    let theirs = schema["name"].as_str().unwrap_or_default();
                    self.found.insert(format!("without the tagged {theirs}"));
                }
            }
        }
    }

    fn field(&mut self, of: &str, field: &Field, schema: &Value, version: i16) {
        let theirs = snake(schema["name"].as_str().expect("a name"));
        let about = format!("`{of}.{}`", field.name);
        if theirs != field.name {
            self.found.insert(format!("{about} is {theirs}"));
        }
        let kind = schema["type"].as_str().expect("a type");
        let null = schema["nullableVersions"]
            .as_str()
            .is_some_and(|_| versions(&schema["nullableVersions"]).contains(&version));
        let can_be_null = match field.kind.as_str() {
            "MetadataTopics" => version > 0,
            kind => kind.starts_with("Option<") && field.null.contains(&version),
        };
        if null && field.kind == "Records" {
            self.found
                .insert("null records are read as empty".to_owned());
        } else if null != can_be_null {
            self.found
                .insert(format!("{about} can be null in other versions"));
        }
        self.kind(&about, field, kind);
        self.absence(&about, field, schema);
        let name = kind.trim_start_matches("[]");
        if let Some(below) = structs()
            .get(field.struct_name())
            .map(|_| field.struct_name())
        {
            let schema = match self.common.get(name) {
                Some(schema) => (*schema).clone(),
                None => schema.clone(),
            };
            self.fields(below, &schema, version);
        } else if field.kind == "MetadataTopics" {
            self.fields("MetadataTopic", schema, version);
        }
    }

    fn kind(&mut self, about: &str, field: &Field, theirs: &str) {
        let scalar = match theirs.trim_start_matches("[]") {
            "int8" => "i8",
            "int16" if field.kind == "ErrorCode" => "ErrorCode",
            "int16" => "i16",
            "int32" => "i32",
            "int64" => "i64",
            "bool" => "bool",
            "string" => "String",
            "bytes" => "Bytes",
            "records" => "Records",
            _ if field.kind == "MetadataTopics" => return,
            _ => field.struct_name(),
        };
        let kind = field.kind.strip_prefix("Option<");
        let kind = kind.map_or(field.kind.as_str(), |kind| &kind[..kind.len() - 1]);
        let expected = match theirs.starts_with("[]") {
            true => format!("Vec<{scalar}>"),
            false => scalar.to_owned(),
        };
        if kind != expected {
            self.found.insert(format!("{about} is a {theirs}"));
        }
    }

    /// What a version says of the field that does not have it.
    fn absence(&mut self, about: &str, field: &Field, schema: &Value) {
        let mut declared = self.declared.clone();
        if declared.all(|version| field.versions.contains(&version)) {
            return;
        }
        if field.ignorable != schema["ignorable"].as_bool().unwrap_or(false) {
            let theirs = if field.ignorable { "not " } else { "" };
            self.found.insert(format!("{about} is {theirs}ignorable"));
        }
        let number = |text: &str| match text.strip_prefix("0x") {
            Some(hex) => i64::from_str_radix(hex, 16).ok(),
            None => text.parse().ok(),
        };
        let theirs = match &schema["default"] {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        };
        let ours = field.default.as_deref().unwrap_or_default();
        let ours = match ours {
            "i32::MIN" => i32::MIN.to_string(),
            "i32::MAX" => i32::MAX.to_string(),
            other => other.to_owned(),
        };
        let value = |text: &str| number(text).unwrap_or(i64::from(text == "true"));
        if value(&ours) != value(&theirs) {
            let theirs = if theirs.is_empty() { "0" } else { &theirs };
            self.found.insert(format!("{about} is {theirs} by default"));
        }
    }
}

/// `2+`, `2-4` or `2`.
fn versions(text: &Value) -> RangeInclusive<i16> {
    let text = text.as_str().expect("versions");
    let number = |text: &str| text.parse().expect("a version");
    match (text.strip_suffix('+'), text.split_once('-')) {
        (Some(first), _) => number(first)..=i16::MAX,
        (None, Some((first, last))) => number(first)..=number(last),
        (None, None) => number(text)..=number(text),
    }
}

fn snake(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}
