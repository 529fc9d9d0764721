//! The traces of the page's moving figures are what their examples write.

#[expect(dead_code, reason = "an example has a `main`")]
#[path = "../../examples/16-rebalance.rs"]
mod rebalance;

#[test]
fn the_rebalance_is_fresh() {
    figure_trace::assert_fresh("consumer", "16-rebalance", &rebalance::trace());
}
