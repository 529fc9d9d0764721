//! The traces of the page's moving figures are what their examples write.

#[expect(dead_code, reason = "an example has a `main`")]
#[path = "../../examples/07-lost-wake-up.rs"]
mod lost_wake_up;

#[test]
fn the_lost_wake_up_is_fresh() {
    let kept = include_str!("../../../../book/src/traces/07-lost-wake-up.json");
    let written = lost_wake_up::trace().to_string();
    assert!(
        kept.trim_end() == written,
        "write it again: cargo run -p broker --example 07-lost-wake-up \
         > book/src/traces/07-lost-wake-up.json"
    );
}
