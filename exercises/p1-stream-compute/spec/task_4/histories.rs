//! Random histories of windows, beside the model, and beside a recount.

use std::collections::BTreeMap;
use std::fmt;

use fastrand::Rng;
use spec_harness::{case, expect, expect_eq};

use super::model::{Model, Rule, sessions};
use super::part::{Content, Windows};
use super::shown::{expect_list, shown};
use super::world::{World, ms, text};
use spec_harness::steps::{Both, Difference, breach, check, differ};

#[derive(Debug, Clone)]
enum Step {
    Record(char, i64),
    /// Nothing if it was there already.
    Watermark(i64),
    Restart(bool),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Record(key, time) => write!(f, "a record of {key}, time {time}"),
            Step::Watermark(to) => write!(f, "watermark {to}"),
            Step::Restart(false) => write!(f, "restart"),
            Step::Restart(true) => write!(f, "restart, panes in reverse order"),
        }
    }
}

fn windows(rule: Rule) -> Windows {
    match rule.step {
        Some(step) => Windows::sliding(ms(rule.size), ms(step)),
        None => Windows::session(ms(rule.size)),
    }
}

/// `windows of 10, one every 5, allowed lateness 3`.
fn described(rule: Rule) -> String {
    let (size, lateness) = (rule.size, rule.lateness);
    let windows = match rule.step {
        Some(step) => format!("windows of {size}, one every {step}"),
        None => format!("sessions with a gap of {size}"),
    };
    format!("{windows}, allowed lateness {lateness}")
}

struct History {
    /// The rule as text.
    rule: String,
    world: World,
    model: Model,
}

impl History {
    fn new(rule: Rule) -> History {
        History {
            rule: described(rule),
            world: World::new(windows(rule), rule.lateness),
            model: Model::new(rule),
        }
    }

    /// What is compared, and of which windows.
    fn of(&self, what: &str) -> String {
        format!("{what}, {}", self.rule)
    }

    fn watermark(&mut self, to: i64) -> Option<Difference> {
        let before = self.world.watermark;
        if to <= before {
            return None;
        }
        let rows = self.world.advance(to);
        let new = rows
            .iter()
            .map(|row| row.window.end.0)
            .filter(|end| *end > before);
        let ends: Vec<_> = new.collect();
        let mut got: Vec<_> = rows.iter().map(text).collect();
        got.sort();
        let expected = self.model.advance(self.world.watermark);
        let what = self.of("the rows at the last watermark, sorted");
        differ(&what, got, expected).or_else(|| {
            let what = "the ends of the windows that have their first row at the last watermark";
            breach(ends.is_sorted(), &self.of(what), &ends, "the lowest first")
        })
    }

    fn record(&mut self, key: char, time: i64) -> Option<Difference> {
        let watermark = self.world.watermark;
        let (added, rows) = self.world.add(key, time);
        let expected = self.model.add(watermark, key, time);
        let got = (added, rows.iter().map(text).collect());
        let what = self.of("what becomes of the last record, and the rows that it emits");
        differ(&what, got, expected)
    }

    fn invariants(&self) -> Option<Difference> {
        let (got, expected) = (self.world.open(), self.model.open());
        let next = self.world.windows.next_timer().map(|timer| timer.0);
        let due = self.model.next(self.world.watermark);
        let is_in_time = due.is_none_or(|due| next.is_some_and(|next| next <= due));
        differ(&self.of("panes(), sorted"), got, expected).or_else(|| {
            let expected = format!("{due:?} or lower");
            breach(is_in_time, &self.of("next_timer()"), &next, &expected)
        })
    }
}

impl Both for History {
    type Step = Step;

    fn step(&mut self, step: &Step) -> Option<Difference> {
        let found = match step {
            Step::Record(key, time) => self.record(*key, *time),
            Step::Watermark(to) => self.watermark(*to),
            Step::Restart(reversed) => {
                self.world.restart(*reversed);
                None
            }
        };
        found.or_else(|| self.invariants())
    }
}

/// Records of three keys, mostly not far behind the latest.
fn steps(random: &mut Rng) -> Vec<Step> {
    let mut steps = Vec::new();
    let (mut latest, mut watermark) = (0, -20);
    for _ in 0..random.usize(10..50) {
        latest += random.i64(0..8);
        steps.push(match random.u8(0..100) {
            0..65 => {
                let key = ['a', 'a', 'b', 'c'][random.usize(..4)];
                Step::Record(key, latest - random.i64(0..40))
            }
            65..94 => {
                watermark += [1, 2, 5, 9, 40][random.usize(..5)];
                Step::Watermark(watermark)
            }
            _ => Step::Restart(random.bool()),
        });
    }
    steps.push(Step::Watermark(1_000));
    steps
}

fn play(seeds: std::ops::Range<u64>, rule: impl Fn(&mut Rng) -> Rule) {
    for seed in seeds {
        let mut random = Rng::with_seed(seed);
        let rule = rule(&mut random);
        check(None, || History::new(rule), steps(&mut random));
    }
}

#[test]
fn histories_of_windows() {
    case!(
        "Whatever comes, tumbling and sliding windows emit what a list of all panes says.",
        || {
            play(0..600, |random| {
                let step = random.i64(1..12);
                Rule {
                    size: step + [0, 0, random.i64(0..3 * step)][random.usize(..3)],
                    step: Some(step),
                    lateness: [0, 0, 3, 15, 50][random.usize(..5)],
                }
            });
        }
    );
}

#[test]
fn histories_of_sessions() {
    case!(
        "Whatever comes, sessions are joined, withdrawn and emitted as a list of all panes says.",
        || {
            play(0..1_000, |random| Rule {
                size: random.i64(1..15),
                step: None,
                lateness: [0, 0, 3, 15, 50][random.usize(..5)],
            });
        }
    );
}

#[test]
fn the_last_rows_are_a_recount() {
    case!(
        "If nothing is late, the last row of each session is what a recount of all records says.",
        || {
            for seed in 0..400 {
                recount(&mut Rng::with_seed(seed));
            }
        }
    );
}

/// Records in any order, with watermarks between them, and all the lateness that they need.
fn recount(random: &mut Rng) {
    let gap = random.i64(1..12);
    let mut world = World::session(gap, 1_000);
    let records = std::iter::repeat_with(|| (['a', 'b'][random.usize(..2)], random.i64(0..100)));
    let records: Vec<_> = records.take(30).collect();
    let mut rows = Vec::new();
    for (key, time) in &records {
        let (added, withdrawn) = world.add(*key, *time);
        expect_eq("counted, with lateness enough", added.counted, 1);
        rows.extend(withdrawn);
        if random.bool() {
            let watermark = world.watermark.max(0) + random.i64(1..10);
            rows.extend(world.advance(watermark));
        }
    }
    rows.extend(world.advance(i64::MAX));
    let mut last = BTreeMap::new();
    let mut revisions = BTreeMap::new();
    for row in &rows {
        let of = format!("{}, {}", row.key.0, shown(row.window));
        let revision = revisions.entry(of.clone()).or_insert(0);
        let what = format!("the revisions of {of} count up");
        expect(&what, row.revision == *revision);
        *revision += 1;
        match &row.content {
            Content::Value(times) => {
                last.insert((row.key.0, row.window), format!("{of}: {times:?}"))
            }
            Content::Withdrawn => last.remove(&(row.key.0, row.window)),
        };
    }
    let got: Vec<_> = last.into_values().collect();
    let what =
        format!("the last row of each window, gap {gap}, records in this order: {records:?}");
    expect_list(&what, &got, &sessions(gap, &records));
}
