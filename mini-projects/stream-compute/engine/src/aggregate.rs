//! What becomes of the records of a window.

mod distinct;

use std::marker::PhantomData;

use crate::part::Aggregate;

pub use distinct::{Distinct, Sketch};

/// How many there are.
#[derive(Debug, Clone, Copy)]
pub struct Count;

impl<V> Aggregate<V> for Count {
    type State = u64;
    type Value = u64;

    fn empty(&self) -> u64 {
        0
    }

    fn add(&self, state: &mut u64, _: &V) {
        *state += 1;
    }

    fn merge(&self, state: &mut u64, other: u64) {
        *state += other;
    }

    fn value(&self, state: &u64) -> u64 {
        *state
    }
}

/// Two become one, again and again. The order must not matter.
#[derive(Debug, Clone, Copy)]
pub struct Reduce<F>(pub F);

impl<V: Clone, F: Fn(V, V) -> V> Aggregate<V> for Reduce<F> {
    type State = Option<V>;
    type Value = Option<V>;

    fn empty(&self) -> Option<V> {
        None
    }

    fn add(&self, state: &mut Option<V>, value: &V) {
        self.merge(state, Some(value.clone()));
    }

    fn merge(&self, state: &mut Option<V>, other: Option<V>) {
        *state = match (state.take(), other) {
            (Some(one), Some(two)) => Some((self.0)(one, two)),
            (one, two) => one.or(two),
        };
    }

    fn value(&self, state: &Option<V>) -> Option<V> {
        state.clone()
    }
}

/// The `count` greatest, the greatest first.
#[derive(Debug, Clone, Copy)]
pub struct Top<V> {
    count: usize,
    of: PhantomData<fn() -> V>,
}

impl<V> Top<V> {
    /// So many of them.
    #[must_use]
    pub fn new(count: usize) -> Top<V> {
        Top {
            count,
            of: PhantomData,
        }
    }
}

impl<V: Ord + Clone> Aggregate<V> for Top<V> {
    /// At most `count`, the greatest first.
    type State = Vec<V>;
    type Value = Vec<V>;

    fn empty(&self) -> Vec<V> {
        Vec::new()
    }

    fn add(&self, state: &mut Vec<V>, value: &V) {
        let place = state.partition_point(|other| other >= value);
        if place < self.count {
            state.insert(place, value.clone());
            state.truncate(self.count);
        }
    }

    fn merge(&self, state: &mut Vec<V>, other: Vec<V>) {
        for value in other {
            self.add(state, &value);
        }
    }

    fn value(&self, state: &Vec<V>) -> Vec<V> {
        state.clone()
    }
}
