//! The wheel against a map that is obviously right.

use std::collections::BTreeMap;
use std::time::Duration;

use async_model::Timers;
use message_model::Moment;
use proptest::prelude::*;

#[derive(Debug, Clone, Copy)]
enum Step {
    /// A deadline this long after now.
    Schedule(Duration),
    /// A deadline this long after the start, which may be over.
    ScheduleAt(Duration),
    /// The timer of this number, counted from the first one and around.
    Cancel(usize),
    /// So much time passes.
    Expire(Duration),
}

/// From nanoseconds to years; most are near.
fn stretch() -> impl Strategy<Value = Duration> {
    prop_oneof![
        4 => (0_u64..200_000_000).prop_map(Duration::from_nanos),
        4 => (0_u64..100_000).prop_map(Duration::from_millis),
        1 => (0_u64..100_000_000_000).prop_map(Duration::from_millis),
        1 => (0_u32..64).prop_map(|bits| Duration::from_millis(1 << bits)),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => stretch().prop_map(Step::Schedule),
        1 => stretch().prop_map(Step::ScheduleAt),
        1 => Just(Step::Schedule(Duration::MAX)),
        3 => any::<usize>().prop_map(Step::Cancel),
        3 => stretch().prop_map(Step::Expire),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn the_wheel_answers_as_an_ordered_map_does(steps in prop::collection::vec(step(), 1..120)) {
        let mut timers = Timers::new();
        let mut model = BTreeMap::new();
        let mut scheduled = Vec::new();
        let mut now = Moment::START;
        for step in steps {
            match step {
                Step::Schedule(wait) => {
                    let deadline = now.plus(wait);
                    let key = scheduled.len();
                    scheduled.push((timers.schedule(deadline, key), deadline));
                    model.insert((deadline, key), ());
                }
                Step::ScheduleAt(elapsed) => {
                    let deadline = Moment::after_start(elapsed);
                    let key = scheduled.len();
                    scheduled.push((timers.schedule(deadline, key), deadline));
                    model.insert((deadline, key), ());
                }
                Step::Cancel(_) if scheduled.is_empty() => {}
                Step::Cancel(which) => {
                    let key = which % scheduled.len();
                    let (id, deadline) = scheduled[key];
                    let expected = model.remove(&(deadline, key)).map(|()| key);
                    prop_assert_eq!(timers.cancel(id), expected);
                }
                Step::Expire(wait) => {
                    now = now.plus(wait);
                    let waits = model.split_off(&(now, usize::MAX));
                    let due: Vec<usize> = model.into_keys().map(|(_, key)| key).collect();
                    model = waits;
                    prop_assert_eq!(timers.expire(now), due);
                    let next = timers.next_deadline();
                    prop_assert!(next.is_none_or(|next| next > now), "{:?} at {:?}", next, now);
                }
            }
            prop_assert_eq!(timers.len(), model.len());
            prop_assert_eq!(timers.is_empty(), model.is_empty());
            let first = model.keys().next().map(|(deadline, _)| *deadline);
            let next = timers.next_deadline();
            prop_assert_eq!(next.is_some(), first.is_some());
            prop_assert!(next <= first, "{:?} is later than {:?}", next, first);
        }
    }

    /// As long as nothing is cancelled, it is not only a bound.
    #[test]
    fn without_cancelling_the_next_deadline_is_exact(
        waits in prop::collection::vec((stretch(), stretch()), 1..50),
    ) {
        let mut timers = Timers::new();
        let mut model: Vec<Moment> = Vec::new();
        let mut now = Moment::START;
        for (wait, passes) in waits {
            model.push(now.plus(wait));
            timers.schedule(now.plus(wait), ());
            prop_assert_eq!(timers.next_deadline(), model.iter().min().copied());
            now = now.plus(passes);
            timers.expire(now);
            model.retain(|deadline| *deadline > now);
            prop_assert_eq!(timers.next_deadline(), model.iter().min().copied());
        }
    }
}
