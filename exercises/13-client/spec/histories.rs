//! All short histories of a finder, beside a model that keeps lists.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use message_model::BrokerId;
use spec_harness::fail;

use super::at;
use super::part::{Effect, Ended, Event, Finder, Route, RouteCache, WantId};

/// How many events a history has behind its prefix.
const LENGTH: u32 = 4;
/// Each want waits for so long, in milliseconds; each event but one takes one.
const PATIENCE: u64 = 100;

/// What can happen.
#[derive(Debug, Clone, Copy)]
enum Happens {
    /// A new call wants the leader of a partition.
    Want(char, usize),
    /// A call that took the route of a partition just now found it wrong.
    Forget(char, usize),
    /// The look-up brings routes for each of its keys.
    Answer,
    /// It brings an error for each of its keys.
    Errors,
    /// It brings nothing.
    Fails,
    /// The oldest call that waits takes its want back.
    Cancel,
    /// So much time passes that all calls are overdue.
    Late,
}

use Happens::{Answer, Cancel, Errors, Fails, Forget, Late, Want};

/// The topic a has two partitions, b has one.
const ALL: [Happens; 10] = [
    Want('a', 0),
    Want('a', 1),
    Want('b', 0),
    Forget('a', 0),
    Forget('a', 1),
    Answer,
    Errors,
    Fails,
    Cancel,
    Late,
];

/// What has happened before: nothing; a is known; one route of it is wrong, and wanted.
const PREFIXES: [&[Happens]; 3] = [
    &[],
    &[Want('a', 0), Answer],
    &[Want('a', 0), Answer, Forget('a', 1), Want('a', 1)],
];

/// How a call ended, without its error.
type End = (u64, &'static str);

/// What a step does: how calls end, by number, and what is looked up.
type Step = (BTreeSet<End>, Option<BTreeSet<char>>);

/// A partition: its topic and its index.
type Place = (char, usize);

/// The rules, with lists instead of maps and timers.
#[derive(Default)]
struct Model {
    /// Per partition when the question was sent that was answered last, and when the route
    /// was forgotten since.
    routes: BTreeMap<Place, (u64, Option<u64>)>,
    /// Calls that wait.
    wants: Vec<(u64, Place)>,
    /// When the question was sent, its keys, and those of them that are outdated.
    look_up: Option<(u64, BTreeSet<char>, BTreeSet<char>)>,
    begun: u64,
}

impl Model {
    fn believes(&self, place: Place) -> bool {
        let route = self.routes.get(&place);
        route.is_some_and(|(_, forgotten)| forgotten.is_none())
    }

    fn step(&mut self, now: u64, happens: Happens) -> Step {
        let mut ends = BTreeSet::new();
        match happens {
            Want(key, index) => {
                self.begun += 1;
                if self.believes((key, index)) {
                    ends.insert((self.begun, "known"));
                } else {
                    self.wants.push((self.begun, (key, index)));
                }
            }
            Forget(key, index) => self.forget(now, (key, index)),
            Answer | Errors => ends = self.answered(matches!(happens, Answer)),
            Fails => {
                let keys = self.look_up.take().unwrap_or_default().1;
                for (id, _) in self.wants.extract_if(.., |want| keys.contains(&want.1.0)) {
                    ends.insert((id, "failed"));
                }
            }
            Cancel if !self.wants.is_empty() => {
                ends.insert((self.wants.remove(0).0, "cancelled"));
            }
            Cancel => {}
            Late => ends.extend(self.wants.drain(..).map(|(id, _)| (id, "deadline"))),
        }
        let is_over = self.look_up.is_none() && !self.wants.is_empty();
        let next = is_over.then(|| self.wants.iter().map(|want| want.1.0).collect());
        if let Some(keys) = &next {
            self.look_up = Some((now, BTreeSet::clone(keys), BTreeSet::new()));
        }
        (ends, next)
    }

    fn forget(&mut self, now: u64, place: Place) {
        if !self.believes(place) {
            return;
        }
        if let Some((_, forgotten)) = self.routes.get_mut(&place) {
            *forgotten = Some(now);
        }
        if let Some((_, keys, outdated)) = &mut self.look_up
            && keys.contains(&place.0)
        {
            outdated.insert(place.0);
        }
    }

    fn answered(&mut self, is_route: bool) -> BTreeSet<End> {
        let Some((asked, keys, outdated)) = self.look_up.take() else {
            return BTreeSet::new();
        };
        for place in [('a', 0), ('a', 1), ('b', 0)] {
            if !keys.contains(&place.0) {
                continue;
            }
            let known = self.routes.remove(&place);
            let kept = known.filter(|(_, forgotten)| forgotten.is_some_and(|at| at > asked));
            if is_route {
                self.routes.insert(place, kept.unwrap_or((asked, None)));
            }
        }
        let (mut ends, mut waits) = (BTreeSet::new(), Vec::new());
        for (id, place) in std::mem::take(&mut self.wants) {
            if keys.contains(&place.0) && self.believes(place) {
                ends.insert((id, "known"));
            } else if keys.contains(&place.0) && !outdated.contains(&place.0) {
                ends.insert((id, if is_route { "known" } else { "failed" }));
            } else {
                waits.push((id, place));
            }
        }
        self.wants = waits;
        ends
    }
}

/// Holds the part to the model in every history.
pub(crate) fn expect_every_history() {
    for prefix in PREFIXES {
        for number in 0..ALL.len().pow(LENGTH) {
            let mut rest = number;
            let mut history = prefix.to_vec();
            for _ in 0..LENGTH {
                history.push(ALL[rest % ALL.len()]);
                rest /= ALL.len();
            }
            expect_history(&history);
        }
    }
}

fn expect_history(history: &[Happens]) {
    let mut finder: Finder<char, u64> = Finder::new(RouteCache::new(Duration::from_secs(600)));
    let mut model = Model::default();
    let mut now = 0;
    for (number, happens) in history.iter().enumerate() {
        now += if matches!(happens, Late) { PATIENCE } else { 1 };
        let event = event(&model, *happens, now);
        let step = step_of(finder.step(at(now), event));
        let expected = model.step(now, *happens);
        if step != expected {
            fail(
                &format!("the last step of {:?}", &history[..=number]),
                &shown(&expected),
                &shown(&step),
            );
        }
        if finder.len() != model.wants.len() {
            fail(
                &format!("calls that wait after {:?}", &history[..=number]),
                &model.wants.len().to_string(),
                &finder.len().to_string(),
            );
        }
    }
}

fn event(model: &Model, happens: Happens, now: u64) -> Event<char, u64, ()> {
    let route = Route {
        leader: Some(BrokerId(1)),
        epoch: None,
    };
    let keys = model.look_up.clone().unwrap_or_default().1.into_iter();
    let routes = |key| vec![route; if key == 'a' { 2 } else { 1 }];
    match happens {
        Want(key, index) => Event::Want {
            id: WantId(model.begun + 1),
            key,
            index: Some(index),
            deadline: at(now + PATIENCE),
            waiter: model.begun + 1,
        },
        Forget(key, index) => Event::Forget {
            key,
            index,
            taken: at(now),
        },
        Answer => Event::Answered(keys.map(|key| (key, Ok(routes(key)))).collect()),
        Errors => Event::Answered(keys.map(|key| (key, Err(()))).collect()),
        Fails => Event::Failed(()),
        Cancel => Event::Cancel(WantId(model.wants.first().map_or(0, |want| want.0))),
        Late => Event::Tick,
    }
}

fn step_of(effects: Vec<Effect<char, u64, ()>>) -> Step {
    let mut ends = BTreeSet::new();
    let mut look_up = None;
    for effect in effects {
        match effect {
            Effect::End(id, ended) => {
                let is_first = ends.insert((id, name(&ended)));
                if !is_first {
                    fail("a call", "one end", "the same end twice");
                }
            }
            Effect::LookUp(keys) if look_up.is_none() => look_up = Some(keys),
            Effect::LookUp(_) => fail("a step", "one look-up at most", "two"),
        }
    }
    (ends, look_up)
}

fn name(ended: &Ended<()>) -> &'static str {
    match ended {
        Ended::Known => "known",
        Ended::Failed(()) => "failed",
        Ended::DeadlinePassed => "deadline",
        Ended::Cancelled => "cancelled",
    }
}

fn shown((ends, look_up): &Step) -> String {
    format!("ends {ends:?}, look-up {look_up:?}")
}
