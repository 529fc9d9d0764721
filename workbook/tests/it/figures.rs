use workbook::figures::{self, Figures};

use crate::fixture::{Fixture, this_tree};

const SOURCE: &str = "\
//! A file.

/// Three lines.
pub fn three() {
    one();
}

impl Thing {
    /// Six lines, a closure in them.
    pub(crate) async fn six<T>(
        value: T,
    ) -> T {
        // SAFETY: it is not.
        unsafe { value }
    }

    fn one_line() {}
}

trait Shape {
    fn without_a_body(&self);
}

#[allow(dead_code, reason = \"a test\")]
fn four() {
    if true {
    }
}

#[cfg(test)]
mod tests {
    fn not_counted() {
    }
}
";

#[test]
fn functions_are_measured_from_fn_to_closing_brace() {
    let fixture = Fixture::new();
    fixture.write("chapters/06-pairs/src/lib.rs", SOURCE);
    let figures = figures::measure(&fixture.workspace).unwrap();
    let measured: Vec<_> = figures
        .functions
        .iter()
        .filter(|function| function.name.starts_with("chapters"))
        .map(|function| (function.name.rsplit(' ').next().unwrap(), function.lines))
        .collect();
    assert_eq!(measured, [("three", 3), ("four", 4), ("six", 6)]);
    assert_eq!((figures.unsafe_blocks, figures.safety_comments), (1, 1));
    assert_eq!(figures.allows, 1);
}

#[test]
fn percentiles_are_lengths_that_occur() {
    let lengths: Vec<_> = (1..=200)
        .map(|lines| figures::Length {
            name: String::new(),
            lines,
        })
        .collect();
    assert_eq!(Figures::percentile(&lengths, 50), 100);
    assert_eq!(Figures::percentile(&lengths, 99), 198);
    assert_eq!(Figures::percentile(&lengths, 100), 200);
    assert_eq!(Figures::percentile(&[], 50), 0);
}

#[test]
fn this_tree_can_be_measured() {
    let figures = figures::measure(&this_tree()).unwrap();
    assert!(figures.files.len() > 100);
    assert!(figures.functions.len() > 300);
}
