//! The traces of the page's moving figures are what their examples write.

#[expect(dead_code, reason = "an example has a `main`")]
#[path = "../../examples/01-ack-window.rs"]
mod ack_window;

#[test]
fn the_ack_window_is_fresh() {
    let kept = include_str!("../../../../book/src/traces/01-ack-window.json");
    let written = ack_window::trace().to_string();
    assert!(
        kept.trim_end() == written,
        "write it again: cargo run -p message-model --example 01-ack-window \
         > book/src/traces/01-ack-window.json"
    );
}
