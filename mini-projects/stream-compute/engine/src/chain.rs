//! Operators in one task: a record goes from one to the next by a function call.

use std::marker::PhantomData;

use crate::element::{Record, Step};
use crate::error::Error;
use crate::snapshot::{Opening, Snapshot};

// ANCHOR: chain
/// The operators of a task, from what comes in to what goes out.
///
/// A chain is a type, as that of iterators is: `Map<Filter<Source…>>`. So the compiler makes
/// one loop of it.
pub trait Chain: Clone + Send + 'static {
    /// What comes in.
    type In: Send + 'static;
    /// What goes out.
    type Out: Send + 'static;

    /// Takes a step; hands on what becomes of it.
    fn push(&mut self, step: Step<Self::In>, out: &mut impl FnMut(Step<Self::Out>));

    /// Called once in each subtask, before the first step: takes back the state of a checkpoint.
    ///
    /// # Errors
    /// When the state cannot be read.
    fn open(&mut self, opening: &mut Opening<'_>) -> Result<(), Error>;

    /// Notes the state as it is. Cheap: what is written is encoded later.
    fn snapshot(&self, snapshot: &mut Snapshot);
}
// ANCHOR_END: chain

/// The empty chain.
#[derive(Debug)]
pub struct Begin<T>(PhantomData<fn(T)>);

impl<T> Default for Begin<T> {
    fn default() -> Begin<T> {
        Begin(PhantomData)
    }
}

impl<T> Clone for Begin<T> {
    fn clone(&self) -> Begin<T> {
        Begin::default()
    }
}

impl<T: Send + 'static> Chain for Begin<T> {
    type In = T;
    type Out = T;

    fn push(&mut self, step: Step<T>, out: &mut impl FnMut(Step<T>)) {
        out(step);
    }

    fn open(&mut self, _: &mut Opening<'_>) -> Result<(), Error> {
        Ok(())
    }

    fn snapshot(&self, _: &mut Snapshot) {}
}

/// An operator without state behind a chain: of each record it makes any number of others.
#[derive(Debug, Clone)]
pub struct FlatMap<C, F> {
    pub(crate) before: C,
    pub(crate) make: F,
}

impl<C, F, I> Chain for FlatMap<C, F>
where
    C: Chain,
    F: FnMut(C::Out) -> I + Clone + Send + 'static,
    I: IntoIterator<Item: Send + 'static>,
{
    type In = C::In;
    type Out = I::Item;

    fn push(&mut self, step: Step<C::In>, out: &mut impl FnMut(Step<I::Item>)) {
        let make = &mut self.make;
        self.before.push(step, &mut |step| match step {
            Step::Record(Record { time, value }) => {
                for value in make(value) {
                    out(Step::Record(Record { time, value }));
                }
            }
            Step::Signal(signal) => out(Step::Signal(signal)),
        });
    }

    fn open(&mut self, opening: &mut Opening<'_>) -> Result<(), Error> {
        self.before.open(opening)
    }

    fn snapshot(&self, snapshot: &mut Snapshot) {
        self.before.snapshot(snapshot);
    }
}
