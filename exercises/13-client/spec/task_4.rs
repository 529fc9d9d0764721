//! Look-ups for many calls.

use std::time::Duration;

use message_model::{BrokerId, LeaderEpoch, Moment};
use spec_harness::{case, expect_eq};

use super::at;
use super::histories::expect_every_history;
use super::part::{Effect, Ended, Event, Finder, Route, RouteCache, WantId};

/// Keys and waiters are names here, and so is why a look-up failed.
type Name = &'static str;
type Effects = Vec<Effect<Name, Name, Name>>;

/// A finder that knows nothing, and believes for ten seconds.
fn finder() -> Finder<Name, Name> {
    Finder::new(RouteCache::new(Duration::from_secs(10)))
}

fn route(leader: i32, epoch: i32) -> Route {
    Route {
        leader: Some(BrokerId(leader)),
        epoch: Some(LeaderEpoch(epoch)),
    }
}

/// The call `id` wants the leader of partition 0 of `key`, within a second after the start.
fn want(id: u64, key: Name, waiter: Name) -> Event<Name, Name, Name> {
    want_until(id, key, waiter, at(1_000))
}

fn want_until(id: u64, key: Name, waiter: Name, deadline: Moment) -> Event<Name, Name, Name> {
    Event::Want {
        id: WantId(id),
        key,
        index: Some(0),
        deadline,
        waiter,
    }
}

/// A call that took the route of partition 0 a moment ago found it wrong.
fn forget(key: Name, millis: u64) -> Event<Name, Name, Name> {
    forget_partition(key, 0, millis)
}

fn forget_partition(key: Name, index: usize, taken: u64) -> Event<Name, Name, Name> {
    Event::Forget {
        key,
        index,
        taken: at(taken),
    }
}

/// A finder that knows two partitions of `logs`, both led by 7. The route of partition 1 is
/// forgotten at 3 ms, and looked up from 4 ms on for the call `ann`. That of partition 0
/// is believed until it is forgotten at 5 ms.
fn outdated() -> Finder<Name, Name> {
    let mut finder = finder();
    finder.step(at(1), want(1, "logs", "ann"));
    let both = vec![route(7, 0), route(7, 0)];
    let answer = Event::Answered(vec![("logs", Ok(both))]);
    expect_step(&mut finder, 2, answer, vec![known("ann")]);
    finder.step(at(3), forget_partition("logs", 1, 3));
    let ann = Event::Want {
        id: WantId(2),
        key: "logs",
        index: Some(1),
        deadline: at(1_000),
        waiter: "ann",
    };
    expect_step(&mut finder, 4, ann, vec![look_up(&["logs"])]);
    expect_step(&mut finder, 5, forget("logs", 5), vec![]);
    finder
}

fn answered(answers: &[(Name, Result<Route, Name>)]) -> Event<Name, Name, Name> {
    let answers = answers.iter().copied();
    Event::Answered(
        answers
            .map(|(key, route)| (key, route.map(|route| vec![route])))
            .collect(),
    )
}

fn look_up(keys: &[Name]) -> Effect<Name, Name, Name> {
    Effect::LookUp(keys.iter().copied().collect())
}

fn known(waiter: Name) -> Effect<Name, Name, Name> {
    Effect::End(waiter, Ended::Known)
}

fn failed(waiter: Name, why: Name) -> Effect<Name, Name, Name> {
    Effect::End(waiter, Ended::Failed(why))
}

/// Ends by waiter, then look-ups: waiters may be told in any order.
fn in_order(mut effects: Effects) -> Effects {
    effects.sort_by_key(|effect| match effect {
        Effect::End(waiter, _) => (0, *waiter),
        Effect::LookUp(_) => (1, ""),
    });
    effects
}

#[track_caller]
fn expect_step(
    finder: &mut Finder<Name, Name>,
    millis: u64,
    event: Event<Name, Name, Name>,
    expected: Effects,
) {
    let what = format!("{event:?} at {millis} ms");
    expect_eq(&what, in_order(finder.step(at(millis), event)), expected);
}

#[test]
fn an_unknown_route_is_looked_up() {
    case!(
        "A call that wants an unknown route waits, and a look-up of its key begins.",
        || {
            let mut finder = finder();
            expect_step(
                &mut finder,
                1,
                want(1, "logs", "ann"),
                vec![look_up(&["logs"])],
            );
            expect_eq(
                "calls that wait",
                (finder.len(), finder.is_empty()),
                (1, false),
            );
            let answer = answered(&[("logs", Ok(route(7, 0)))]);
            expect_step(&mut finder, 5, answer, vec![known("ann")]);
            expect_eq(
                "calls that wait",
                (finder.len(), finder.is_empty()),
                (0, true),
            );
            let leader = finder.leader(at(5), &"logs", 0);
            expect_eq("the leader", leader, Some(BrokerId(7)));
            expect_eq(
                "all routes",
                finder.routes(at(5), &"logs"),
                Some(vec![route(7, 0)]),
            );
        }
    );
}

#[test]
fn what_is_believed_is_not_looked_up() {
    case!(
        "A route that is believed ends the want at once, and costs no look-up; one that is too old is looked up again.",
        || {
            let mut finder = finder();
            finder.step(at(0), want(1, "logs", "ann"));
            finder.step(at(5), answered(&[("logs", Ok(route(7, 0)))]));
            expect_step(&mut finder, 6, want(2, "logs", "bob"), vec![known("bob")]);
            let late = want_until(3, "logs", "cid", at(20_000));
            expect_step(&mut finder, 10_000, late, vec![look_up(&["logs"])]);
        }
    );
}

#[test]
fn calls_share_a_look_up() {
    case!(
        "Calls that want what is being looked up wait for that look-up, and its answer ends them all.",
        || {
            let mut finder = finder();
            expect_step(
                &mut finder,
                1,
                want(1, "logs", "ann"),
                vec![look_up(&["logs"])],
            );
            expect_step(&mut finder, 2, want(2, "logs", "bob"), vec![]);
            expect_step(&mut finder, 3, want(3, "logs", "cid"), vec![]);
            let answer = answered(&[("logs", Ok(route(7, 0)))]);
            expect_step(
                &mut finder,
                5,
                answer,
                vec![known("ann"), known("bob"), known("cid")],
            );
        }
    );
}

#[test]
fn one_look_up_at_a_time() {
    case!(
        "While one look-up is under way, other keys wait; the next one asks for all of them together, each once.",
        || {
            let mut finder = finder();
            expect_step(
                &mut finder,
                1,
                want(1, "logs", "ann"),
                vec![look_up(&["logs"])],
            );
            expect_step(&mut finder, 2, want(2, "rows", "bob"), vec![]);
            expect_step(&mut finder, 3, want(3, "jobs", "cid"), vec![]);
            expect_step(&mut finder, 4, want(4, "rows", "dan"), vec![]);
            let answer = answered(&[("logs", Ok(route(7, 0)))]);
            let next = look_up(&["jobs", "rows"]);
            expect_step(&mut finder, 5, answer, vec![known("ann"), next]);
            let answer = answered(&[("rows", Ok(route(8, 0))), ("jobs", Ok(route(9, 0)))]);
            expect_step(
                &mut finder,
                6,
                answer,
                vec![known("bob"), known("cid"), known("dan")],
            );
        }
    );
}

#[test]
fn an_answer_that_knows_nothing_ends_the_want_too() {
    case!(
        "An answer without a leader, without the partition, or without the key ends the want: there is nothing more to know.",
        || {
            let leaderless = Route {
                leader: None,
                epoch: None,
            };
            for answer in [
                Event::Answered(vec![("logs", Ok(vec![leaderless]))]),
                Event::Answered(vec![("logs", Ok(vec![]))]),
                Event::Answered(vec![]),
            ] {
                let mut finder = finder();
                finder.step(at(1), want(1, "logs", "ann"));
                expect_step(&mut finder, 5, answer, vec![known("ann")]);
                expect_eq("the leader", finder.leader(at(5), &"logs", 0), None);
                expect_step(
                    &mut finder,
                    6,
                    want(2, "logs", "bob"),
                    vec![look_up(&["logs"])],
                );
            }
        }
    );
}

#[test]
fn all_routes_can_be_wanted() {
    case!(
        "A call can want all routes of a key. They are known if each is believed, also one without a leader.",
        || {
            let leaderless = Route {
                leader: None,
                epoch: None,
            };
            let all = |id, waiter| Event::Want {
                id: WantId(id),
                key: "logs",
                index: None,
                deadline: at(1_000),
                waiter,
            };
            let mut finder = finder();
            expect_step(&mut finder, 1, all(1, "ann"), vec![look_up(&["logs"])]);
            let answer = Event::Answered(vec![("logs", Ok(vec![route(7, 0), leaderless]))]);
            expect_step(&mut finder, 2, answer, vec![known("ann")]);
            expect_step(&mut finder, 3, all(2, "bob"), vec![known("bob")]);
            expect_step(&mut finder, 4, forget("logs", 4), vec![]);
            expect_step(&mut finder, 5, all(3, "cid"), vec![look_up(&["logs"])]);
        }
    );
}

#[test]
fn a_forgotten_route_is_looked_up_again() {
    case!(
        "After a route is forgotten, the next call that wants it begins a look-up; to forget begins none.",
        || {
            let mut finder = finder();
            finder.step(at(1), want(1, "logs", "ann"));
            finder.step(at(2), answered(&[("logs", Ok(route(7, 0)))]));
            expect_step(&mut finder, 10, forget("logs", 10), vec![]);
            expect_step(
                &mut finder,
                11,
                want(2, "logs", "bob"),
                vec![look_up(&["logs"])],
            );
            let found = (finder.staleness().found, finder.staleness().age_max);
            expect_eq(
                "found stale, at the age of",
                found,
                (1, Duration::from_millis(9)),
            );
        }
    );
}

#[test]
fn a_second_refusal_is_no_news() {
    case!(
        "Many calls are refused for the same route. The first one has it forgotten; the others do not make the look-up that follows useless.",
        || {
            let mut finder = finder();
            finder.step(at(1), want(1, "logs", "ann"));
            finder.step(at(2), answered(&[("logs", Ok(route(7, 0)))]));
            finder.step(at(10), forget("logs", 3));
            expect_step(
                &mut finder,
                11,
                want(2, "logs", "bob"),
                vec![look_up(&["logs"])],
            );
            expect_step(&mut finder, 12, forget("logs", 3), vec![]);
            let answer = answered(&[("logs", Ok(route(8, 0)))]);
            expect_step(&mut finder, 13, answer, vec![known("bob")]);
            expect_step(&mut finder, 14, forget("logs", 3), vec![]);
            expect_step(&mut finder, 15, want(3, "logs", "cid"), vec![known("cid")]);
        }
    );
}

#[test]
fn an_answer_from_before_serves_no_call() {
    case!(
        "The route of partition 0 is forgotten while the topic is being looked up for partition 1: for partition 0 that answer may be as old as the route, so its calls wait for another one.",
        || {
            let mut finder = outdated();
            expect_step(&mut finder, 6, want(3, "rows", "bob"), vec![]);
            expect_step(&mut finder, 7, want(4, "logs", "cid"), vec![]);
            let old = || vec![route(7, 0), route(7, 0)];
            let answer = Event::Answered(vec![("logs", Ok(old()))]);
            let next = look_up(&["logs", "rows"]);
            expect_step(&mut finder, 8, answer, vec![known("ann"), next]);
            let answer = Event::Answered(vec![("logs", Ok(old())), ("rows", Ok(old()))]);
            expect_step(&mut finder, 9, answer, vec![known("bob"), known("cid")]);
        }
    );
}

#[test]
fn an_error_from_before_serves_no_call_either() {
    case!(
        "An error that answers a question from before a route of its key was forgotten is as old as a route would be.",
        || {
            let mut finder = outdated();
            let error = || answered(&[("logs", Err("unknown topic"))]);
            expect_step(&mut finder, 6, error(), vec![look_up(&["logs"])]);
            expect_step(
                &mut finder,
                7,
                error(),
                vec![failed("ann", "unknown topic")],
            );
        }
    );
}

#[test]
fn news_serves_whenever_it_was_asked_for() {
    case!(
        "A higher epoch is news, also in an answer to a question from before: the call need not wait for another one.",
        || {
            let mut finder = outdated();
            finder.step(at(6), want(3, "logs", "bob"));
            let moved = vec![route(8, 1), route(8, 1)];
            let answer = Event::Answered(vec![("logs", Ok(moved))]);
            expect_step(&mut finder, 7, answer, vec![known("ann"), known("bob")]);
        }
    );
}

#[test]
fn an_error_is_for_the_calls_of_its_key() {
    case!(
        "A key that is answered with an error ends its own calls with it, and is known no more; the other keys of the same answer have answers of their own.",
        || {
            let mut finder = finder();
            finder.step(at(1), want(1, "jobs", "ann"));
            finder.step(at(1), want(2, "logs", "bob"));
            finder.step(at(1), want(3, "rows", "cid"));
            finder.step(at(1), want(4, "urls", "dan"));
            finder.step(at(2), answered(&[("jobs", Ok(route(7, 0)))]));
            let mixed = answered(&[
                ("logs", Err("unknown topic")),
                ("rows", Ok(route(7, 0))),
                ("urls", Err("not allowed")),
            ]);
            let ends = vec![
                failed("bob", "unknown topic"),
                known("cid"),
                failed("dan", "not allowed"),
            ];
            expect_step(&mut finder, 3, mixed, ends);
            finder.step(at(4), forget("rows", 4));
            finder.step(at(4), want(5, "rows", "eve"));
            let gone = answered(&[
                ("rows", Err("unknown topic")),
                ("jobs", Err("unknown topic")),
            ]);
            expect_step(&mut finder, 5, gone, vec![failed("eve", "unknown topic")]);
            expect_eq("the leader of jobs", finder.leader(at(5), &"jobs", 0), None);
        }
    );
}

#[test]
fn a_look_up_that_fails_ends_those_that_it_was_for() {
    case!(
        "When no broker answers, the calls whose keys were asked for end. The others are asked for next.",
        || {
            let mut finder = finder();
            finder.step(at(1), want(1, "logs", "ann"));
            finder.step(at(2), want(2, "rows", "bob"));
            finder.step(at(3), want(3, "logs", "cid"));
            let down = || Event::Failed("no broker answers");
            let why = "no broker answers";
            let next = look_up(&["rows"]);
            expect_step(
                &mut finder,
                4,
                down(),
                vec![failed("ann", why), failed("cid", why), next],
            );
            expect_step(&mut finder, 5, down(), vec![failed("bob", why)]);
            expect_step(
                &mut finder,
                6,
                want(4, "logs", "dan"),
                vec![look_up(&["logs"])],
            );
        }
    );
}

#[test]
fn a_call_ends_at_its_deadline() {
    case!(
        "A call that waits ends at its deadline, and one that comes behind its deadline ends at once, without a look-up.",
        || {
            let mut finder = finder();
            finder.step(at(1), want_until(1, "logs", "ann", at(100)));
            finder.step(at(1), want_until(2, "logs", "bob", at(200)));
            expect_step(&mut finder, 99, Event::Tick, vec![]);
            let passed = |waiter| Effect::End(waiter, Ended::DeadlinePassed);
            expect_step(&mut finder, 100, Event::Tick, vec![passed("ann")]);
            let next = finder
                .next_deadline()
                .is_some_and(|next| next > at(100) && next <= at(200));
            expect_eq(
                "next_deadline() is behind 100 ms, and not behind 200 ms",
                next,
                true,
            );
            let answer = answered(&[("logs", Ok(route(7, 0)))]);
            expect_step(&mut finder, 150, answer, vec![known("bob")]);
            expect_step(&mut finder, 200, Event::Tick, vec![]);
            let late = want_until(3, "logs", "cid", at(300));
            expect_step(&mut finder, 300, late, vec![passed("cid")]);
            let late = want_until(4, "rows", "dan", at(299));
            expect_step(&mut finder, 300, late, vec![passed("dan")]);
        }
    );
}

#[test]
fn a_call_that_is_taken_back_ends() {
    case!(
        "A call that does not want to know any more gets its waiter back, once. A look-up that no call waits for is learnt from.",
        || {
            let mut finder = finder();
            finder.step(at(1), want(1, "logs", "ann"));
            let cancelled = vec![Effect::End("ann", Ended::Cancelled)];
            expect_step(&mut finder, 2, Event::Cancel(WantId(1)), cancelled);
            expect_step(&mut finder, 3, Event::Cancel(WantId(1)), vec![]);
            expect_step(
                &mut finder,
                4,
                answered(&[("logs", Ok(route(7, 0)))]),
                vec![],
            );
            expect_step(&mut finder, 5, want(2, "logs", "bob"), vec![known("bob")]);
            expect_step(
                &mut finder,
                6,
                answered(&[("rows", Ok(route(7, 0)))]),
                vec![],
            );
            expect_step(&mut finder, 7, Event::Failed("unasked"), vec![]);
            expect_eq(
                "what was not asked for",
                finder.leader(at(8), &"rows", 0),
                None,
            );
        }
    );
}

#[test]
fn what_comes_unasked_serves_too() {
    case!(
        "An answer brings a route that was not asked for: it is believed, so the call that wants it ends, and it is not looked up.",
        || {
            let mut finder = finder();
            expect_step(
                &mut finder,
                1,
                want(1, "logs", "ann"),
                vec![look_up(&["logs"])],
            );
            expect_step(&mut finder, 2, want(2, "rows", "bob"), vec![]);
            let both = answered(&[("logs", Ok(route(7, 0))), ("rows", Ok(route(8, 0)))]);
            expect_step(&mut finder, 3, both, vec![known("ann"), known("bob")]);
        }
    );
}

#[test]
fn every_history() {
    case!(
        "In every order of wants, answers, failures, deadlines and things forgotten: each call ends once, by an answer that may serve it, and never waits without a look-up.",
        expect_every_history
    );
}
