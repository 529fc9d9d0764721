//! Time, chance and tasks of a simulation: one thread, and no clock.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use fastrand::Rng;

/// Something that happens at a time.
type Event = Box<dyn FnOnce()>;

type Work = Pin<Box<dyn Future<Output = ()>>>;

/// What all of a simulation shares. Clones are the same simulation.
///
/// Clients are futures that only this runs. They wait for times and for answers, and both come
/// in an order that follows from the seed.
#[derive(Clone)]
pub(crate) struct Sim(Rc<Shared>);

struct Shared {
    /// Milliseconds since the start.
    now: Cell<u64>,
    /// What is to happen, by time, and at one time in the order in which it was asked for.
    events: RefCell<BTreeMap<(u64, u64), Event>>,
    last: Cell<u64>,
    random: RefCell<Rng>,
    tasks: RefCell<BTreeMap<u64, (String, Option<Work>)>>,
    woken: Arc<Woken>,
    trace: RefCell<Option<Vec<String>>>,
    steps: Cell<u64>,
}

/// The tasks that are to be polled, in order.
#[derive(Default)]
struct Woken(Mutex<VecDeque<u64>>);

struct TaskWaker {
    task: u64,
    woken: Arc<Woken>,
}

impl Woken {
    fn push(&self, task: u64) {
        let mut woken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        woken.push_back(task);
    }

    fn pop(&self) -> Option<u64> {
        let mut woken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        woken.pop_front()
    }
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.woken.push(self.task);
    }
}

impl Sim {
    /// Returns a simulation in which nothing has happened. With `traced` it keeps what it is
    /// told with [`note`](Sim::note).
    pub(crate) fn new(seed: u64, traced: bool) -> Sim {
        Sim(Rc::new(Shared {
            now: Cell::new(0),
            events: RefCell::default(),
            last: Cell::new(0),
            random: RefCell::new(Rng::with_seed(seed)),
            tasks: RefCell::default(),
            woken: Arc::default(),
            trace: RefCell::new(traced.then(Vec::new)),
            steps: Cell::new(0),
        }))
    }

    /// Returns the time, in milliseconds since the start.
    pub(crate) fn now(&self) -> u64 {
        self.0.now.get()
    }

    /// It is `now`, or later.
    pub(crate) fn advance(&self, now: u64) {
        self.0.now.set(self.now().max(now));
    }

    /// Returns a number that is higher than all before it.
    pub(crate) fn number(&self) -> u64 {
        let next = self.0.last.get() + 1;
        self.0.last.set(next);
        next
    }

    /// Returns a number of `range`, by chance.
    pub(crate) fn pick(&self, range: std::ops::Range<u64>) -> u64 {
        self.0.random.borrow_mut().u64(range)
    }

    /// Returns `true` once in `of` times.
    pub(crate) fn once_in(&self, of: u64) -> bool {
        self.pick(0..of) == 0
    }

    /// Returns another source of chance, which follows from this one.
    pub(crate) fn fork(&self) -> Rng {
        self.0.random.borrow_mut().fork()
    }

    /// Makes `event` happen at `time`.
    pub(crate) fn at(&self, time: u64, event: impl FnOnce() + 'static) {
        let key = (time.max(self.now()), self.number());
        self.0.events.borrow_mut().insert(key, Box::new(event));
    }

    /// Returns when the next event is due.
    pub(crate) fn next_event(&self) -> Option<u64> {
        let events = self.0.events.borrow();
        events.first_key_value().map(|((time, _), _)| *time)
    }

    /// Starts a task, and returns its number.
    pub(crate) fn spawn(&self, name: &str, work: impl Future<Output = ()> + 'static) -> u64 {
        let task = self.number();
        let entry = (name.to_owned(), Some(Box::pin(work) as Work));
        self.0.tasks.borrow_mut().insert(task, entry);
        self.0.woken.push(task);
        task
    }

    /// Ends a task where it is.
    pub(crate) fn kill(&self, task: u64) {
        let killed = self.0.tasks.borrow_mut().remove(&task);
        drop(killed);
    }

    /// Whether a task has not ended.
    pub(crate) fn is_alive(&self, task: u64) -> bool {
        self.0.tasks.borrow().contains_key(&task)
    }

    /// Returns the names of the tasks that have not ended.
    pub(crate) fn alive(&self) -> Vec<String> {
        let tasks = self.0.tasks.borrow();
        tasks.values().map(|(name, _)| name.clone()).collect()
    }

    /// Lets all happen that is due, and what follows from it.
    pub(crate) fn step(&self) {
        loop {
            if let Some(task) = self.0.woken.pop() {
                self.poll(task);
                continue;
            }
            let due = {
                let mut events = self.0.events.borrow_mut();
                match events.first_key_value() {
                    Some(((time, _), _)) if *time <= self.now() => events.pop_first(),
                    _ => None,
                }
            };
            match due {
                Some((_, event)) => event(),
                None => return,
            }
        }
    }

    fn poll(&self, task: u64) {
        let work = {
            let mut tasks = self.0.tasks.borrow_mut();
            tasks.get_mut(&task).and_then(|(_, work)| work.take())
        };
        let Some(mut work) = work else {
            return;
        };
        self.0.steps.set(self.0.steps.get() + 1);
        let waker = Waker::from(Arc::new(TaskWaker {
            task,
            woken: Arc::clone(&self.0.woken),
        }));
        let polled = work.as_mut().poll(&mut Context::from_waker(&waker));
        let mut tasks = self.0.tasks.borrow_mut();
        match polled {
            Poll::Ready(()) => drop(tasks.remove(&task)),
            Poll::Pending => {
                if let Some((_, place)) = tasks.get_mut(&task) {
                    *place = Some(work);
                }
            }
        }
    }

    /// Completes in so many milliseconds.
    pub(crate) async fn sleep(&self, millis: u64) {
        let until = self.now() + millis;
        let mut is_set = false;
        poll_fn(|context| {
            if is_set && self.now() >= until {
                return Poll::Ready(());
            }
            if !is_set {
                is_set = true;
                let waker = context.waker().clone();
                self.at(until, move || waker.wake());
            }
            Poll::Pending
        })
        .await;
    }

    /// Returns what `work` returns; `None` if that takes more than so many milliseconds.
    pub(crate) async fn within<T>(&self, millis: u64, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        let mut sleep = pin!(self.sleep(millis));
        poll_fn(|context| {
            if let Poll::Ready(done) = work.as_mut().poll(context) {
                return Poll::Ready(Some(done));
            }
            sleep.as_mut().poll(context).map(|()| None)
        })
        .await
    }

    /// Keeps a line of the trace, if there is one.
    pub(crate) fn note(&self, line: impl FnOnce() -> String) {
        if let Some(lines) = self.0.trace.borrow_mut().as_mut() {
            lines.push(format!("{:>8} ms  {}", self.now(), line()));
        }
    }

    /// Returns the trace so far.
    pub(crate) fn take_trace(&self) -> Vec<String> {
        let mut trace = self.0.trace.borrow_mut();
        trace.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Drops all tasks and events: they hold the simulation.
    pub(crate) fn end(&self) {
        let tasks = std::mem::take(&mut *self.0.tasks.borrow_mut());
        drop(tasks);
        let events = std::mem::take(&mut *self.0.events.borrow_mut());
        drop(events);
    }
}
