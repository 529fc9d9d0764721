//! The traces of the page's moving figures are what their examples write.

#[expect(dead_code, reason = "an example has a `main`")]
#[path = "../../examples/20-markers.rs"]
mod markers;
#[expect(dead_code, reason = "an example has a `main`")]
#[expect(clippy::duplicate_mod, reason = "two examples run the same machine")]
#[path = "../../examples/20-zombie.rs"]
mod zombie;

#[test]
fn the_markers_are_fresh() {
    figure_trace::assert_fresh("exactly-once", "20-markers", &markers::trace());
}

#[test]
fn the_zombie_is_fresh() {
    figure_trace::assert_fresh("exactly-once", "20-zombie", &zombie::trace());
}
