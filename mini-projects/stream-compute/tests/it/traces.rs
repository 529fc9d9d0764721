//! The traces of the page's moving figures are what their examples write.

#[expect(dead_code, reason = "an example has a `main`")]
#[path = "../../examples/p1-watermark.rs"]
mod watermark;

#[test]
fn the_watermark_is_fresh() {
    figure_trace::assert_fresh("stream-compute", "p1-watermark", &watermark::trace());
}
