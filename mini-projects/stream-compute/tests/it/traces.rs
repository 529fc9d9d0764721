//! The traces of the page's moving figures are what their examples write.

#[expect(dead_code, reason = "an example has a `main`")]
#[path = "../../examples/p1-watermark.rs"]
mod watermark;

#[test]
fn the_watermark_is_fresh() {
    let kept = include_str!("../../../../book/src/traces/p1-watermark.json");
    let written = watermark::trace().to_string();
    assert!(
        kept.trim_end() == written,
        "write it again: cargo run -p stream-compute --example p1-watermark \
         > book/src/traces/p1-watermark.json"
    );
}
