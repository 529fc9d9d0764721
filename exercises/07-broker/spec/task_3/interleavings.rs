//! Every order in which the steps of a few fetches and appends can come.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use spec_harness::fail;

use super::step::{Director, Step};
use super::world::World;

/// What happens, in whatever order.
pub(super) struct Scenario {
    /// The partitions that each fetch waits for.
    pub(super) fetches: Vec<Vec<usize>>,
    /// The partition of each append.
    pub(super) appends: Vec<usize>,
    /// Whether the deadlines pass.
    pub(super) expires: bool,
    /// Whether the clients of fetches vanish.
    pub(super) vanishes: bool,
    /// Whether others come between the steps of a fetch (before each condition that it
    /// takes, before its second look and behind it), and between those of an append.
    pub(super) between: bool,
}

const PARTITIONS: usize = 2;

/// The deadline of a fetch, in milliseconds.
fn deadline(fetch: usize) -> u64 {
    10 * (fetch as u64 + 1)
}

impl Scenario {
    /// The steps of which each can come next.
    fn possible(&self, world: &World) -> Vec<Step> {
        let mut steps = Vec::new();
        for (fetch, partitions) in self.fetches.iter().enumerate() {
            if !world.is_begun(fetch) {
                // They are numbered in the order in which they begin.
                let conditions = partitions.iter().map(|one| (*one, 0)).collect();
                steps.push(Step::Begin(fetch, conditions, deadline(fetch)));
                break;
            }
            steps.push(Step::Go(fetch));
            if self.vanishes {
                steps.push(Step::Drop(fetch));
            }
        }
        for (append, partition) in self.appends.iter().enumerate() {
            if self.between {
                steps.push(Step::Moved(append));
            }
            let earlier = |other: &usize| self.appends[*other] == *partition;
            let mut earlier = (0..append).filter(earlier);
            // Appends to one partition are numbered in the order in which they write.
            if earlier.all(|other| !world.is_possible(&Step::Grow(other, *partition))) {
                steps.push(Step::Grow(append, *partition));
            }
        }
        if self.expires {
            let mut deadlines = (0..self.fetches.len()).map(|fetch| Step::Expire(deadline(fetch)));
            steps.extend(deadlines.find(|step| world.is_possible(step)));
        }
        steps.retain(|step| world.is_possible(step));
        steps
    }
}

/// Goes through all choices, run by run.
#[derive(Default)]
struct Choices {
    /// Of each choice of this run: which one, of how many.
    path: Vec<(usize, usize)>,
    made: usize,
}

impl Choices {
    fn choose(&mut self, count: usize) -> usize {
        if self.made == self.path.len() {
            self.path.push((0, count));
        }
        self.made += 1;
        self.path[self.made - 1].0
    }

    /// Whether there is another run.
    fn advance(&mut self) -> bool {
        self.made = 0;
        while let Some((chosen, count)) = self.path.pop() {
            if chosen + 1 < count {
                self.path.push((chosen + 1, count));
                return true;
            }
        }
        false
    }
}

/// Chooses the next step, up to a number of them.
struct Explorer {
    scenario: Rc<Scenario>,
    choices: Rc<RefCell<Choices>>,
    left: Cell<usize>,
}

impl Director for Explorer {
    fn next(&self, world: &World) -> Option<Step> {
        let mut possible = self.scenario.possible(world);
        // A wait that wakes itself whenever it is polled would go on for ever.
        let is_over = self.left.get() == 0 || world.problem().is_some();
        if is_over || possible.is_empty() {
            return None;
        }
        self.left.set(self.left.get() - 1);
        let chosen = self.choices.borrow_mut().choose(possible.len());
        Some(possible.swap_remove(chosen))
    }
}

/// Every history of at most `length` steps, until one is wrong.
fn explore(scenario: &Rc<Scenario>, length: usize, traced: bool) -> Result<(), Rc<World>> {
    let choices = Rc::new(RefCell::new(Choices::default()));
    loop {
        let explorer: Rc<dyn Director> = Rc::new(Explorer {
            scenario: Rc::clone(scenario),
            choices: Rc::clone(&choices),
            left: Cell::new(length),
        });
        let inside = scenario.between.then(|| Rc::clone(&explorer));
        let sizes = (PARTITIONS, scenario.fetches.len(), scenario.appends.len());
        let world = World::new(sizes, inside, traced);
        while let Some(step) = explorer.next(&world) {
            world.take(&step);
            if let (Step::Grow(append, _), false) = (&step, scenario.between) {
                world.take(&Step::Moved(*append));
            }
        }
        world.finish();
        if world.problem().is_some() {
            return Err(world);
        }
        if !choices.borrow_mut().advance() {
            return Ok(());
        }
    }
}

/// Takes every order of the scenario's steps. Fails with the shortest history that is
/// wrong.
pub(super) fn every_order(scenario: Scenario) {
    let scenario = Rc::new(scenario);
    if explore(&scenario, usize::MAX, false).is_ok() {
        return;
    }
    let lengths = (1..20).chain([usize::MAX]);
    let mut wrong = lengths.filter_map(|length| explore(&scenario, length, true).err());
    let world = wrong.next().expect("what was wrong once is wrong again");
    let (rule, seen) = world.problem().unwrap_or_default();
    fail(&format!("a history:{}", world.trace()), &rule, &seen)
}
