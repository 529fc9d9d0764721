//! Leases.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use fastrand::Rng;
use message_model::Moment;
use spec_harness::{Place, expect, expect_eq, run_within};

use super::part::Leases;
use spec_harness::steps::{Both, Difference, breach, check, differ};

/// A case with less time than others have. A mistake in `expire` easily makes a loop without an
/// end, and then the learner waits for several cases.
macro_rules! case {
    ($goal:expr, $body:expr $(,)?) => {
        run_within(
            Duration::from_secs(2),
            Place::new(env!("CARGO_MANIFEST_DIR"), module_path!()),
            $goal,
            $body,
        )
    };
}

/// The length of every lease here.
const LENGTH: Duration = Duration::from_secs(10);
const NANO: Duration = Duration::from_nanos(1);

/// The moment so many seconds after the start.
fn at(seconds: u64) -> Moment {
    Moment::after_start(Duration::from_secs(seconds))
}

/// A nanosecond before [`at`].
fn before(seconds: u64) -> Moment {
    Moment::after_start(Duration::from_secs(seconds) - NANO)
}

/// Leases with these addresses of the service `greeter`, each renewed at some second.
fn leases(renewed: &[(&str, u64)]) -> Leases {
    let mut leases = Leases::new(LENGTH);
    for (address, second) in renewed {
        leases.renew("greeter", address, at(*second));
    }
    leases
}

fn expect_living(what: &str, leases: &Leases, expected: &[&str]) {
    let living = leases.living("greeter");
    let expected: Vec<String> = expected.iter().map(|&address| address.into()).collect();
    expect_eq(&format!("living, {what}"), living, expected);
}

fn expect_changed(what: &str, changed: Vec<String>, expected: &[&str]) {
    let expected: Vec<String> = expected.iter().map(|&service| service.into()).collect();
    expect_eq(what, changed, expected);
}

#[test]
fn an_address_takes_a_lease() {
    case!(
        "An address that takes a lease is living, and its watchers hear of it.",
        || {
            let mut leases = leases(&[]);
            expect_living("before", &leases, &[]);
            expect_eq("renew a:1", leases.renew("greeter", "a:1", at(0)), true);
            expect_eq("renew b:1", leases.renew("greeter", "b:1", at(0)), true);
            expect_living("with two leases", &leases, &["a:1", "b:1"]);
        }
    );
}

#[test]
fn a_renewal_is_no_change() {
    case!(
        "A heartbeat of an address that is living is no change: watchers would wake in vain.",
        || {
            let mut leases = leases(&[("a:1", 0)]);
            for second in [0, 1, 9] {
                let what = format!("renew a:1 again, at {second} s");
                let changed = leases.renew("greeter", "a:1", at(second));
                expect_eq(&what, changed, false);
            }
            expect_living("after three renewals", &leases, &["a:1"]);
        }
    );
}

// A learner whose `expire` does not end sees one of the next two first: their sentences say
// which call it is.

#[test]
fn expire_returns() {
    case!(
        "`expire` at the end of a lease returns: it does not find the same lease again and again.",
        || {
            let mut leases = leases(&[("a:1", 0), ("b:1", 0)]);
            let what = "expire at 10 s, with two leases that are over";
            expect_changed(what, leases.expire(at(10)), &["greeter"]);
            expect_changed("expire at 10 s again", leases.expire(at(10)), &[]);
        }
    );
}

#[test]
fn expire_returns_behind_a_renewal() {
    case!(
        "`expire` at the old end of a lease that was renewed returns: this end is not there any more.",
        || {
            let mut leases = leases(&[("a:1", 0), ("a:1", 6)]);
            let what = "expire at 10 s, with a lease from 0 s that was renewed at 6 s";
            expect_changed(what, leases.expire(at(10)), &[]);
        }
    );
}

#[test]
fn a_lease_ends_at_its_very_end() {
    case!(
        "A lease of 10 s that was taken at 5 s ends at 15 s: at that very moment, not before it.",
        || {
            let mut leases = leases(&[("a:1", 5)]);
            expect_changed("expire at 15 s - 1 ns", leases.expire(before(15)), &[]);
            expect_living("1 ns before the end", &leases, &["a:1"]);
            expect_changed("expire at 15 s", leases.expire(at(15)), &["greeter"]);
            expect_living("at the end", &leases, &[]);
        }
    );
}

#[test]
fn an_overdue_lease_ends() {
    case!(
        "A lease that has been over for an hour ends as well, if nothing looked before.",
        || {
            let mut leases = leases(&[("a:1", 0), ("b:1", 3)]);
            expect_changed("expire at 3600 s", leases.expire(at(3600)), &["greeter"]);
            expect_living("at 3600 s", &leases, &[]);
            expect_changed("expire again", leases.expire(at(3600)), &[]);
        }
    );
}

#[test]
fn a_renewal_moves_the_end() {
    case!(
        "A renewed lease ends its length after the last renewal; its old end means nothing.",
        || {
            let mut leases = leases(&[("a:1", 0), ("a:1", 6), ("a:1", 9)]);
            for second in [10, 16, 18] {
                let what = format!("expire at {second} s, renewed last at 9 s");
                expect_changed(&what, leases.expire(at(second)), &[]);
                expect_living(&what, &leases, &["a:1"]);
            }
            expect_changed("expire at 19 s", leases.expire(at(19)), &["greeter"]);
            expect_living("at 19 s", &leases, &[]);
        }
    );
}

#[test]
fn a_renewal_behind_the_end() {
    case!(
        "A lease that is over, and that nothing has ended yet, is renewed as any other: no change.",
        || {
            let mut leases = leases(&[("a:1", 0)]);
            let changed = leases.renew("greeter", "a:1", at(12));
            let what = "renew at 12 s what was over at 10 s, with no expire in between";
            expect_eq(what, changed, false);
            expect_changed("expire at 15 s", leases.expire(at(15)), &[]);
            expect_living("at 15 s", &leases, &["a:1"]);
            expect_changed("expire at 22 s", leases.expire(at(22)), &["greeter"]);
            expect_living("at 22 s", &leases, &[]);
        }
    );
}

#[test]
fn each_address_for_itself() {
    case!(
        "A heartbeat renews the lease of its own address, and no other one's.",
        || {
            let mut leases = leases(&[("a:1", 0), ("b:1", 0), ("b:1", 8)]);
            expect_changed("expire at 10 s", leases.expire(at(10)), &["greeter"]);
            expect_living("b:1 was renewed, a:1 was not", &leases, &["b:1"]);
        }
    );
}

#[test]
fn each_service_for_itself() {
    case!(
        "A server may offer two services; it may stop one, or be silent about one.",
        || {
            let mut leases = leases(&[("a:1", 0)]);
            let changed = leases.renew("clock", "a:1", at(4));
            expect_eq("renew a:1 for another service", changed, true);
            expect_changed("expire at 10 s", leases.expire(at(10)), &["greeter"]);
            expect_living("of the silent service", &leases, &[]);
            expect_eq(
                "living of the other one",
                leases.living("clock"),
                vec!["a:1".to_owned()],
            );
            leases.renew("greeter", "a:1", at(11));
            expect_eq("release", leases.release("clock", "a:1"), true);
            expect_living("when the other one is released", &leases, &["a:1"]);
        }
    );
}

#[test]
fn living_addresses_are_sorted() {
    case!(
        "Every watcher sees the living addresses in the same order: sorted.",
        || {
            let leases = leases(&[("c:1", 0), ("a:2", 1), ("b:1", 2), ("a:1", 3)]);
            expect_living("of four", &leases, &["a:1", "a:2", "b:1", "c:1"]);
        }
    );
}

#[test]
fn a_server_that_stops() {
    case!(
        "A server that stops releases its lease, and is no longer living at once.",
        || {
            let mut leases = leases(&[("a:1", 0), ("b:1", 0)]);
            expect_eq("release a:1", leases.release("greeter", "a:1"), true);
            expect_living("when a:1 has released its lease", &leases, &["b:1"]);
            expect_eq("release a:1 again", leases.release("greeter", "a:1"), false);
            expect_living("when a:1 has released its lease", &leases, &["b:1"]);
        }
    );
}

#[test]
fn nothing_to_release() {
    case!(
        "A release without a lease changes nothing: none was taken, or it has expired.",
        || {
            let mut leases = leases(&[("a:1", 0), ("b:1", 5)]);
            let release = |leases: &mut Leases, service: &str, address: &str| {
                let what = format!("release {address} of {service}");
                expect_eq(&what, leases.release(service, address), false);
            };
            release(&mut leases, "clock", "a:1");
            release(&mut leases, "greeter", "c:1");
            leases.expire(at(10));
            release(&mut leases, "greeter", "a:1");
            expect_living("after three releases without a lease", &leases, &["b:1"]);
        }
    );
}

#[test]
fn released_and_not_expired_again() {
    case!(
        "A lease that was released does not end a second time.",
        || {
            let mut leases = leases(&[("a:1", 0)]);
            leases.release("greeter", "a:1");
            expect_changed("expire at 10 s", leases.expire(at(10)), &[]);
        }
    );
}

#[test]
fn a_server_that_comes_back() {
    case!(
        "A server that was released or expired, and comes back, is new.",
        || {
            let mut leases = leases(&[("a:1", 0), ("b:1", 0)]);
            leases.release("greeter", "a:1");
            let changed = leases.renew("greeter", "a:1", at(2));
            expect_eq("renew what was released", changed, true);
            leases.expire(at(10));
            let changed = leases.renew("greeter", "b:1", at(11));
            expect_eq("renew what has expired", changed, true);
            expect_living("when both are back", &leases, &["a:1", "b:1"]);
        }
    );
}

#[test]
fn a_new_lease_has_its_own_end() {
    case!(
        "What is left of a released lease does not end the next one of the same address.",
        || {
            let mut leases = leases(&[("a:1", 0)]);
            leases.release("greeter", "a:1");
            leases.renew("greeter", "a:1", at(7));
            expect_changed("expire at 10 s", leases.expire(at(10)), &[]);
            expect_living("taken again at 7 s", &leases, &["a:1"]);
            expect_changed("expire at 17 s", leases.expire(at(17)), &["greeter"]);
            expect_living("at 17 s", &leases, &[]);
        }
    );
}

#[test]
fn services_that_change() {
    case!(
        "Each service that loses an address is named, once and in order; no other one is.",
        || {
            let mut leases = leases(&[("a:1", 0), ("b:1", 0), ("c:1", 9)]);
            leases.renew("clock", "a:1", at(1));
            leases.renew("accounts", "a:1", at(9));
            leases.renew("bank", "b:1", at(0));
            let changed = leases.expire(at(11));
            expect_changed("expire at 11 s", changed, &["bank", "clock", "greeter"]);
            expect_living("c:1 is", &leases, &["c:1"]);
            let accounts = leases.living("accounts");
            expect_eq("and of accounts", accounts, vec!["a:1".to_owned()]);
        }
    );
}

#[test]
fn moments_in_another_order() {
    case!(
        "Two threads may hand in their moments in either order; a lease never gets shorter.",
        || {
            let mut leases = leases(&[("a:1", 5), ("a:1", 3)]);
            expect_changed("expire at 13 s", leases.expire(at(13)), &[]);
            expect_living("renewed at 5 s, and then at 3 s", &leases, &["a:1"]);
            expect_changed("expire at 15 s", leases.expire(at(15)), &["greeter"]);
        }
    );
}

#[test]
fn nothing_is_left_of_a_service() {
    case!(
        "When the last address of a service is gone, nothing is left of the service: names come and go.",
        || {
            let mut leases = leases(&[("a:1", 0), ("b:1", 0)]);
            let expect_nothing_of = |leases: &Leases, service: &str, what: &str| {
                let what = format!("whether the table still has the name `{service}`, {what}");
                let has_it = format!("{leases:?}").contains(&format!("\"{service}\""));
                expect_eq(&what, has_it, false);
            };
            leases.renew("clock", "a:1", at(1));
            leases.release("clock", "a:1");
            expect_nothing_of(&leases, "clock", "whose only address was released");
            leases.release("bank", "a:1");
            expect_nothing_of(
                &leases,
                "bank",
                "of which an address was released that it never had",
            );
            leases.expire(at(10));
            expect_nothing_of(&leases, "greeter", "whose two leases have expired");
        }
    );
}

/// Looks at the leases only when they say that it is time. Returns how often that was.
fn watch(leases: &mut Leases, until: Moment) -> Vec<(Moment, Vec<String>)> {
    let mut seen = Vec::new();
    let mut looks = 0;
    while let Some(next) = leases.next_expiry().filter(|next| *next <= until) {
        looks += 1;
        expect(
            "next_expiry() moves on when expire() was called at it",
            looks < 100,
        );
        let changed = leases.expire(next);
        if !changed.is_empty() {
            seen.push((next, changed));
        }
    }
    seen
}

#[test]
fn a_watcher_that_sleeps() {
    case!(
        "A watcher that sleeps until next_expiry() sees each lease end at its very moment.",
        || {
            let mut leases = leases(&[("a:1", 0), ("b:1", 1), ("a:1", 4), ("c:1", 4), ("d:1", 5)]);
            leases.release("greeter", "d:1");
            let once = || vec!["greeter".to_owned()];
            let expected = vec![(at(11), once()), (at(14), once())];
            expect_eq(
                "what it sees until 60 s",
                watch(&mut leases, at(60)),
                expected,
            );
            expect_eq("and then", leases.next_expiry(), None);
        }
    );
}

/// One thing that happens. Names are letters, so that a story is short.
#[derive(Debug, Clone)]
enum Step {
    /// A heartbeat, and by how much its moment is behind the latest one.
    Renew(char, char, Duration),
    Release(char, char),
    Later(Duration),
    Expire,
    /// Later by as much as is left until `next_expiry`, and expire.
    Sleep,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Renew(service, address, Duration::ZERO) => {
                write!(f, "renew {address} of service {service}")
            }
            Step::Renew(service, address, behind) => write!(
                f,
                "renew {address} of service {service}, as of {behind:?} ago"
            ),
            Step::Release(service, address) => write!(f, "release {address} of service {service}"),
            Step::Later(by) => write!(f, "{by:?} later"),
            Step::Expire => write!(f, "expire"),
            Step::Sleep => write!(f, "sleep until next_expiry, and expire"),
        }
    }
}

/// Leases and a list: service, address, end.
struct Watched {
    leases: Leases,
    model: Vec<(char, char, Moment)>,
    now: Moment,
}

impl Watched {
    fn expire(&mut self) -> Option<Difference> {
        let now = self.now;
        let due = self.model.extract_if(.., |lease| lease.2 <= now);
        let changed: BTreeSet<String> = due.map(|lease| lease.0.to_string()).collect();
        let got = self.leases.expire(now);
        differ("services that have changed", got, Vec::from_iter(changed))
    }

    fn living(&self) -> Option<Difference> {
        ['x', 'y', 'z'].into_iter().find_map(|service| {
            let living = self.model.iter().filter(|lease| lease.0 == service);
            let living: BTreeSet<String> = living.map(|lease| lease.1.to_string()).collect();
            let got = self.leases.living(&service.to_string());
            let what = format!("living of service {service}");
            differ(&what, got, Vec::from_iter(living))
        })
    }

    fn next_expiry(&self) -> Option<Difference> {
        let first = self.model.iter().map(|lease| lease.2).min()?;
        let next = self.leases.next_expiry();
        let is_in_time = next.is_some_and(|next| next <= first);
        let expected = format!("at or before the first end, {first:?}");
        breach(is_in_time, "next_expiry()", &next, &expected)
    }
}

impl Both for Watched {
    type Step = Step;

    fn step(&mut self, step: &Step) -> Option<Difference> {
        let now = self.now;
        let found = match step {
            Step::Renew(service, address, behind) => {
                let behind = now.since(Moment::START).saturating_sub(*behind);
                let moment = Moment::after_start(behind);
                let known = self.model.iter_mut();
                let mut known = known.filter(|lease| (lease.0, lease.1) == (*service, *address));
                let end = moment.plus(LENGTH);
                let is_new = match known.next() {
                    Some(lease) => {
                        lease.2 = lease.2.max(end);
                        false
                    }
                    None => {
                        self.model.push((*service, *address, end));
                        true
                    }
                };
                let (service, address) = (service.to_string(), address.to_string());
                let got = self.leases.renew(&service, &address, moment);
                differ("whether the last renewal is a change", got, is_new)
            }
            Step::Release(service, address) => {
                let before = self.model.len();
                self.model
                    .retain(|lease| (lease.0, lease.1) != (*service, *address));
                let got = self
                    .leases
                    .release(&service.to_string(), &address.to_string());
                let expected = self.model.len() < before;
                differ("whether the last release is a change", got, expected)
            }
            Step::Later(by) => {
                self.now = now.plus(*by);
                None
            }
            Step::Expire => self.expire(),
            Step::Sleep => {
                self.now = self.leases.next_expiry().map_or(now, |next| next.max(now));
                self.expire()
            }
        };
        found
            .or_else(|| self.living())
            .or_else(|| self.next_expiry())
    }
}

#[test]
fn five_hundred_histories() {
    spec_harness::case!(
        "Whatever happens, leases know what a list of all heartbeats would.",
        || {
            for seed in 0..500 {
                let mut random = Rng::with_seed(seed);
                let steps = (0..60).map(|_| step(&mut random)).collect();
                let new = || Watched {
                    leases: Leases::new(LENGTH),
                    model: Vec::new(),
                    now: at(20),
                };
                check(Some("leases of 10 s, it is 20 s"), new, steps);
            }
        }
    );
}

fn step(random: &mut Rng) -> Step {
    let service = ['x', 'y', 'z'][random.usize(..3)];
    let address = ['a', 'b', 'c', 'd'][random.usize(..4)];
    match random.u8(0..20) {
        0..8 => Step::Renew(service, address, Duration::ZERO),
        8 => Step::Renew(service, address, Duration::from_secs(random.u64(1..12))),
        9..11 => Step::Release(service, address),
        11..15 => Step::Later(Duration::from_secs(random.u64(..5))),
        15..18 => Step::Expire,
        _ => Step::Sleep,
    }
}
