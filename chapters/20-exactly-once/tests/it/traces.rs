//! The trace of the page's moving figure is what its example writes.

#[expect(dead_code, reason = "an example has a `main`")]
#[path = "../../examples/20-markers.rs"]
mod markers;

#[test]
fn the_markers_are_fresh() {
    figure_trace::assert_fresh("exactly-once", "20-markers", &markers::trace());
}
