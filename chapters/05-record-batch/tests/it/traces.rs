//! The traces of the page's moving figures are what their examples write.

#[expect(dead_code, reason = "an example has a `main`")]
#[path = "../../examples/05-bytes-and-fields.rs"]
mod bytes_and_fields;

#[test]
fn the_bytes_and_fields_are_fresh() {
    figure_trace::assert_fresh(
        "record-batch",
        "05-bytes-and-fields",
        &bytes_and_fields::trace(),
    );
}
