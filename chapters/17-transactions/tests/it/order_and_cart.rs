//! The experiment of the page: whatever dies, both databases agree in the end.

#[expect(dead_code, reason = "an example has a `main`, and prints its rows")]
#[path = "../../examples/17-order-and-cart.rs"]
pub(crate) mod example;

use example::shop::Orders;
use transactions::Decision;

#[tokio::test]
async fn both_sides_agree_whatever_dies() {
    let rows = example::rows(None).await.unwrap();
    assert_eq!(rows.len(), 10);
    for row in &rows {
        assert_eq!(row.orders, row.taken, "{row:?}");
    }
    let ordered: Vec<_> = rows.iter().map(|row| row.orders).collect();
    assert_eq!(ordered, [1, 0, 0, 0, 1, 1, 1, 1, 0, 0]);
    let copies: Vec<_> = rows.iter().map(|row| row.copies).collect();
    assert_eq!(copies, [1, 0, 0, 0, 1, 1, 2, 1, 0, 0]);
    let asked: Vec<_> = rows.iter().filter(|row| row.was_asked).collect();
    assert_eq!(asked.len(), 4, "{asked:?}");
}

/// The producer that sent the half message is slow, and another one has answered for it.
#[test]
fn after_a_check_has_found_nothing_the_local_transaction_cannot_be_committed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("orders.db");
    let (mut slow, mut other) = (Orders::open(&path).unwrap(), Orders::open(&path).unwrap());
    assert_eq!(other.decide("order-7").unwrap(), Decision::RollBack);
    assert!(slow.begin("order-7", "ann", "tea").is_err());
    assert_eq!(other.count().unwrap(), 0);
    // Of an order that was in time, every check hears the same.
    let local = slow.begin("order-8", "ann", "tea").unwrap();
    assert_eq!(local.commit().unwrap(), Decision::Commit);
    assert_eq!(other.decide("order-8").unwrap(), Decision::Commit);
}
