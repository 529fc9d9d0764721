//! Every order of small histories, and random ones of large histories.

use std::time::Duration;

use spec_harness::case;

use super::super::part::Limits;
use super::LIMITS;
use super::explore::{every_order, some_orders};
use super::world::Scenario;

/// Records at the offsets 0, 1, 2 …, of these keys; 0 is none.
fn scenario(limits: Limits, keys: &[u64]) -> Scenario {
    let keys = keys.iter().map(|key| Some(*key).filter(|key| *key > 0));
    Scenario {
        limits,
        records: (0..).zip(keys).collect(),
        failures: 0,
        stale: 0,
        ticks: 0,
        is_revoked: false,
    }
}

#[test]
fn two_keys_in_every_order() {
    case!(
        "Two keys, two workers, in every order: each law holds.",
        || {
            every_order(&scenario(LIMITS, &[1, 1, 2, 2, 1]));
        }
    );
}

#[test]
fn three_workers_and_a_small_window() {
    case!(
        "Three workers, records with and without a key, and a window of three.",
        || {
            let limits = Limits {
                workers: 3,
                window_max: 3,
                ..LIMITS
            };
            every_order(&scenario(limits, &[1, 0, 2, 1, 0, 2]));
        }
    );
}

#[test]
fn one_worker_and_a_hot_key() {
    case!(
        "One worker, a key with many records, and two with one.",
        || {
            let limits = Limits {
                workers: 1,
                ..LIMITS
            };
            every_order(&scenario(limits, &[1, 1, 1, 2, 1, 3, 1]));
        }
    );
}

#[test]
fn failures_in_every_order() {
    case!(
        "Workers that fail, in every order, up to the last attempt.",
        || {
            every_order(&Scenario {
                failures: 3,
                ..scenario(LIMITS, &[1, 1, 2, 0])
            });
            let limits = Limits {
                workers: 1,
                ..LIMITS
            };
            every_order(&Scenario {
                failures: 2,
                ..scenario(limits, &[1, 2, 3])
            });
        }
    );
}

#[test]
fn failures_at_different_times() {
    case!(
        "Pauses that end at the same time, and one after the other.",
        || {
            let limits = Limits {
                workers: 3,
                tries_max: 3,
                ..LIMITS
            };
            every_order(&Scenario {
                failures: 3,
                ticks: 2,
                ..scenario(limits, &[1, 2, 3])
            });
        }
    );
}

#[test]
fn revoked_at_any_moment() {
    case!(
        "The partition is revoked at any moment, and workers fail.",
        || {
            let limits = Limits {
                tries_max: 2,
                ..LIMITS
            };
            for keys in [[1, 2, 1, 2], [1, 1, 2, 1]] {
                every_order(&Scenario {
                    failures: 2,
                    is_revoked: true,
                    ..scenario(limits, &keys)
                });
            }
        }
    );
}

#[test]
fn stale_news_at_any_moment() {
    case!(
        "A record that is not in hand is said to be done, at any moment.",
        || {
            every_order(&Scenario {
                failures: 1,
                stale: 1,
                ..scenario(LIMITS, &[1, 2, 1, 1])
            });
        }
    );
}

#[test]
fn gaps_in_every_order() {
    case!("Offsets with gaps, in every order.", || {
        let records = [(3, Some(1)), (7, Some(2)), (8, Some(1)), (20, None)];
        every_order(&Scenario {
            records: records.to_vec(),
            ..scenario(LIMITS, &[])
        });
    });
}

#[test]
fn random_histories() {
    case!(
        "Two hundred random histories of 150 records, with a hot key and failures: each law holds.",
        || {
            let limits = Limits {
                workers: 3,
                window_max: 16,
                tries_max: 3,
                backoff: Duration::from_millis(5),
            };
            some_orders((0..200).map(|seed| {
                // A third of the records is of key 1, the others are of eight keys.
                let keys: Vec<u64> = (0..150_u64)
                    .map(|at| {
                        if at % 3 == 0 {
                            1
                        } else {
                            2 + at * (seed + 7) / 3 % 8
                        }
                    })
                    .collect();
                let scenario = Scenario {
                    failures: 40,
                    ticks: 40,
                    is_revoked: seed % 4 == 0,
                    ..scenario(limits, &keys)
                };
                (seed, scenario)
            }));
        }
    );
}
