//! What a client remembers about leaders.

use std::collections::BTreeMap;
use std::time::Duration;

use message_model::{BrokerId, LeaderEpoch, Moment};

/// Which broker leads a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// The leader; `None`: there is none at the moment.
    pub leader: Option<BrokerId>,
    /// How often the leader had changed; `None`: the answer does not say.
    pub epoch: Option<LeaderEpoch>,
}

/// How stale routes were when they were found to be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Staleness {
    /// How many routes were forgotten while they were believed.
    pub found: u64,
    /// The age of the oldest of them. A route's age is the time since it was asked for.
    pub age_max: Duration,
    /// The sum of their ages, for the mean.
    pub age_sum: Duration,
}

/// The routes of topics, as brokers described them. Pure: the time is passed in.
///
/// A key is what is asked about, such as a topic; it has one route per partition.
/// Answers come from brokers that may be behind, and in any order.
///
/// # Invariants
/// - A route is believed for less than `max_age` after it was asked for.
/// - Among routes that are believed, an older leader never replaces a newer one.
/// - A route that was forgotten comes back only with news: by an answer that was asked
///   for at that time or later, or by a higher epoch.
#[derive(Debug)]
pub struct RouteCache<K> {
    max_age: Duration,
    keys: BTreeMap<K, Vec<Known>>,
    staleness: Staleness,
}

/// A route, and how it came here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Known {
    route: Route,
    /// When the question was sent that the route answers.
    asked: Moment,
    /// When the route was found to be wrong.
    forgotten: Option<Moment>,
}

impl<K: Ord> RouteCache<K> {
    /// Returns an empty cache, whose routes are believed for less than `max_age`.
    #[must_use]
    pub fn new(max_age: Duration) -> RouteCache<K> {
        RouteCache {
            max_age,
            keys: BTreeMap::new(),
            staleness: Staleness::default(),
        }
    }

    /// Takes in the routes of all partitions of `key`, by index, that answer a question
    /// sent at `asked`.
    ///
    /// Partitions that the answer does not have are dropped. For each of the others the
    /// known route gives way to the one in the answer in these cases only:
    /// - it was asked for `max_age` or more before `asked`, so it says nothing any more
    ///   (a topic that was deleted and created again begins at epoch 0);
    /// - both have an epoch, and that in the answer is higher;
    /// - the epochs are equal, or one is missing; the answer was asked for no earlier
    ///   than the known route, and no earlier than that was forgotten.
    ///
    /// A route that stays is as old as it was, and stays forgotten if it was.
    pub fn learn(&mut self, asked: Moment, key: K, routes: Vec<Route>) {
        // task 13.1: let each route give way to news, and to nothing else
        let known = self.keys.entry(key).or_default();
        known.truncate(routes.len());
        for (index, route) in routes.into_iter().enumerate() {
            let new = Known {
                route,
                asked,
                forgotten: None,
            };
            let Some(old) = known.get_mut(index) else {
                known.push(new);
                continue;
            };
            let is_over = asked.since(old.asked) >= self.max_age;
            let is_later = asked >= old.asked && old.forgotten.is_none_or(|at| asked >= at);
            let is_news = match (route.epoch, old.route.epoch) {
                (Some(new), Some(old)) if new != old => new > old,
                _ => is_later,
            };
            if is_over || is_news {
                *old = new;
            }
        }
        // end
    }

    /// Drops everything about `key`: it does not exist.
    pub fn remove(&mut self, key: &K) {
        self.keys.remove(key);
    }

    /// Returns the leader of a partition, if a believed route has one.
    #[must_use]
    pub fn leader(&self, now: Moment, key: &K, index: usize) -> Option<BrokerId> {
        let known = self.keys.get(key)?.get(index)?;
        self.is_believed(now, known)
            .then_some(known.route.leader)
            .flatten()
    }

    /// Returns the routes of all partitions of `key`, if every one of them is believed.
    #[must_use]
    pub fn routes(&self, now: Moment, key: &K) -> Option<Vec<Route>> {
        let known = self.keys.get(key)?;
        let is_whole = known.iter().all(|known| self.is_believed(now, known));
        is_whole.then(|| known.iter().map(|known| known.route).collect())
    }

    /// Stops to believe the route of a partition, which a call took at `taken` and found
    /// wrong. Returns whether the route was believed until now: a call that took a route
    /// before the known one was asked for has found another one wrong.
    pub fn forget(&mut self, now: Moment, taken: Moment, key: &K, index: usize) -> bool {
        let max_age = self.max_age;
        let known = self
            .keys
            .get_mut(key)
            .and_then(|known| known.get_mut(index));
        let Some(known) = known else {
            return false;
        };
        let age = now.since(known.asked);
        if known.forgotten.is_some() || age >= max_age || known.asked > taken {
            return false;
        }
        known.forgotten = Some(now);
        self.staleness.found += 1;
        self.staleness.age_max = self.staleness.age_max.max(age);
        self.staleness.age_sum += age;
        true
    }

    /// Returns how stale the routes were that were forgotten so far.
    #[must_use]
    pub fn staleness(&self) -> Staleness {
        self.staleness
    }

    fn is_believed(&self, now: Moment, known: &Known) -> bool {
        known.forgotten.is_none() && now.since(known.asked) < self.max_age
    }
}
