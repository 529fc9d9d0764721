//! The trace of the page's moving figure is what its example writes.

#[expect(dead_code, reason = "an example has a `main`")]
#[path = "../../examples/19-retry.rs"]
mod retry;

#[test]
fn the_batches_that_come_again_are_fresh() {
    figure_trace::assert_fresh("idempotence", "19-retry", &retry::trace());
}
