//! Routes under staleness.

use std::time::Duration;

use message_model::{BrokerId, LeaderEpoch};
use spec_harness::{case, expect_eq};

use super::at;
use super::part::{Route, RouteCache, Staleness};

/// Routes are believed for less than a second here.
fn cache() -> RouteCache<&'static str> {
    RouteCache::new(Duration::from_secs(1))
}

fn route(leader: i32, epoch: i32) -> Route {
    Route {
        leader: Some(BrokerId(leader)),
        epoch: Some(LeaderEpoch(epoch)),
    }
}

/// From a broker that does not say how often leaders have changed.
fn without_epoch(leader: i32) -> Route {
    Route {
        leader: Some(BrokerId(leader)),
        epoch: None,
    }
}

fn leaders(cache: &RouteCache<&'static str>, millis: u64) -> Vec<Option<i32>> {
    let leader = |index| cache.leader(at(millis), &"logs", index);
    (0..3).map(|index| leader(index).map(|id| id.0)).collect()
}

#[test]
fn what_is_learnt_is_known() {
    case!(
        "Each partition of a topic has the leader that the answer names, in the order of the answer.",
        || {
            let mut cache = cache();
            cache.learn(at(10), "logs", vec![route(1, 0), route(2, 0)]);
            expect_eq(
                "leaders of logs",
                leaders(&cache, 20),
                vec![Some(1), Some(2), None],
            );
            expect_eq(
                "leader of another topic",
                cache.leader(at(20), &"rows", 0),
                None,
            );
        }
    );
}

#[test]
fn a_route_is_as_old_as_its_question() {
    case!(
        "A route is believed for less than a second after the question was sent: the answer may have been true only then.",
        || {
            let mut cache = cache();
            cache.learn(at(10), "logs", vec![route(1, 0)]);
            expect_eq("at 1009 ms", leaders(&cache, 1_009)[0], Some(1));
            expect_eq("at 1010 ms", leaders(&cache, 1_010)[0], None);
            cache.learn(at(600), "logs", vec![route(1, 0)]);
            expect_eq(
                "at 1599 ms, after the same answer to a question at 600 ms",
                leaders(&cache, 1_599)[0],
                Some(1),
            );
        }
    );
}

#[test]
fn a_newer_answer_replaces_an_older_one() {
    case!(
        "With equal epochs, or without any, the answer to the later question holds; of two questions at one moment, the answer that comes last.",
        || {
            let mut cache = cache();
            cache.learn(
                at(10),
                "logs",
                vec![route(1, 0), without_epoch(1), route(1, 0)],
            );
            let moved = vec![route(2, 0), without_epoch(2), without_epoch(2)];
            cache.learn(at(20), "logs", moved);
            expect_eq(
                "leaders",
                leaders(&cache, 30),
                vec![Some(2), Some(2), Some(2)],
            );
            cache.learn(at(20), "logs", vec![route(3, 0)]);
            expect_eq(
                "an answer to another question at 20 ms",
                leaders(&cache, 30)[0],
                Some(3),
            );
        }
    );
}

#[test]
fn an_answer_that_was_overtaken_changes_nothing() {
    case!(
        "Answers arrive in any order. One to an earlier question is no news, unless its epoch is higher.",
        || {
            let mut cache = cache();
            cache.learn(
                at(20),
                "logs",
                vec![route(2, 0), without_epoch(2), route(2, 4)],
            );
            let overtaken = vec![route(1, 0), without_epoch(1), route(1, 5)];
            cache.learn(at(10), "logs", overtaken);
            expect_eq(
                "leaders",
                leaders(&cache, 30),
                vec![Some(2), Some(2), Some(1)],
            );
        }
    );
}

#[test]
fn a_broker_that_is_behind_is_not_believed() {
    case!(
        "A broker that has not heard of the new leader names the old one, with its lower epoch: the known route stays, for as long as it is believed.",
        || {
            let mut cache = cache();
            cache.learn(at(10), "logs", vec![route(2, 5)]);
            cache.learn(at(500), "logs", vec![route(1, 4)]);
            expect_eq(
                "after an answer with epoch 4",
                leaders(&cache, 500)[0],
                Some(2),
            );
            expect_eq(
                "at 1010 ms: the route that stayed is no younger than before",
                leaders(&cache, 1_010)[0],
                None,
            );
        }
    );
}

#[test]
fn a_topic_may_be_created_again() {
    case!(
        "A topic that is deleted and created again begins at epoch 0: a route that is too old to be believed holds up no answer.",
        || {
            let mut cache = cache();
            cache.learn(at(10), "logs", vec![route(2, 5)]);
            cache.learn(at(1_009), "logs", vec![route(1, 0)]);
            expect_eq(
                "an answer to a question at 1009 ms",
                leaders(&cache, 1_009)[0],
                Some(2),
            );
            cache.learn(at(1_010), "logs", vec![route(1, 0)]);
            expect_eq(
                "an answer to a question at 1010 ms",
                leaders(&cache, 1_010)[0],
                Some(1),
            );
        }
    );
}

#[test]
fn what_was_forgotten_comes_back_with_news_only() {
    case!(
        "A route that a call found wrong is not brought back by an answer to a question from before: the broker may not have known yet.",
        || {
            let mut cache = cache();
            cache.learn(at(10), "logs", vec![route(1, 0), route(7, 0)]);
            cache.forget(at(30), at(30), &"logs", 0);
            expect_eq("forgotten", leaders(&cache, 30), vec![None, Some(7), None]);
            cache.learn(at(29), "logs", vec![route(1, 0), route(7, 0)]);
            expect_eq(
                "an answer to a question at 29 ms",
                leaders(&cache, 40)[0],
                None,
            );
            cache.learn(at(30), "logs", vec![route(1, 0), route(7, 0)]);
            expect_eq(
                "an answer to a question at 30 ms",
                leaders(&cache, 40)[0],
                Some(1),
            );
        }
    );
}

#[test]
fn a_higher_epoch_is_news_whenever_it_was_asked_for() {
    case!(
        "A higher epoch names a leader that came after the one that was forgotten, even if the question was sent before.",
        || {
            let mut cache = cache();
            cache.learn(at(10), "logs", vec![route(1, 3)]);
            cache.forget(at(30), at(30), &"logs", 0);
            cache.learn(at(20), "logs", vec![route(2, 4)]);
            expect_eq("leader", leaders(&cache, 40)[0], Some(2));
        }
    );
}

#[test]
fn a_broker_that_is_behind_brings_nothing_back() {
    case!(
        "A route was forgotten, and a broker that is behind names an earlier leader, with its lower epoch: that is no news, though the question came later.",
        || {
            let mut cache = cache();
            cache.learn(at(10), "logs", vec![route(7, 3)]);
            cache.forget(at(20), at(20), &"logs", 0);
            cache.learn(at(30), "logs", vec![route(6, 2)]);
            expect_eq("after an answer with epoch 2", leaders(&cache, 40)[0], None);
            cache.learn(at(31), "logs", vec![route(7, 3)]);
            expect_eq("after one with epoch 3", leaders(&cache, 40)[0], Some(7));
        }
    );
}

#[test]
fn partitions_come_and_go() {
    case!(
        "The answer says how many partitions there are: new ones are added, and those that it lacks are dropped.",
        || {
            let mut cache = cache();
            cache.learn(at(10), "logs", vec![route(1, 0)]);
            cache.learn(at(20), "logs", vec![route(1, 0), route(2, 0), route(3, 0)]);
            expect_eq(
                "three partitions",
                leaders(&cache, 30),
                vec![Some(1), Some(2), Some(3)],
            );
            cache.learn(at(40), "logs", vec![route(1, 0), route(2, 0)]);
            expect_eq(
                "two partitions",
                leaders(&cache, 40),
                vec![Some(1), Some(2), None],
            );
        }
    );
}

#[test]
fn a_topic_is_known_if_all_of_it_is() {
    case!(
        "The routes of a topic are returned while every one of them is believed, leaderless ones too.",
        || {
            let none = Route {
                leader: None,
                epoch: None,
            };
            let mut cache = cache();
            expect_eq("before the answer", cache.routes(at(5), &"logs"), None);
            let all = vec![route(1, 0), none];
            cache.learn(at(10), "logs", all.clone());
            expect_eq("after it", cache.routes(at(20), &"logs"), Some(all));
            expect_eq("a partition without a leader", leaders(&cache, 20)[1], None);
            cache.forget(at(30), at(30), &"logs", 0);
            expect_eq(
                "after one is forgotten",
                cache.routes(at(30), &"logs"),
                None,
            );
            cache.learn(at(40), "logs", vec![route(1, 0), none]);
            cache.remove(&"logs");
            expect_eq(
                "after the topic is removed",
                cache.routes(at(50), &"logs"),
                None,
            );
        }
    );
}

#[test]
fn a_late_refusal_forgets_no_newer_route() {
    case!(
        "A call that took its route before the known one was asked for has found another one wrong.",
        || {
            let mut cache = cache();
            cache.learn(at(10), "logs", vec![route(1, 0)]);
            let first = cache.forget(at(40), at(20), &"logs", 0);
            let second = cache.forget(at(41), at(20), &"logs", 0);
            expect_eq(
                "two calls that took it at 20 ms",
                (first, second),
                (true, false),
            );
            cache.learn(at(42), "logs", vec![route(2, 1)]);
            let late = cache.forget(at(50), at(20), &"logs", 0);
            expect_eq("a third one, after the next answer", late, false);
            expect_eq("the leader", leaders(&cache, 50)[0], Some(2));
            let taken = cache.forget(at(60), at(42), &"logs", 0);
            expect_eq("a call that took the new route", taken, true);
        }
    );
}

#[test]
fn staleness_is_measured() {
    case!(
        "A route that is forgotten while it is believed is counted, with the time since its question was sent.",
        || {
            let mut cache = cache();
            cache.learn(at(10), "logs", vec![route(1, 0), route(1, 0)]);
            cache.forget(at(40), at(40), &"logs", 0);
            cache.forget(at(50), at(50), &"logs", 0);
            cache.learn(at(60), "logs", vec![route(2, 1), route(1, 0)]);
            cache.forget(at(80), at(80), &"logs", 1);
            cache.learn(at(90), "logs", vec![route(2, 1), route(2, 1)]);
            cache.forget(at(1_090), at(1_090), &"logs", 0);
            cache.forget(at(1_090), at(1_090), &"rows", 0);
            let expected = Staleness {
                found: 2,
                age_max: Duration::from_millis(30),
                age_sum: Duration::from_millis(50),
            };
            expect_eq("staleness", cache.staleness(), expected);
        }
    );
}
