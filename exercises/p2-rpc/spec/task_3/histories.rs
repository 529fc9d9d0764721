//! Random histories of a balancer, beside the model.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use fastrand::Rng;
use message_model::Moment;
use spec_harness::case;

use super::model::Model;
use super::part::{Balancer, CallOutcome, Picked, Policy, ServerId};
use super::world::{addresses, at, ejection};
use spec_harness::steps::{Both, Difference, breach, check, differ};

#[derive(Debug, Clone)]
enum Step {
    Servers(&'static str),
    /// A call with this number begins, maybe with a key; it has tried the servers of calls.
    Begin(usize, Option<u64>, Vec<usize>),
    End(usize, CallOutcome),
    Later(Duration),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Servers(letters) => write!(f, "set_servers {letters}"),
            Step::Begin(call, key, tried) => {
                write!(f, "pick for call {call}")?;
                key.map_or(Ok(()), |key| write!(f, ", key {key}"))?;
                let tried = tried.iter().map(usize::to_string).collect::<Vec<_>>();
                match &*tried {
                    [] => Ok(()),
                    _ => write!(f, ", tried: the servers of {}", tried.join(", ")),
                }
            }
            Step::End(call, outcome) => write!(f, "call {call}: {outcome:?}"),
            Step::Later(by) => write!(f, "{by:?} later"),
        }
    }
}

/// A call in flight: where it is, and whether it counts there as the model knows it.
struct Call {
    picked: Picked,
    letter: char,
    is_probe: bool,
}

struct Balanced {
    policy: Policy,
    balancer: Balancer,
    model: Model,
    calls: BTreeMap<usize, Call>,
    /// The servers of all calls that there were.
    servers: BTreeMap<usize, ServerId>,
    /// Where a key went, with these servers to choose from.
    homes: BTreeMap<(u64, BTreeSet<char>), char>,
    now: Moment,
}

impl Balanced {
    fn new(policy: Policy) -> Balanced {
        Balanced {
            policy,
            balancer: Balancer::new(policy, ejection()),
            model: Model::default(),
            calls: BTreeMap::new(),
            servers: BTreeMap::new(),
            homes: BTreeMap::new(),
            now: at(100),
        }
    }

    fn begin(&mut self, call: usize, key: Option<u64>, tried: &[usize]) -> Option<Difference> {
        let tried = tried.iter().filter_map(|call| self.servers.get(call));
        let tried: Vec<ServerId> = tried.copied().collect();
        let candidates = self.model.candidates(&tried, self.now);
        let fewest = candidates.iter().map(|known| known.in_flight).min();
        let is_right =
            |in_flight: u32| self.policy != Policy::LeastInFlight || Some(in_flight) == fewest;
        let right = candidates.iter().filter(|known| is_right(known.in_flight));
        let right: BTreeSet<char> = right.map(|known| known.letter).collect();
        let Some(picked) = self.balancer.pick(key, &tried, self.now) else {
            let expected = format!("one of {right:?}");
            return breach(right.is_empty(), "the last pick", &"None", &expected);
        };
        let address = self.balancer.address(picked.server).unwrap_or_default();
        let letter = address.chars().next().unwrap_or('?');
        if !right.contains(&letter) {
            let expected = format!("one of {right:?}");
            return breach(false, "the last pick", &letter, &expected);
        }
        if let (Some(key), Policy::ConsistentHash) = (key, self.policy) {
            let home = *self.homes.entry((key, right)).or_insert(letter);
            if home != letter {
                let what = format!("the last pick: key {key} with the same servers as before");
                return differ(&what, letter, home);
            }
        }
        let (server, now) = (self.model.server(letter)?, self.now);
        let is_probe = server.begin(now);
        let known = *server.id.get_or_insert(picked.server);
        let difference = differ(
            "whether the last pick is a probe",
            picked.is_probe,
            is_probe,
        )
        .or_else(|| {
            differ(
                "the id of the server of the last pick",
                picked.server,
                known,
            )
        });
        self.servers.insert(call, picked.server);
        self.calls.insert(
            call,
            Call {
                picked,
                letter,
                is_probe,
            },
        );
        difference
    }
}

impl Both for Balanced {
    type Step = Step;

    fn step(&mut self, step: &Step) -> Option<Difference> {
        match step {
            Step::Servers(letters) => {
                self.balancer.set_servers(&addresses(letters));
                self.model.set_servers(&Vec::from_iter(letters.chars()));
            }
            Step::Begin(call, key, tried) => return self.begin(*call, *key, tried),
            Step::End(call, outcome) => {
                let Call {
                    picked,
                    letter,
                    is_probe,
                } = self.calls.remove(call)?;
                let server = self.model.server(letter);
                if let Some(server) = server.filter(|known| known.id == Some(picked.server)) {
                    server.end(is_probe, *outcome, self.now);
                }
                self.balancer.ended(picked, *outcome, self.now);
            }
            Step::Later(by) => self.now = self.now.plus(*by),
        }
        None
    }
}

#[test]
fn two_hundred_of_each_policy() {
    case!(
        "Whatever happens, a call goes only where it may, and one call at a time is a probe.",
        || {
            for seed in 0..600 {
                let policies = super::world::POLICIES;
                let policy = policies[usize::try_from(seed % 3).unwrap_or(0)];
                let start =
                    format!("{policy:?}, three failures in a row eject for 10 s, 20 s, 40 s");
                let steps = steps(&mut Rng::with_seed(seed));
                check(Some(&start), || Balanced::new(policy), steps);
            }
        }
    );
}

fn steps(random: &mut Rng) -> Vec<Step> {
    const SETS: [&str; 6] = ["abc", "ab", "cba", "b", "dab", ""];
    let mut steps = vec![Step::Servers(SETS[random.usize(..2)])];
    let mut open: Vec<usize> = Vec::new();
    for call in 0..80 {
        match random.u8(0..30) {
            0 => steps.push(Step::Servers(SETS[random.usize(..SETS.len())])),
            1..4 => {
                let seconds = [1, 3, 10, 20][random.usize(..4)];
                steps.push(Step::Later(Duration::from_secs(seconds)));
            }
            4..16 => {
                let key = random.bool().then(|| random.u64(..4));
                let tried = match random.u8(0..4) {
                    0 if call > 0 => vec![random.usize(..call), random.usize(..call)],
                    _ => Vec::new(),
                };
                open.push(call);
                steps.push(Step::Begin(call, key, tried));
            }
            _ if open.is_empty() => {}
            _ => {
                let outcome = match random.u8(0..10) {
                    0..7 => CallOutcome::Failed,
                    7..9 => CallOutcome::Worked,
                    _ => CallOutcome::Cancelled,
                };
                let call = open.swap_remove(random.usize(..open.len()));
                steps.push(Step::End(call, outcome));
            }
        }
    }
    steps
}
