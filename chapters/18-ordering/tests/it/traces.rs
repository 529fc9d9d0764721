//! The traces of the page's moving figures are what their examples write.

#[expect(dead_code, reason = "an example has a `main`")]
#[path = "../../examples/18-sequence.rs"]
mod sequence;

#[test]
fn the_batches_in_flight_are_fresh() {
    figure_trace::assert_fresh("ordering", "18-sequence", &sequence::trace());
}
