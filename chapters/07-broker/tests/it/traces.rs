//! The traces of the page's moving figures are what their examples write.

#[expect(dead_code, reason = "an example has a `main`")]
#[path = "../../examples/07-lost-wake-up.rs"]
mod lost_wake_up;

#[test]
fn the_lost_wake_up_is_fresh() {
    figure_trace::assert_fresh("broker", "07-lost-wake-up", &lost_wake_up::trace());
}
