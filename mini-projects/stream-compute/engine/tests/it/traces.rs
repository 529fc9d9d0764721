//! The traces of the pages' moving figures are what their examples write.

#[expect(dead_code, reason = "an example has a `main`")]
#[path = "../../examples/p1-barriers.rs"]
mod barriers;
#[expect(dead_code, reason = "an example has a `main`")]
#[path = "../../examples/p1-slow-partition.rs"]
mod slow_partition;
#[expect(dead_code, reason = "an example has a `main`")]
#[path = "../../examples/p1-two-phases/main.rs"]
mod two_phases;

#[test]
fn the_barriers_are_fresh() {
    figure_trace::assert_fresh("stream-engine", "p1-barriers", &barriers::trace());
}

#[test]
fn the_slow_partition_is_fresh() {
    let trace = slow_partition::trace();
    figure_trace::assert_fresh("stream-engine", "p1-slow-partition", &trace);
}

#[test]
fn the_two_phases_are_fresh() {
    figure_trace::assert_fresh("stream-engine", "p1-two-phases", &two_phases::trace());
}
