//! The traces of the page's moving figures are what their examples write.

#[expect(dead_code, reason = "an example has a `main`")]
#[path = "../../examples/13-look-ups.rs"]
mod look_ups;

#[test]
fn the_look_ups_are_fresh() {
    figure_trace::assert_fresh("client", "13-look-ups", &look_ups::trace());
}
