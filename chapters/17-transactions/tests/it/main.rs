//! Transactional messages through the public API, against a broker in this process.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod keeper;
mod order_and_cart;
mod process;
mod traces;

#[expect(dead_code, reason = "an example has a `main`, and prints its rows")]
#[path = "../../examples/17-compare.rs"]
mod compare;

/// The designs with a way to recover bring both sides together, whatever dies where.
#[test]
fn every_design_but_the_naive_one_agrees_in_the_end() {
    let rows = compare::rows();
    let agrees = |row: &&compare::Row| matches!(row.end, "both" | "neither");
    let differs: Vec<_> = rows.iter().filter(|row| !agrees(row)).collect();
    assert_eq!(differs.len(), 1, "{differs:?}");
    assert_eq!(differs[0].design, "commit, then send");
    let is_twice = |row: &&compare::Row| row.copies == 2;
    let twice: Vec<_> = rows.iter().filter(is_twice).map(|row| row.step).collect();
    assert_eq!(twice, ["delete the row", "write the op record"]);
    let locks = rows.iter().filter(|row| !row.held.is_empty());
    let mut locks = locks.map(|row| row.design);
    assert!(locks.all(|design| design.starts_with("2PC") || design.starts_with("TCC")));
}
