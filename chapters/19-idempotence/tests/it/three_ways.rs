//! The three ways of the experiment have the right balance whatever happens, and the others
//! have not.

#[expect(dead_code, reason = "an example has a `main`")]
#[path = "../../examples/19-three-ways.rs"]
mod example;

pub(crate) use example::sqlite;
use example::ways::WAYS;
use example::{TROUBLES, balances};

/// With which balances a way ends: come again, crash, two at once, another one at once.
fn ends(name: &str) -> [Vec<i64>; 4] {
    let way = WAYS.iter().find(|way| way.name == name).unwrap();
    TROUBLES.map(|trouble| balances(way, trouble).unwrap().into_iter().collect())
}

#[test]
fn a_unique_key() {
    let right = [vec![1100], vec![1100], vec![1100], vec![1300]];
    assert_eq!(ends("unique key"), right);
}

#[test]
fn record_and_check_in_one_transaction() {
    let right = [vec![1100], vec![1100], vec![1100], vec![1300]];
    assert_eq!(ends("one transaction"), right);
}

/// No deposit has two effects, but one of two that were made for the same version has none.
#[test]
fn a_version() {
    let [again, crash, same, other] = ends("version");
    assert_eq!([again, crash, same], [[1100]; 3]);
    assert_eq!(other, [1100, 1200]);
}

#[test]
fn check_then_act_is_no_way() {
    let [again, crash, same, other] = ends("check, act, note");
    // As long as nothing happens it works.
    assert_eq!((again, other), (vec![1100], vec![1300]));
    assert_eq!([crash, same], [[1100, 1200]; 2]);
}

#[test]
fn noted_before_the_effect_it_may_have_none() {
    let [again, crash, same, other] = ends("note, act");
    assert_eq!((again, same, other), (vec![1100], vec![1100], vec![1300]));
    assert_eq!(crash, [1000, 1100]);
}

#[test]
fn without_any_care_what_comes_twice_counts_twice() {
    let [again, crash, same, other] = ends("no care");
    assert_eq!((again, same, other), (vec![1200], vec![1200], vec![1300]));
    assert_eq!(crash, [1100, 1200]);
}
