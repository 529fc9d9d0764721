//! The in-flight map against a naive model of it.

use std::collections::BTreeMap;
use std::time::Duration;

use message_model::Moment;
use networking::{CallId, Effect, Ended, Event, InFlight};
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Step {
    Call {
        patience: u64,
    },
    /// Of the n-th id that was ever sent, modulo their number.
    Reply(usize),
    Cancel(usize),
    Tick,
    Wait(u64),
    Close,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..50_u64).prop_map(|patience| Step::Call { patience }),
        4 => any::<usize>().prop_map(Step::Reply),
        1 => any::<usize>().prop_map(Step::Cancel),
        2 => Just(Step::Tick),
        2 => (0..30_u64).prop_map(Step::Wait),
        1 => (0..40_u8).prop_map(|n| if n == 0 { Step::Close } else { Step::Tick }),
    ]
}

/// What should be in the map: id → deadline and waiter.
type Model = BTreeMap<CallId, (u64, usize)>;

fn moment(millis: u64) -> Moment {
    Moment::after_start(Duration::from_millis(millis))
}

/// Takes out of the model what `event` should end, in order of deadline.
fn expected(model: &mut Model, event: &Event<usize>, now: u64) -> Vec<(usize, Ended)> {
    let (ids, how): (Vec<CallId>, Ended) = match event {
        Event::Call { .. } => return vec![],
        Event::Reply(id) => (vec![*id], Ended::Replied),
        Event::Cancel(id) => (vec![*id], Ended::Cancelled),
        Event::Tick => {
            let mut due: Vec<_> = model
                .iter()
                .filter(|(_, (deadline, _))| *deadline <= now)
                .collect();
            due.sort_by_key(|(_, (deadline, waiter))| (*deadline, *waiter));
            (
                due.into_iter().map(|(id, _)| *id).collect(),
                Ended::DeadlinePassed,
            )
        }
        Event::Close => (model.keys().copied().collect(), Ended::Closed),
    };
    let ended = ids.iter().filter_map(|id| model.remove(id));
    ended.map(|(_, waiter)| (waiter, how)).collect()
}

proptest! {
    #[test]
    fn it_does_what_the_model_does(
        steps in prop::collection::vec(step(), 1..200),
        limit in 1..10_usize,
        first in prop_oneof![Just(0), Just(i32::MAX - 3)],
    ) {
        let mut calls = InFlight::starting_at(CallId(first), limit);
        let (mut model, mut sent) = (Model::new(), vec![CallId(12)]);
        let (mut now, mut is_closed) = (0, false);
        for (waiter, step) in steps.into_iter().enumerate() {
            let event = match step {
                Step::Wait(millis) => {
                    now += millis;
                    continue;
                }
                Step::Call { patience } => {
                    let deadline = now + patience;
                    let call = Event::Call { deadline: moment(deadline), waiter };
                    let effects = calls.step(moment(now), call);
                    match &effects[..] {
                        [Effect::Send(id)] => {
                            prop_assert!(!is_closed && model.len() < limit);
                            prop_assert!(model.insert(*id, (deadline, waiter)).is_none());
                            sent.push(*id);
                        }
                        [Effect::End(ended, Ended::Refused)] => {
                            prop_assert_eq!(*ended, waiter);
                            prop_assert!(!is_closed && model.len() == limit);
                        }
                        [Effect::End(ended, Ended::Closed)] => {
                            prop_assert_eq!(*ended, waiter);
                            prop_assert!(is_closed);
                        }
                        other => prop_assert!(false, "{other:?}"),
                    }
                    continue;
                }
                Step::Reply(which) => Event::Reply(sent[which % sent.len()]),
                Step::Cancel(which) => Event::Cancel(sent[which % sent.len()]),
                Step::Tick => Event::Tick,
                Step::Close => Event::Close,
            };
            is_closed |= event == Event::Close;
            let expected = expected(&mut model, &event, now);
            let mut got = Vec::new();
            for effect in calls.step(moment(now), event) {
                match effect {
                    Effect::End(waiter, how) => got.push((waiter, how)),
                    Effect::Send(id) => prop_assert!(false, "sends {id:?}"),
                }
            }
            prop_assert_eq!(got, expected);
            prop_assert_eq!(calls.len(), model.len());
            let next = model.values().map(|(deadline, _)| moment(*deadline)).min();
            // A call that has ended may still be slept for; no call is overslept.
            prop_assert_eq!(calls.next_deadline().is_some(), next.is_some());
            prop_assert!(calls.next_deadline() <= next);
        }
    }
}
