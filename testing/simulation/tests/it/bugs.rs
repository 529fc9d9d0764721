//! The planted bugs fit the sources. Whether each is found, `simulation --bugs` says.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

#[test]
fn the_text_of_each_bug_is_in_the_sources_once() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = fs::read_to_string(root.join("testing/simulation/bugs.toml")).unwrap();
    let bugs: toml::Table = toml::from_str(&text).unwrap();
    let bugs = bugs["bug"].as_array().unwrap();
    assert!(bugs.len() >= 10);
    let mut names = BTreeSet::new();
    for bug in bugs {
        let text = |key: &str| bug[key].as_str().unwrap();
        let name = text("name");
        let source = fs::read_to_string(root.join(text("file"))).unwrap();
        assert_eq!(source.matches(text("find")).count(), 1, "{name}");
        assert_ne!(text("find"), text("replace"), "{name}");
        assert!(names.insert(name), "{name} is there twice");
    }
}
