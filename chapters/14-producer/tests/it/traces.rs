//! The traces of the page's moving figures are what their examples write.

#[expect(dead_code, reason = "an example has a `main`")]
#[path = "../../examples/14-in-flight.rs"]
mod in_flight;

#[test]
fn the_batches_in_flight_are_fresh() {
    figure_trace::assert_fresh("producer", "14-in-flight", &in_flight::trace());
}
