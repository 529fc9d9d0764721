//! The trace of the page's moving figure is what its example writes.

#[expect(dead_code, reason = "an example has a `main`")]
#[path = "../../examples/17-half-message.rs"]
mod half_message;

#[test]
fn the_half_message_is_fresh() {
    figure_trace::assert_fresh("transactions", "17-half-message", &half_message::trace());
}
