//! The traces of the page's moving figures are what their examples write.

#[expect(dead_code, reason = "an example has a `main`")]
#[path = "../../examples/06-surviving-sectors.rs"]
mod surviving_sectors;

#[test]
fn the_surviving_sectors_are_fresh() {
    let kept = include_str!("../../../../book/src/traces/06-surviving-sectors.json");
    let written = surviving_sectors::trace().to_string();
    assert!(
        kept.trim_end() == written,
        "write it again: cargo run -p log-storage --example 06-surviving-sectors \
         > book/src/traces/06-surviving-sectors.json"
    );
}
