//! Looking routes up for many calls at a time.

use std::collections::{BTreeMap, BTreeSet};

use async_model::{TimerId, Timers};
use message_model::{BrokerId, Moment};

use crate::route_cache::{Route, RouteCache, Staleness};

/// The number of a call that wants a route. The caller numbers its calls, each once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WantId(pub u64);

/// What a finder is told: by a call that needs a route, or at the end of a look-up.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<K, W, E> {
    /// A call wants to know the leader of a partition, or all routes of a key.
    Want {
        /// The call's own number, with which it can take the want back.
        id: WantId,
        /// What it wants to know about.
        key: K,
        /// The partition; `None`: all of them.
        index: Option<usize>,
        /// From this moment on the call does not wait any more.
        deadline: Moment,
        /// Comes back when the call need not wait any more; never looked into.
        waiter: W,
    },
    /// The call does not want to know any more.
    Cancel(WantId),
    /// A call took the route of a partition, and found it wrong.
    Forget {
        /// The topic or group whose route was wrong.
        key: K,
        /// The index of the partition; 0 for a group.
        index: usize,
        /// When the call took the route.
        taken: Moment,
    },
    /// The look-up is answered: per key its routes, or why there are none.
    Answered(Vec<(K, Result<Vec<Route>, E>)>),
    /// The look-up has no answer.
    Failed(E),
    /// Time has passed.
    Tick,
}

/// What the owner of the finder must do.
#[derive(Debug, PartialEq, Eq)]
pub enum Effect<K, W, E> {
    /// Look up these keys, all with one question. It ends as [`Event::Answered`] or
    /// [`Event::Failed`].
    LookUp(BTreeSet<K>),
    /// Tell the waiter how its want ended.
    End(W, Ended<E>),
}

/// How a want ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended<E> {
    /// The cache has what there is to know. Perhaps that is nothing: no leader, or no
    /// such partition.
    Known,
    /// The look-up failed, or the key's answer is an error.
    Failed(E),
    /// The deadline came first.
    DeadlinePassed,
    /// The call took it back.
    Cancelled,
}

/// Finds routes for calls. Pure: no clock, no socket, no task.
///
/// # Invariants
/// - Every waiter that is put in is returned once, whatever happens.
/// - At most one look-up is under way, and none without a want for each of its keys.
/// - What is believed is not looked up.
/// - A want that began after its route was forgotten, or waited then, never ends by an
///   answer to a question from before.
#[derive(Debug)]
pub struct Finder<K, W> {
    cache: RouteCache<K>,
    wants: BTreeMap<WantId, Waiting<K, W>>,
    /// One timer per want: `schedule(deadline, id)` makes it, `cancel(timer)` takes it
    /// out; `expire(now)` takes out those whose `deadline <= now`, and returns their ids.
    deadlines: Timers<WantId>,
    look_up: Option<LookUp<K>>,
}

/// A want that has not ended.
#[derive(Debug)]
struct Waiting<K, W> {
    key: K,
    index: Option<usize>,
    timer: TimerId,
    waiter: W,
}

/// The look-up that is under way.
#[derive(Debug)]
struct LookUp<K> {
    asked: Moment,
    keys: BTreeSet<K>,
    /// Those of the keys of which a route was forgotten after the question was sent.
    outdated: BTreeSet<K>,
}

impl<K: Ord + Clone, W> Finder<K, W> {
    /// Returns a finder that knows nothing, and will remember in `cache`.
    #[must_use]
    pub fn new(cache: RouteCache<K>) -> Finder<K, W> {
        Finder {
            cache,
            wants: BTreeMap::new(),
            deadlines: Timers::new(),
            look_up: None,
        }
    }

    /// Takes in what happened at `now` and returns what must be done, in order.
    pub fn step<E: Clone>(&mut self, now: Moment, event: Event<K, W, E>) -> Vec<Effect<K, W, E>> {
        match event {
            Event::Want {
                id,
                key,
                index,
                deadline,
                waiter,
            } => {
                let timer = self.deadlines.schedule(deadline, id);
                let waiting = Waiting {
                    key,
                    index,
                    timer,
                    waiter,
                };
                self.wants.insert(id, waiting);
                self.want(now, id)
            }
            Event::Cancel(id) => self.end(id, Ended::Cancelled).into_iter().collect(),
            Event::Forget { key, index, taken } => {
                self.forget(now, taken, &key, index);
                Vec::new()
            }
            Event::Answered(answers) => self.answered(now, answers),
            Event::Failed(error) => self.failed(now, &error),
            Event::Tick => self.tick(now),
        }
    }

    /// A want has just been put into `wants`, and its deadline into `deadlines`. First all
    /// wants whose deadline is `now` or before end, as at a tick, and this may be one of
    /// them. If it is not, it ends at once if what it wants is believed. Else it waits, and
    /// if no look-up is under way, one begins.
    fn want<E>(&mut self, now: Moment, id: WantId) -> Vec<Effect<K, W, E>> {
        // task 13.4: find the routes that many calls want, with one question at a time
        let mut effects = self.tick(now);
        let Some(waiting) = self.wants.get(&id) else {
            return effects;
        };
        if self.knows(now, waiting) {
            effects.extend(self.end(id, Ended::Known));
        } else if self.look_up.is_none() {
            effects.extend(self.look_up_what_is_wanted(now));
        }
        effects
        // end
    }

    /// A call that took the route of a partition at `taken` found it wrong. If the route
    /// was believed until now and its key is being looked up, that answer may be as old as
    /// the route. A route that was not believed any more is no news: of a thousand calls
    /// that are refused, the first one says it all.
    fn forget(&mut self, now: Moment, taken: Moment, key: &K, index: usize) {
        // task 13.4: forget a route, also for the look-up that is under way
        let was_believed = self.cache.forget(now, taken, key, index);
        if was_believed
            && let Some(look_up) = &mut self.look_up
            && look_up.keys.contains(key)
        {
            look_up.outdated.insert(key.clone());
        }
        // end
    }

    /// The look-up is over: the cache learns, and an error for a key also removes the key
    /// from the cache. Then these wants end:
    /// - each one that is believed now, whether its key was asked for or came unasked;
    /// - of the others, each one whose key was asked for and is not outdated.
    ///
    /// What is still wanted is looked up. An answer without a look-up changes nothing.
    fn answered<E: Clone>(
        &mut self,
        now: Moment,
        answers: Vec<(K, Result<Vec<Route>, E>)>,
    ) -> Vec<Effect<K, W, E>> {
        // task 13.4: end the wants that an answer serves, and no others
        let Some(look_up) = self.look_up.take() else {
            return Vec::new();
        };
        let mut errors = BTreeMap::new();
        for (key, answer) in answers {
            match answer {
                Ok(routes) => self.cache.learn(look_up.asked, key, routes),
                Err(error) => {
                    self.cache.remove(&key);
                    errors.insert(key, error);
                }
            }
        }
        let mut ended = Vec::new();
        for (id, waiting) in &self.wants {
            let was_asked = look_up.keys.contains(&waiting.key);
            let is_outdated = look_up.outdated.contains(&waiting.key);
            if self.knows(now, waiting) {
                ended.push((*id, Ended::Known));
            } else if was_asked && !is_outdated {
                let error = errors.get(&waiting.key).cloned();
                ended.push((*id, error.map_or(Ended::Known, Ended::Failed)));
            }
        }
        let mut effects = self.end_all(ended);
        effects.extend(self.look_up_what_is_wanted(now));
        effects
        // end
    }

    /// The look-up is over without an answer: each want for one of its keys ends. Then
    /// what is still wanted is looked up.
    fn failed<E: Clone>(&mut self, now: Moment, error: &E) -> Vec<Effect<K, W, E>> {
        // task 13.4: end the wants that were asked for in vain
        let Some(look_up) = self.look_up.take() else {
            return Vec::new();
        };
        let asked = self
            .wants
            .iter()
            .filter(|(_, waiting)| look_up.keys.contains(&waiting.key));
        let ended = asked
            .map(|(id, _)| (*id, Ended::Failed(error.clone())))
            .collect();
        let mut effects = self.end_all(ended);
        effects.extend(self.look_up_what_is_wanted(now));
        effects
        // end
    }

    /// Begins the look-up of all keys that are wanted; no look-up is under way. `None` if
    /// nothing is wanted.
    fn look_up_what_is_wanted<E>(&mut self, now: Moment) -> Option<Effect<K, W, E>> {
        // task 13.4: ask one question for all that wait
        let keys: BTreeSet<K> = self
            .wants
            .values()
            .map(|waiting| waiting.key.clone())
            .collect();
        if keys.is_empty() {
            return None;
        }
        self.look_up = Some(LookUp {
            asked: now,
            keys: keys.clone(),
            outdated: BTreeSet::new(),
        });
        Some(Effect::LookUp(keys))
        // end
    }

    /// Ends the wants whose deadline is `now` or before.
    fn tick<E>(&mut self, now: Moment) -> Vec<Effect<K, W, E>> {
        let overdue = self.deadlines.expire(now);
        let ended = overdue.into_iter().map(|id| (id, Ended::DeadlinePassed));
        self.end_all(ended.collect())
    }

    /// Whether what a want is for is believed, and there is something to know: a leader,
    /// or all routes.
    fn knows(&self, now: Moment, waiting: &Waiting<K, W>) -> bool {
        match waiting.index {
            Some(index) => self.cache.leader(now, &waiting.key, index).is_some(),
            None => self.cache.routes(now, &waiting.key).is_some(),
        }
    }

    fn end_all<E>(&mut self, ended: Vec<(WantId, Ended<E>)>) -> Vec<Effect<K, W, E>> {
        let ended = ended.into_iter();
        ended.filter_map(|(id, how)| self.end(id, how)).collect()
    }

    /// Takes a want out, with its timer; `None` if it has ended already.
    fn end<E>(&mut self, id: WantId, how: Ended<E>) -> Option<Effect<K, W, E>> {
        let waiting = self.wants.remove(&id)?;
        self.deadlines.cancel(waiting.timer);
        Some(Effect::End(waiting.waiter, how))
    }

    /// Returns the leader of a partition, if it is believed.
    #[must_use]
    pub fn leader(&self, now: Moment, key: &K, index: usize) -> Option<BrokerId> {
        self.cache.leader(now, key, index)
    }

    /// Returns all routes of a key, if they are believed.
    #[must_use]
    pub fn routes(&self, now: Moment, key: &K) -> Option<Vec<Route>> {
        self.cache.routes(now, key)
    }

    /// Returns how stale the routes were that were found to be wrong.
    #[must_use]
    pub fn staleness(&self) -> Staleness {
        self.cache.staleness()
    }

    /// Returns when the next want runs out of time.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Moment> {
        self.deadlines.next_deadline()
    }

    /// Returns how many wants wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.wants.len()
    }

    /// Returns whether no want waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.wants.is_empty()
    }
}
