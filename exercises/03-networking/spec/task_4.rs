//! Serving a connection.

use std::time::Duration;

use spec_harness::{case, expect, expect_eq, fail};

use super::histories::{
    Pace, expect_every_history, expect_history, expect_random_history, with_runtime,
};
use super::part::Order;
use super::play::Play;
use super::scene::{End, Event, IDLE, Kind, Lost, PIECES, Scene, Seen};

use Event::{Arrives, Breaks, Closes, Effect, Half, Ready, Stop, Take, WriterFails};
use Kind::{Close, Later, Now, Silence};

/// Longer than anything that has a limit.
const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Requests of these kinds, each of which takes effect when it is begun; the
/// writer takes everything, answers leave as requested, and 10 may be pending.
fn scene(kinds: &[Kind]) -> Scene {
    Scene {
        order: Order::AsRequested,
        pending_max: 10,
        kinds: kinds.to_vec(),
        effects_at_once: true,
        takes_all: true,
        during: None,
    }
}

/// The same, but they take effect by an event.
fn with_effects(kinds: &[Kind]) -> Scene {
    Scene {
        effects_at_once: false,
        ..scene(kinds)
    }
}

/// The same, but the writer takes half an answer by an event.
fn with_slow_writer(kinds: &[Kind]) -> Scene {
    Scene {
        takes_all: false,
        ..scene(kinds)
    }
}

#[test]
fn a_request_is_begun_and_answered() {
    case!(
        "A request is begun when it has arrived, and its answer is written when it has taken effect.",
        || {
            let two = with_effects(&[Now, Now]);
            expect_history(&two, &[Half, Arrives, Effect, Arrives, Effect]);
        }
    );
}

#[test]
fn a_request_begins_when_the_one_before_has_taken_effect() {
    case!(
        "Two requests that arrive together begin one after the other: what the first one changes, the second one finds changed.",
        || {
            let two = with_effects(&[Now, Now]);
            expect_history(&two, &[Arrives, Arrives, Effect, Effect]);
            let three = with_effects(&[Later, Silence, Now]);
            expect_history(&three, &[Arrives, Arrives, Arrives, Effect, Effect, Effect]);
        }
    );
}

#[test]
fn it_reads_on_while_an_answer_is_pending() {
    case!(
        "An answer that comes later holds no request up: the next ones are read and begun meanwhile.",
        || {
            let three = scene(&[Later, Later, Later]);
            let arrive = [Arrives, Arrives, Arrives];
            expect_history(
                &three,
                &[&arrive[..], &[Ready(0), Ready(1), Ready(2)]].concat(),
            );
        }
    );
}

#[test]
fn answers_leave_in_the_order_of_their_requests() {
    case!(
        "With `AsRequested` an answer that is ready waits for those of the requests before its own.",
        || {
            let three = scene(&[Later, Now, Later]);
            expect_history(&three, &[Arrives, Arrives, Arrives, Ready(2), Ready(0)]);
        }
    );
}

#[test]
fn answers_leave_as_they_become_ready() {
    case!("With `AsReady` no answer waits for another one.", || {
        let three = Scene {
            order: Order::AsReady,
            ..scene(&[Later, Now, Later])
        };
        let history = [Arrives, Arrives, Arrives, Ready(2), Ready(0)];
        expect_history(&three, &history);
    });
}

#[test]
fn a_request_without_an_answer_leaves_no_gap() {
    case!(
        "`Silence` writes nothing, is not pending, and no other answer waits for it.",
        || {
            let kinds = [Silence, Now, Silence, Silence, Later];
            let one = Scene {
                pending_max: 1,
                ..scene(&kinds)
            };
            expect_history(
                &one,
                &[Arrives, Arrives, Arrives, Arrives, Arrives, Ready(4)],
            );
        }
    );
}

#[test]
fn at_most_so_many_are_pending() {
    case!(
        "At the bound no further request is read: the peer's own socket stops it. There is room again when an answer has been written whole.",
        || {
            let two = Scene {
                pending_max: 2,
                takes_all: false,
                ..scene(&[Later, Later, Later, Later])
            };
            let arrive = [Arrives, Arrives, Arrives, Arrives];
            let answers = [
                Ready(1),
                Ready(0),
                Take,
                Take,
                Take,
                Take,
                Ready(2),
                Take,
                Take,
            ];
            expect_history(&two, &[&arrive[..], &answers].concat());
        }
    );
}

#[test]
fn a_slow_writer_holds_up_neither_requests_nor_answers() {
    case!(
        "While an answer is being written to a peer that takes it slowly, requests begin, and other answers become ready.",
        || {
            let three = with_slow_writer(&[Now, Later, Now]);
            expect_history(
                &three,
                &[
                    Arrives,
                    Take,
                    Arrives,
                    Arrives,
                    Ready(1),
                    Take,
                    Take,
                    Take,
                    Take,
                    Take,
                ],
            );
            let ready = Scene {
                order: Order::AsReady,
                ..three
            };
            expect_history(
                &ready,
                &[
                    Arrives,
                    Take,
                    Arrives,
                    Arrives,
                    Ready(1),
                    Take,
                    Take,
                    Take,
                    Take,
                    Take,
                ],
            );
        }
    );
}

#[test]
fn nothing_is_waited_for_when_the_peer_is_gone() {
    case!(
        "When the peer closes the connection, the futures of pending answers are dropped: what they wait for must not outlive it.",
        || {
            expect_history(&scene(&[Later, Later]), &[Arrives, Arrives, Closes]);
            expect_history(&scene(&[Later, Later]), &[Arrives, Arrives, Breaks]);
            let at_the_bound = Scene {
                pending_max: 1,
                ..scene(&[Later])
            };
            expect_history(&at_the_bound, &[Arrives, Closes]);
            let begins = with_effects(&[Later, Later]);
            expect_history(&begins, &[Arrives, Effect, Arrives, Closes, Effect]);
        }
    );
}

#[test]
fn what_arrived_before_the_close_takes_effect() {
    case!(
        "A peer may send requests that need no answer and close: all that arrived is begun, and finished, first.",
        || {
            let three = with_effects(&[Silence, Now, Silence]);
            let arrive = [Arrives, Arrives, Arrives, Closes];
            expect_history(&three, &[&arrive[..], &[Effect, Effect, Effect]].concat());
        }
    );
}

#[test]
fn an_answer_that_is_ready_is_written_after_the_close() {
    case!(
        "A peer that has closed its own direction may still read: what is ready is written, what is pending is not waited for.",
        || {
            let three = with_slow_writer(&[Now, Now, Later, Now]);
            let arrive = [Arrives, Arrives, Arrives, Arrives, Closes];
            expect_history(&three, &[&arrive[..], &[Take, Take, Take, Take]].concat());
        }
    );
}

#[test]
fn half_a_request_at_the_end_is_an_error() {
    case!(
        "A connection that ends inside a request ends with `Closing::Read`: the log must say so.",
        || {
            expect_history(&scene(&[Now, Now]), &[Arrives, Half, Closes]);
            expect_history(&scene(&[Later, Now]), &[Arrives, Half, Closes]);
        }
    );
}

#[test]
fn a_stop_begins_nothing_and_answers_what_was_begun() {
    case!(
        "After the stop no request is read. Those that were begun are answered, and then it ends.",
        || {
            let three = with_effects(&[Later, Now, Now]);
            expect_history(
                &three,
                &[Arrives, Effect, Arrives, Arrives, Stop, Effect, Ready(0)],
            );
            expect_history(&with_slow_writer(&[Now]), &[Arrives, Take, Stop, Take]);
            expect_history(&scene(&[Now]), &[Stop]);
            expect_history(&scene(&[Later]), &[Arrives, Stop, Closes]);
        }
    );
}

#[test]
fn close_is_the_last_answer() {
    case!(
        "An `Answer::Close` closes the connection once the requests before it are answered; no further one is read.",
        || {
            let three = scene(&[Later, Close, Now]);
            expect_history(&three, &[Arrives, Arrives, Arrives, Ready(0)]);
        }
    );
}

#[test]
fn a_writer_that_fails_ends_it() {
    case!(
        "When an answer cannot be written, nothing is waited for and nothing more is written; it ends with `Closing::Write`.",
        || {
            expect_history(
                &scene(&[Later, Later]),
                &[WriterFails, Arrives, Arrives, Ready(0)],
            );
            let begins = Scene {
                takes_all: false,
                ..with_effects(&[Now, Now, Now])
            };
            let history = [Arrives, Effect, Take, Arrives, Arrives, WriterFails, Effect];
            expect_history(&begins, &history);
        }
    );
}

#[test]
fn a_writer_that_has_failed_is_not_used_again() {
    case!(
        "After a failed write the writer gets no further answer, also if it would take one: the peer has half of another one, and would take this one for the rest of it.",
        || {
            let three = scene(&[Later, Now, Now]);
            let arrive = [Arrives, Arrives, Arrives, WriterFails, Ready(0)];
            expect_history(&three, &arrive);
            let begins = Scene {
                order: Order::AsReady,
                takes_all: false,
                ..with_effects(&[Now, Now])
            };
            let history = [Arrives, Effect, Take, Arrives, WriterFails, Effect];
            expect_history(&begins, &history);
        }
    );
}

/// What is seen when all requests have arrived before the loop runs, and how many had
/// begun when each piece of an answer was written.
async fn all_at_once(scene: &Scene) -> (Seen, Vec<usize>) {
    let mut play = Play::new(scene);
    for _ in &scene.kinds {
        play.act(Arrives);
    }
    let seen = settle(&mut play, "all requests have arrived together").await;
    (seen, play.begun_when_written())
}

#[test]
fn a_stop_goes_before_requests_that_are_ready() {
    case!(
        "A peer that sends without pause does not keep the server from stopping: after the stop no request begins, however many have arrived.",
        || with_runtime(async {
            for number in 0..100 {
                let silent = Scene {
                    during: Some((number, Stop)),
                    ..scene(&[Silence; 1_000])
                };
                let (seen, _) = all_at_once(&silent).await;
                let what = format!(
                    "requests begun, of 1,000 that have arrived, when the stop comes while #{number} is begun"
                );
                expect_eq(&what, seen.begun, number + 1);
                expect_eq("the end after the stop", seen.end, Some(End::Stop));
            }
        })
    );
}

#[test]
fn an_answer_goes_before_requests_that_are_ready() {
    case!(
        "A peer that sends without pause gets its answers: one that is ready is written before the next request begins.",
        || with_runtime(async {
            for number in 1..100 {
                let mut kinds = [Silence; 200];
                kinds[0] = Later;
                let later = Scene {
                    during: Some((number, Ready(0))),
                    ..scene(&kinds)
                };
                let (_, begun) = all_at_once(&later).await;
                let what = format!(
                    "requests begun, of 200 that have arrived, when each half of answer #0 is written, which is ready while #{number} is begun"
                );
                expect_eq(&what, begun, vec![number + 1; PIECES]);
            }
        })
    );
}

#[test]
fn an_answer_is_written_before_the_next_request_begins() {
    case!(
        "While the writer takes everything, an answer that is there at once is written before the next request begins, however many have arrived.",
        || with_runtime(async {
            let (seen, begun) = all_at_once(&scene(&[Now; 200])).await;
            expect_eq(
                "halves of answers written",
                seen.written.len(),
                200 * PIECES,
            );
            for (index, begun) in begun.into_iter().enumerate() {
                let number = index / PIECES;
                let what = format!("requests begun when half of answer #{number} is written");
                expect_eq(&what, begun, number + 1);
            }
        })
    );
}

#[test]
fn only_a_connection_without_pending_answers_is_idle() {
    case!(
        "A peer may be silent for `Terms::idle` when nothing is pending, and as long as it likes while it waits for an answer.",
        || with_runtime(async {
            let mut play = Play::new(&scene(&[Later, Now]));
            let almost = IDLE - Duration::from_secs(1);
            for event in [Arrives, Ready(0)] {
                play.act(event);
                expect_goes_on(&mut play, "a moment").await;
                tokio::time::advance(almost).await;
                expect_goes_on(&mut play, "59 s of silence").await;
            }
            play.act(Arrives);
            expect_goes_on(&mut play, "a moment").await;
            tokio::time::advance(almost).await;
            expect_goes_on(&mut play, "59 s of silence").await;
            tokio::time::advance(Duration::from_secs(2)).await;
            let silent = Some(End::Read(Lost::Silent));
            let seen = settle(&mut play, "61 s of silence").await;
            expect_eq("the end after 61 s", seen.end, silent);

            let mut play = Play::new(&scene(&[Later]));
            play.act(Arrives);
            expect_goes_on(&mut play, "a moment").await;
            tokio::time::advance(YEAR).await;
            expect_goes_on(&mut play, "a year, with an answer pending").await;
        })
    );
}

#[test]
fn a_connection_is_not_idle_while_an_answer_is_written() {
    case!(
        "An answer is pending until it is written whole: a peer that takes a long answer slowly is not idle. `Terms::idle` begins behind the answer.",
        || with_runtime(async {
            let mut play = Play::new(&with_slow_writer(&[Now]));
            play.act(Arrives);
            expect_goes_on(&mut play, "a moment").await;
            for half in ["no half", "half"] {
                tokio::time::advance(YEAR).await;
                expect_goes_on(&mut play, &format!("a year, {half} of the answer written")).await;
                play.act(Take);
                expect_goes_on(&mut play, "one half more").await;
            }
            tokio::time::advance(IDLE - Duration::from_secs(1)).await;
            expect_goes_on(&mut play, "59 s of silence behind the answer").await;
            tokio::time::advance(Duration::from_secs(2)).await;
            let silent = Some(End::Read(Lost::Silent));
            let seen = settle(&mut play, "61 s of silence behind the answer").await;
            expect_eq("the end after 61 s", seen.end, silent);
        })
    );
}

async fn settle(play: &mut Play, after: &str) -> Seen {
    let what = format!("the connection after {after}");
    match play.settle().await {
        Ok(seen) => seen,
        Err(wrong) => fail(&what, "that it is served", &wrong),
    }
}

async fn expect_goes_on(play: &mut Play, after: &str) {
    let what = format!("the end after {after}");
    expect_eq(&what, settle(play, after).await.end, None);
}

#[test]
fn every_order_of_three_requests() {
    case!(
        "Three requests, every interleaving of arrivals, effects and answers, each bound, both orders.",
        || {
            for order in [Order::AsRequested, Order::AsReady] {
                for pending_max in 1..=3 {
                    for kinds in [
                        [Later, Later, Later],
                        [Later, Now, Later],
                        [Silence, Later, Now],
                    ] {
                        let scene = Scene {
                            order,
                            pending_max,
                            ..with_effects(&kinds)
                        };
                        expect_every_history(&scene, &[Arrives], 9, Pace::One);
                    }
                }
            }
        }
    );
}

#[test]
fn nothing_is_lost_when_two_things_happen_at_once() {
    case!(
        "Whatever else happens while a request is taken out of the connection: it is begun, and answered.",
        || {
            for effects_at_once in [true, false] {
                let scene = Scene {
                    effects_at_once,
                    takes_all: effects_at_once,
                    ..scene(&[Later, Later, Now])
                };
                expect_every_history(&scene, &[Arrives], 10, Pace::Odd);
                expect_every_history(&scene, &[Arrives], 10, Pace::Even);
            }
        }
    );
}

#[test]
fn every_interleaving_with_a_slow_writer() {
    case!(
        "Two requests, the writer takes half an answer at a time, and fails at any point.",
        || {
            for order in [Order::AsRequested, Order::AsReady] {
                for pending_max in 1..=2 {
                    let scene = Scene {
                        order,
                        pending_max,
                        ..with_slow_writer(&[Later, Now, Later])
                    };
                    expect_every_history(&scene, &[Arrives, WriterFails], 9, Pace::One);
                }
            }
        }
    );
}

#[test]
fn every_interleaving_with_an_end_at_any_point() {
    case!(
        "The peer closes, the connection breaks, the server stops: at any point of two requests, and in any order.",
        || {
            for kinds in [
                [Later, Now],
                [Silence, Later],
                [Later, Close],
                [Later, Later],
            ] {
                for pending_max in 1..=2 {
                    let scene = Scene {
                        pending_max,
                        takes_all: false,
                        ..with_effects(&kinds)
                    };
                    expect_every_history(&scene, &[Arrives, Closes, Stop], 9, Pace::One);
                    expect_every_history(&scene, &[Half, Arrives, Breaks], 7, Pace::One);
                }
            }
        }
    );
}

#[test]
fn long_random_histories() {
    case!(
        "Hundreds of random histories of 60 events with up to 20 requests.",
        || {
            let among = [Half, Arrives, Arrives, Arrives];
            let ends = [
                Half,
                Arrives,
                Arrives,
                Arrives,
                Arrives,
                Arrives,
                Closes,
                Breaks,
                Stop,
                WriterFails,
            ];
            for seed in 0..400 {
                let mut random = fastrand::Rng::with_seed(seed);
                let kind = |random: &mut fastrand::Rng| {
                    *random.choice(&[Now, Later, Later, Silence]).unwrap_or(&Now)
                };
                let scene = Scene {
                    order: if random.bool() {
                        Order::AsRequested
                    } else {
                        Order::AsReady
                    },
                    pending_max: random.usize(1..6),
                    kinds: (0..20).map(|_| kind(&mut random)).collect(),
                    effects_at_once: random.bool(),
                    takes_all: random.bool(),
                    during: None,
                };
                expect_random_history(&scene, &among, 60, &mut random);
                expect_random_history(&scene, &ends, 60, &mut random);
            }
        }
    );
}

#[test]
fn thousands_of_requests_cost_what_they_are() {
    case!(
        "Ten thousand requests with a thousand answers pending: an answer that becomes ready does not cost a look at the other 999.",
        || with_runtime(async {
            let (count, pending) = (10_000, 1_000);
            let thousands = Scene {
                pending_max: pending,
                ..scene(&vec![Later; count])
            };
            let mut play = Play::new(&thousands);
            for number in 0..count + pending {
                if number < count {
                    play.act(Arrives);
                }
                if let Some(ready) = number.checked_sub(pending) {
                    play.act(Ready(ready));
                }
                if let Err(wrong) = play.run().await {
                    let what = format!(
                        "the connection after {} requests have arrived",
                        count.min(number + 1)
                    );
                    fail(&what, "that it is served", &wrong);
                }
                let what = format!(
                    "the futures of {count} answers are polled at most {} times",
                    4 * count
                );
                expect(&what, play.answer_polls() <= 4 * count);
                let what = format!("the loop itself is polled at most {} times", 10 * count);
                expect(&what, play.polls <= 10 * count);
            }
            let seen = play.settle().await.unwrap_or_default();
            expect_eq("requests begun", seen.begun, count);
            expect_eq("pieces written", seen.written.len(), PIECES * count);
        })
    );
}
