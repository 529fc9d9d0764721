//! The traces of the page's moving figures are what their examples write.

#[expect(dead_code, reason = "an example has a `main`")]
#[path = "../../examples/06-surviving-sectors.rs"]
mod surviving_sectors;

#[test]
fn the_surviving_sectors_are_fresh() {
    figure_trace::assert_fresh(
        "log-storage",
        "06-surviving-sectors",
        &surviving_sectors::trace(),
    );
}
