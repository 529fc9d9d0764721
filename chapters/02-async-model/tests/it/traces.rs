//! The traces of the page's moving figures are what their examples write.

#[expect(dead_code, reason = "an example has a `main`")]
#[path = "../../examples/02-timer-wheel.rs"]
mod timer_wheel;

#[test]
fn the_timer_wheel_is_fresh() {
    figure_trace::assert_fresh("async-model", "02-timer-wheel", &timer_wheel::trace());
}
