//! The traces of the page's moving figures are what their examples write.

#[expect(dead_code, reason = "an example has a `main`")]
#[path = "../../examples/04-bytes-and-fields.rs"]
mod bytes_and_fields;

#[test]
fn the_bytes_and_fields_are_fresh() {
    let kept = include_str!("../../../../book/src/traces/04-bytes-and-fields.json");
    let written = bytes_and_fields::trace().to_string();
    assert!(
        kept.trim_end() == written,
        "write it again: cargo run -p wire-protocol --example 04-bytes-and-fields \
         > book/src/traces/04-bytes-and-fields.json"
    );
}
