//! The traces of the page's moving figures are what their examples write.

#[expect(dead_code, reason = "an example has a `main`")]
#[path = "../../examples/01-ack-window.rs"]
mod ack_window;

#[test]
fn the_ack_window_is_fresh() {
    figure_trace::assert_fresh("message-model", "01-ack-window", &ack_window::trace());
}
