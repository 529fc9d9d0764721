//! The traces of the page's moving figures are what their examples write.

#[expect(dead_code, reason = "an example has a `main`")]
#[path = "../../examples/15-passes.rs"]
mod passes;
#[expect(dead_code, reason = "an example has a `main`")]
#[path = "../../examples/15-rebalance.rs"]
mod rebalance;
#[expect(dead_code, reason = "an example has a `main`")]
#[path = "../../examples/15-swap.rs"]
mod swap;

#[test]
fn the_passes_are_fresh() {
    figure_trace::assert_fresh("consumer-groups", "15-passes", &passes::trace());
}

#[test]
fn the_rebalance_is_fresh() {
    figure_trace::assert_fresh("consumer-groups", "15-rebalance", &rebalance::trace());
}

#[test]
fn the_swap_is_fresh() {
    figure_trace::assert_fresh("consumer-groups", "15-swap", &swap::trace());
}
