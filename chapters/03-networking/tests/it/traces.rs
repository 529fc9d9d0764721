//! The traces of the page's moving figures are what their examples write.

#[expect(dead_code, reason = "an example has a `main`")]
#[path = "../../examples/03-one-call.rs"]
mod one_call;

#[test]
fn the_ends_of_a_call_are_fresh() {
    let kept = include_str!("../../../../book/src/traces/03-one-call.json");
    let written = one_call::trace().to_string();
    assert!(
        kept.trim_end() == written,
        "write it again: cargo run -p networking --example 03-one-call \
         > book/src/traces/03-one-call.json"
    );
}
