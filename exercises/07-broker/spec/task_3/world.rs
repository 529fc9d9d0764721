//! Partitions that grow and fetches that wait for them, one step at a time.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use message_model::Offset;

use super::super::part::{Board, Condition, Waits, Woken};
use super::step::{Director, Step, at};

/// The only end here.
const END: u8 = 0;

/// Notes down which fetch is woken.
struct Bell {
    fetch: usize,
    rung: Arc<Mutex<Vec<usize>>>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        let mut rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        rung.push(self.fetch);
    }
}

struct Partition {
    end: Cell<i64>,
    /// Up to where appends have said that the end has moved.
    moved_to: Cell<i64>,
    board: Arc<Board<u8>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    NotBegun,
    /// It is being polled, and others come between.
    Inside,
    Asleep,
    Left,
}

struct Fetch {
    state: Cell<State>,
    future: RefCell<Option<Pin<Box<dyn Future<Output = Woken>>>>>,
    /// The partitions and the offsets that it waits for them to pass.
    conditions: RefCell<Vec<(usize, i64)>>,
    deadline: Cell<u64>,
    /// It was woken, and not polled since.
    is_rung: Cell<bool>,
    outcome: Cell<Option<Woken>>,
}

pub(super) struct World {
    waits: Arc<Waits>,
    partitions: Vec<Partition>,
    fetches: Vec<Fetch>,
    /// Of each append: the partition, and the end after it.
    appends: RefCell<Vec<Option<(usize, i64)>>>,
    now: Cell<u64>,
    is_stopped: Cell<bool>,
    rung: Arc<Mutex<Vec<usize>>>,
    /// The fetches that are being polled, the innermost last.
    inside: RefCell<Vec<usize>>,
    /// What has happened, if that is wanted.
    trace: Option<RefCell<Vec<String>>>,
    /// What was wrong first: what must hold, and what was seen.
    problem: RefCell<Option<(String, String)>>,
    director: Option<Rc<dyn Director>>,
}

impl World {
    /// Nothing waits yet. With a `director`, steps come between those of a fetch.
    /// It remembers what happens if it is `traced`: that takes most of its time.
    pub(super) fn new(
        (partitions, fetches, appends): (usize, usize, usize),
        director: Option<Rc<dyn Director>>,
        traced: bool,
    ) -> Rc<World> {
        let partition = || Partition {
            end: Cell::new(0),
            moved_to: Cell::new(0),
            board: Arc::new(Board::new()),
        };
        let fetch = || Fetch {
            state: Cell::new(State::NotBegun),
            future: RefCell::new(None),
            conditions: RefCell::default(),
            deadline: Cell::new(0),
            is_rung: Cell::new(false),
            outcome: Cell::new(None),
        };
        Rc::new(World {
            waits: Arc::new(Waits::new(|_| {})),
            partitions: std::iter::repeat_with(partition).take(partitions).collect(),
            fetches: std::iter::repeat_with(fetch).take(fetches).collect(),
            appends: RefCell::new(vec![None; appends]),
            now: Cell::new(0),
            is_stopped: Cell::new(false),
            rung: Arc::default(),
            inside: RefCell::default(),
            trace: traced.then(RefCell::default),
            problem: RefCell::new(None),
            director,
        })
    }

    /// Whether `step` can be taken now.
    pub(super) fn is_possible(&self, step: &Step) -> bool {
        match step {
            Step::Begin(fetch, ..) => self.fetches[*fetch].state.get() == State::NotBegun,
            Step::Go(fetch) => match self.fetches[*fetch].state.get() {
                State::Inside => self.inside.borrow().last() == Some(fetch),
                State::Asleep => self.fetches[*fetch].is_rung.get(),
                State::NotBegun | State::Left => false,
            },
            Step::Drop(fetch) => self.fetches[*fetch].state.get() == State::Asleep,
            Step::Grow(append, _) => self.appends.borrow()[*append].is_none(),
            Step::Moved(append) => self.appends.borrow()[*append].is_some_and(|(_, end)| end > 0),
            Step::Expire(now) => *now > self.now.get(),
            Step::Stop => !self.is_stopped.get(),
        }
    }

    /// Takes a step that is possible. Returns the fetches that it has woken, in order.
    pub(super) fn take(self: &Rc<World>, step: &Step) -> Vec<usize> {
        match step {
            Step::Begin(fetch, conditions, deadline) => self.begin(*fetch, conditions, *deadline),
            Step::Go(fetch) => self.poll(*fetch),
            Step::Drop(fetch) => {
                self.say(|| format!("the client of fetch {fetch} is gone"));
                self.fetches[*fetch].state.set(State::Left);
                let future = self.fetches[*fetch].future.take();
                drop(future);
            }
            Step::Grow(append, partition) => {
                let end = self.partitions[*partition].end.get() + 1;
                self.partitions[*partition].end.set(end);
                self.appends.borrow_mut()[*append] = Some((*partition, end));
                self.say(|| format!("an append writes: t-{partition} ends at {end}"));
            }
            Step::Moved(append) => self.moved(*append),
            Step::Expire(now) => {
                self.now.set(*now);
                self.say(|| format!("expire({now} ms)"));
                let _ = self.waits.expire(at(*now));
            }
            Step::Stop => {
                self.say(|| "stop()".to_owned());
                self.is_stopped.set(true);
                self.waits.stop();
            }
        }
        self.see_who_is_woken()
    }

    fn begin(self: &Rc<World>, fetch: usize, wanted: &[(usize, i64)], deadline: u64) {
        let end = |partition: usize| self.partitions[partition].end.get();
        let absolute = wanted.iter().map(|(one, ahead)| (*one, end(*one) + ahead));
        let conditions: Vec<(usize, i64)> = absolute.collect();
        let each = conditions
            .iter()
            .map(|(one, offset)| format!("t-{one} > {offset}"));
        let mut each = each.collect::<Vec<_>>().join(", ");
        if each.is_empty() {
            each.push_str("no partition, and");
        }
        self.say(|| format!("fetch {fetch} looks, and will wait for {each} until {deadline} ms"));
        let one = &self.fetches[fetch];
        *one.conditions.borrow_mut() = conditions.clone();
        one.deadline.set(deadline);
        let waits = Arc::clone(&self.waits);
        let (world, again) = (Rc::clone(self), Rc::clone(self));
        let conditions = conditions.into_iter().map(move |(partition, offset)| {
            world.pause(fetch);
            world.say(|| format!("fetch {fetch} takes the condition on t-{partition}"));
            Condition {
                board: Arc::clone(&world.partitions[partition].board),
                end: END,
                offset: Offset(offset),
            }
        });
        let still_needed = move || again.look_again(fetch);
        let future = async move {
            let wait = waits.any_passes(at(deadline), conditions, still_needed);
            wait.await
        };
        *one.future.borrow_mut() = Some(Box::pin(future));
        self.poll(fetch);
    }

    fn look_again(self: &Rc<World>, fetch: usize) -> bool {
        self.pause(fetch);
        let needed = !self.one_has_passed(fetch);
        let found = if needed {
            "nothing new"
        } else {
            "something new"
        };
        self.say(|| format!("fetch {fetch} looks again, and finds {found}"));
        self.pause(fetch);
        needed
    }

    fn one_has_passed(&self, fetch: usize) -> bool {
        let conditions = self.fetches[fetch].conditions.borrow();
        let mut each = conditions.iter();
        each.any(|(partition, offset)| self.partitions[*partition].end.get() > *offset)
    }

    /// Others may come between here.
    fn pause(self: &Rc<World>, fetch: usize) {
        let Some(director) = &self.director else {
            return;
        };
        while let Some(step) = director.next(self) {
            if step == Step::Go(fetch) {
                return;
            }
            self.take(&step);
        }
    }

    fn poll(self: &Rc<World>, fetch: usize) {
        let one = &self.fetches[fetch];
        let Some(mut future) = one.future.take() else {
            return;
        };
        let was_rung = one.is_rung.replace(false);
        one.state.set(State::Inside);
        self.inside.borrow_mut().push(fetch);
        let rung = Arc::clone(&self.rung);
        let waker = Waker::from(Arc::new(Bell { fetch, rung }));
        let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
        self.inside.borrow_mut().pop();
        if let Poll::Ready(woken) = polled {
            self.say(|| format!("fetch {fetch} returns {woken:?}"));
            one.state.set(State::Left);
            one.outcome.set(Some(woken));
            self.check_reason(fetch, woken);
        } else {
            self.say(|| format!("fetch {fetch} sleeps"));
            one.state.set(State::Asleep);
            *one.future.borrow_mut() = Some(future);
            if was_rung {
                let seen = format!("fetch {fetch} sleeps on");
                self.wrong("a fetch that was woken returns", &seen);
            }
        }
    }

    fn check_reason(&self, fetch: usize, woken: Woken) {
        let holds = match woken {
            Woken::Moved => self.one_has_passed(fetch),
            Woken::Expired => self.fetches[fetch].deadline.get() <= self.now.get(),
            Woken::Stopped => self.is_stopped.get(),
        };
        if !holds {
            self.wrong(
                "a fetch returns Moved if one of its ends has passed its offset, Expired if its deadline is over",
                &format!("fetch {fetch} returned {woken:?}"),
            );
        }
    }

    fn moved(&self, append: usize) {
        let Some((partition, end)) = self.appends.borrow()[append] else {
            return;
        };
        self.appends.borrow_mut()[append] = Some((partition, 0));
        self.say(|| format!("that append says: t-{partition} has moved to {end}"));
        let notes =
            |(index, one): (usize, &Partition)| (index != partition).then(|| one.board.len());
        let moved_to = &self.partitions[partition].moved_to;
        moved_to.set(moved_to.get().max(end));
        let others = || self.partitions.iter().enumerate().map(notes);
        let before: Vec<_> = others().collect();
        self.partitions[partition].board.moved(&END, Offset(end));
        if !others().eq(before) {
            self.wrong(
                "an append touches notes of its own partition only",
                &format!("after t-{partition} had moved, another board's notes were fewer"),
            );
        }
    }

    /// The fetches that have been woken since the last call, in order.
    fn see_who_is_woken(&self) -> Vec<usize> {
        let mut rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        let rung = std::mem::take(&mut *rung);
        for fetch in &rung {
            let one = &self.fetches[*fetch];
            self.say(|| format!("fetch {fetch} is woken"));
            if one.state.get() == State::Left {
                self.wrong(
                    "a fetch that has left is not woken",
                    &format!("fetch {fetch} is"),
                );
            }
            if one.is_rung.replace(true) {
                self.wrong("a fetch is woken once", &format!("fetch {fetch} twice"));
            }
        }
        self.see_who_was_missed();
        rung
    }

    /// What sleeps has left its notes and looked again since: an append that has ended
    /// was found by that look, or has woken it.
    fn see_who_was_missed(&self) {
        for (fetch, one) in self.fetches.iter().enumerate() {
            let moved = |(partition, offset): &(usize, i64)| {
                self.partitions[*partition].moved_to.get() > *offset
            };
            let sleeps = one.state.get() == State::Asleep && !one.is_rung.get();
            if sleeps && one.conditions.borrow().iter().any(moved) {
                self.wrong(
                    "a fetch is woken when one of its ends has passed its offset",
                    &format!("fetch {fetch} sleeps beside a record: its wake-up was lost"),
                );
            }
        }
    }

    /// What is begun is ended: appends say that the end has moved, and all fetches leave.
    pub(super) fn finish(self: &Rc<World>) {
        let appends = self.appends.borrow().len();
        for append in 0..appends {
            if self.is_possible(&Step::Moved(append)) {
                self.take(&Step::Moved(append));
            }
        }
        for (fetch, one) in self.fetches.iter().enumerate() {
            if one.state.get() != State::Asleep {
                continue;
            }
            let rung = one.is_rung.get();
            self.take(&if rung {
                Step::Go(fetch)
            } else {
                Step::Drop(fetch)
            });
        }
        let (notes, timers) = self.left();
        if notes.iter().any(|count| *count > 0) || timers > 0 {
            self.wrong(
                "when all fetches have left, nothing of them is left: no note, no timer",
                &format!("{notes:?} notes on the boards, {timers} timers"),
            );
        }
    }

    /// How many notes there are at each partition, and how many timers.
    pub(super) fn left(&self) -> (Vec<usize>, usize) {
        let boards = self.partitions.iter().map(|one| one.board.len());
        (boards.collect(), self.waits.len())
    }

    /// What each fetch has returned.
    pub(super) fn outcomes(&self) -> Vec<Option<Woken>> {
        self.fetches.iter().map(|one| one.outcome.get()).collect()
    }

    fn say(&self, line: impl FnOnce() -> String) {
        // What comes after the mistake explains nothing.
        if let (Some(trace), None) = (&self.trace, &*self.problem.borrow()) {
            trace.borrow_mut().push(line());
        }
    }

    pub(super) fn wrong(&self, rule: &str, seen: &str) {
        let mut problem = self.problem.borrow_mut();
        problem.get_or_insert_with(|| (rule.to_owned(), seen.to_owned()));
    }

    pub(super) fn problem(&self) -> Option<(String, String)> {
        self.problem.borrow().clone()
    }

    /// What has happened, a line for each thing.
    pub(super) fn trace(&self) -> String {
        let trace = self.trace.as_ref().map(|trace| trace.borrow().clone());
        let lines = trace.into_iter().flatten().enumerate();
        let lines = lines.map(|(number, line)| format!("\n{:>3}  {line}", number + 1));
        lines.collect()
    }

    pub(super) fn is_begun(&self, fetch: usize) -> bool {
        self.fetches[fetch].state.get() != State::NotBegun
    }
}
