//! The trace of the page's moving figure is what its example writes.

#[expect(dead_code, reason = "an example has a `main`")]
#[path = "../../examples/p2-late-reply.rs"]
mod late_reply;

#[test]
fn the_late_reply_is_fresh() {
    figure_trace::assert_fresh("rpc", "p2-late-reply", &late_reply::trace());
}
