use workbook::verify::{self, Kept};

use crate::fixture::Fixture;

const ROOT: &str = r#"
[workspace]
resolver = "3"
members = ["chapters/*", "solutions/*", "exercises/*", "testing/*"]

[workspace.dependencies]
spec-harness = { path = "testing/spec-harness" }
"#;

/// A workspace in which chapter 06 needs chapter 05, and not chapter 07.
fn workspace() -> Fixture {
    let fixture = Fixture::new();
    fixture.write("Cargo.toml", ROOT);
    fixture.write("Cargo.lock", "");
    let package = |folder: &str, name: &str, imports: &str| {
        let text = format!("[package]\nname = \"{name}\"\nedition = \"2024\"\n{imports}");
        fixture.write(&format!("{folder}/Cargo.toml"), &text);
        fixture.write(&format!("{folder}/src/lib.rs"), "//! Empty.\n");
    };
    package("testing/spec-harness", "spec-harness", "");
    package("chapters/05-base", "base", "");
    package("chapters/07-other", "other", "");
    let base = "[dependencies]\nbase = { path = \"../../chapters/05-base\" }\n";
    package("solutions/06-pairs", "pairs-solution", base);
    package("exercises/06-pairs", "pairs-exercise", base);
    let solution = "[dev-dependencies]\npairs-solution = { path = \"../../solutions/06-pairs\" }\n";
    package("chapters/06-pairs", "pairs", solution);
    fixture
}

fn kept(fixture: &Fixture) -> Kept {
    let mirror = verify::mirror(&fixture.workspace).unwrap();
    Kept::new(&fixture.workspace, &mirror).unwrap()
}

#[test]
fn proofs_are_tried_again_when_something_that_they_depend_on_changes() {
    let fixture = workspace();
    let passed = || kept(&fixture).passed(&fixture.chapter);
    assert_eq!(passed(), None);
    kept(&fixture).keep(&fixture.chapter, 28).unwrap();
    assert_eq!(passed(), Some(28));

    for file in [
        "chapters/05-base/src/lib.rs",
        "chapters/06-pairs/tests/it.rs",
        "exercises/06-pairs/src/lib.rs",
        "exercises/06-pairs/spec/golden/minus.txt",
        "exercises/06-pairs/wrong.toml",
        "solutions/06-pairs/src/lib.rs",
        "testing/spec-harness/src/lib.rs",
        "workbook/src/verify/mod.rs",
    ] {
        let before = fixture.exists(file).then(|| fixture.read(file));
        fixture.write(file, "//! Changed.\n");
        assert_eq!(passed(), None, "{file}");
        match before {
            Some(text) => fixture.write(file, &text),
            None => fixture.remove(file),
        }
        assert_eq!(passed(), Some(28), "{file}");
    }
    fixture.write("chapters/07-other/src/lib.rs", "//! Changed.\n");
    assert_eq!(passed(), Some(28));
}
