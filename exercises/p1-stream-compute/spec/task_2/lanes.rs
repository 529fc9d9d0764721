//! The lowest watermark of several inputs, by itself: every combination of what they say.

use message_model::Timestamp;
use spec_harness::{case, expect_eq};

use super::{Lane, LowestWatermark, Progress, text};

/// What an input may say, from nothing to the end.
const SAID: [(Option<i64>, bool); 8] = [
    (None, false),
    (None, true),
    (Some(10), false),
    (Some(10), true),
    (Some(20), false),
    (Some(20), true),
    (Some(i64::MAX), false),
    (Some(i64::MAX), true),
];

fn lane((watermark, idle): (Option<i64>, bool)) -> Lane {
    let watermark = watermark.map(Timestamp);
    Lane { watermark, idle }
}

fn said((watermark, idle): (Option<i64>, bool)) -> String {
    let watermark = watermark.map(Timestamp);
    text(Progress { watermark, idle })
}

/// What a person would say of inputs that have all just come.
fn expected(lanes: &[(Option<i64>, bool)], before: Option<i64>) -> Progress {
    let (mut awaited, mut may_go_on) = (Vec::new(), false);
    for (watermark, idle) in lanes {
        if *watermark == Some(i64::MAX) {
            continue;
        }
        may_go_on = true;
        if !idle {
            awaited.push(*watermark);
        }
    }
    let lowest = match (may_go_on, awaited.is_empty()) {
        (false, _) => Some(i64::MAX),
        (true, true) => None,
        (true, false) => awaited.iter().copied().min().flatten(),
    };
    Progress {
        watermark: before.max(lowest).map(Timestamp),
        idle: may_go_on && awaited.is_empty(),
    }
}

#[test]
fn every_three_inputs() {
    case!(
        "Whatever three inputs say: the lowest of those that are waited for, if they all have one.",
        || {
            for one in SAID {
                for two in SAID {
                    for three in SAID {
                        let mut lowest = LowestWatermark::default();
                        for (input, lane_of) in (0..).zip([one, two, three]) {
                            lowest.set(input, lane(lane_of));
                        }
                        let what = format!("inputs: {}; {}; {}", said(one), said(two), said(three));
                        let wanted = expected(&[one, two, three], None);
                        expect_eq(&what, text(lowest.progress()), text(wanted));
                    }
                }
            }
        }
    );
}

#[test]
fn every_change_of_two_inputs() {
    case!(
        "Whatever two inputs said before: the watermark does not go back, and asking twice is no news.",
        || {
            for before in SAID {
                for then in SAID {
                    for other in SAID {
                        change([before, other], [then, other]);
                    }
                }
            }
        }
    );
}

fn change(before: [(Option<i64>, bool); 2], then: [(Option<i64>, bool); 2]) {
    let mut lowest = LowestWatermark::default();
    let set = |lowest: &mut LowestWatermark, both: [(Option<i64>, bool); 2]| {
        lowest.set(0, lane(both[0]));
        lowest.set(4, lane(both[1]));
        lowest.progress()
    };
    let first = set(&mut lowest, before);
    let second = set(&mut lowest, then);
    let wanted = expected(&then, first.watermark.map(|time| time.0));
    let what = format!(
        "inputs: {}; {}; then the first one: {}",
        said(before[0]),
        said(before[1]),
        said(then[0])
    );
    expect_eq(&what, text(second), text(wanted));
    expect_eq(&format!("{what}; asked again"), lowest.progress(), second);
}

#[test]
fn no_inputs() {
    case!("No inputs at all are idle, and not over.", || {
        let got = LowestWatermark::default().progress();
        expect_eq("no inputs", text(got), "no watermark, idle".to_owned());
    });
}
