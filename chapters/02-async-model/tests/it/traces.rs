//! The traces of the page's moving figures are what their examples write.

#[expect(dead_code, reason = "an example has a `main`")]
#[path = "../../examples/02-timer-wheel.rs"]
mod timer_wheel;

#[test]
fn the_timer_wheel_is_fresh() {
    let kept = include_str!("../../../../book/src/traces/02-timer-wheel.json");
    let fresh = timer_wheel::trace().to_string();
    assert!(
        kept.trim_end() == fresh,
        "write it again: cargo run -p async-model --example 02-timer-wheel \
         > book/src/traces/02-timer-wheel.json"
    );
}
