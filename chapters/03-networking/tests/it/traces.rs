//! The traces of the page's moving figures are what their examples write.

#[expect(dead_code, reason = "an example has a `main`")]
#[path = "../../examples/03-one-call.rs"]
mod one_call;

#[test]
fn the_ends_of_a_call_are_fresh() {
    figure_trace::assert_fresh("networking", "03-one-call", &one_call::trace());
}
