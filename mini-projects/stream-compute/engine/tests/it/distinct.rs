//! About how many different values there are.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use message_model::Timestamp;
use proptest::prelude::*;
use stream_engine::{
    Aggregate, Content, Distinct, Handle, Job, MemorySink, OutOfOrder, Settings, Sketch, Windows,
};

use crate::gated::{Gate, gated};
use crate::{fixed, ms, parallel, run};

/// Four standard errors: the samples here are the same on every run.
const ERROR: f64 = 0.017 * 4.0;

fn is_near(found: u64, exact: usize) -> bool {
    let (found, exact) = (found as f64, exact as f64);
    (found - exact).abs() <= exact * ERROR
}

fn numbers(numbers: impl IntoIterator<Item = u64>) -> Sketch {
    let mut state = SAME.empty();
    for number in numbers {
        SAME.add(&mut state, &number);
    }
    state
}

const SAME: Distinct<fn(&u64) -> u64> = Distinct(|number| *number);

#[test]
fn the_error_is_within_its_bound() {
    for seed in 0..8u64 {
        for count in [0, 1, 10, 300, 3_000, 30_000, 200_000] {
            // Some come again and again.
            let of = (0..count * 2).map(|n| (seed << 32) + n % count.max(1));
            let found = SAME.value(&numbers(of));
            if count <= 300 {
                assert_eq!(found, count);
            }
            assert!(
                is_near(found, usize::try_from(count).unwrap()),
                "{found} of {count}"
            );
        }
    }
}

proptest! {
    #![proptest_config(fixed(60))]

    /// However the values were dealt out, and in whatever order the states are merged.
    #[test]
    fn merged_states_are_about_the_union(
        parts in proptest::collection::vec((0u64..50_000, 0u64..8_000), 1..5),
    ) {
        let mut all = BTreeSet::new();
        let mut merged = SAME.empty();
        let mut backwards = SAME.empty();
        for (first, count) in &parts {
            all.extend(*first..first + count);
            SAME.merge(&mut merged, numbers(*first..first + count));
        }
        for (first, count) in parts.iter().rev() {
            SAME.merge(&mut backwards, numbers(*first..first + count));
        }
        let (one, other) = (SAME.value(&merged), SAME.value(&backwards));
        prop_assert!(is_near(one, all.len()), "{one} of {}", all.len());
        prop_assert!(is_near(other, all.len()), "{other} of {}", all.len());
        // Merging with what is in it already changes nothing.
        for (first, count) in &parts {
            SAME.merge(&mut merged, numbers(*first..first + count));
        }
        prop_assert!(is_near(SAME.value(&merged), all.len()));
    }

    #[test]
    fn a_state_goes_on_behind_its_checkpoint(before in 0u64..20_000, after in 0u64..20_000) {
        let mut whole = numbers(0..before);
        let bytes = postcard::to_stdvec(&whole).unwrap();
        let mut restored = postcard::from_bytes(&bytes).unwrap();
        prop_assert_eq!(SAME.value(&restored), SAME.value(&whole));
        for number in before / 2..before / 2 + after {
            SAME.add(&mut whole, &number);
            SAME.add(&mut restored, &number);
        }
        prop_assert_eq!(SAME.value(&restored), SAME.value(&whole));
        prop_assert!(postcard::from_bytes::<Sketch>(&bytes[..bytes.len() - 1]).is_err());
    }
}

/// Time and value.
type Seen = (i64, u64);

/// Sessions of a key, with the number of different values in each.
fn job(seen: &Arc<Vec<Vec<Seen>>>, sink: &MemorySink<(i64, u64)>) -> (Job, Gate) {
    let (gate, source) = gated(seen);
    let order = OutOfOrder {
        bound: ms(100),
        idle_after: None,
        step: None,
    };
    let job = Job::new("distinct");
    let (rows, late) = job
        .source("seen", source)
        .event_time("time", order, |(time, _)| Timestamp(*time))
        .key_by(|_| 0)
        .window(Windows::session(ms(10)))
        .aggregate("distinct", Distinct(|(_, value): &Seen| *value));
    let row = |row: stream_engine::Row<i32, u64>| match row.content {
        Content::Value(count) => (row.window.start.0, count),
        Content::Withdrawn => panic!("withdrawn"),
    };
    rows.map("row", row).sink("rows", sink.clone());
    late.map("late", |seen| panic!("{seen:?} is late"))
        .discard("no late ones");
    (job, gate)
}

/// The sessions begin in pieces that are merged, because what is between comes later; and half of
/// the way, the job is stopped and goes on with more subtasks.
#[tokio::test(start_paused = true)]
async fn sessions_that_merge_count_what_both_have_once() {
    let mut random = fastrand::Rng::with_seed(3);
    let mut seen = Vec::new();
    for session in 0..4i64 {
        let mut part: Vec<Seen> = (0..1500)
            .map(|n| (session * 300 + n % 80, random.u64(0..2_000)))
            .collect();
        random.shuffle(&mut part);
        seen.extend(part);
    }
    let mut exact = BTreeMap::<i64, BTreeSet<u64>>::new();
    for (time, value) in &seen {
        exact.entry(time / 300 * 300).or_default().insert(*value);
    }
    let seen = Arc::new(vec![seen]);
    let sink = MemorySink::default();
    let (first, gate) = job(&seen, &sink);
    gate.allow(0, 2_200);
    let settings = parallel(2);
    let clock = settings.clock;
    let (handle, requests) = Handle::new();
    let running = tokio::spawn(async move { first.run(settings, requests).await });
    clock.sleep_until(clock.now().plus(ms(50))).await;
    handle.stop();
    let checkpoint = running.await.unwrap().unwrap().checkpoint.unwrap();
    let (second, gate) = job(&seen, &sink);
    gate.open();
    let settings = Settings {
        resume: Some((*checkpoint).clone()),
        ..parallel(4)
    };
    run(&second, settings).await.unwrap();
    let mut rows = sink.committed();
    rows.sort_unstable();
    assert_eq!(rows.len(), exact.len());
    for ((start, found), (wanted, values)) in rows.into_iter().zip(exact) {
        assert_eq!(start, wanted);
        assert!(is_near(found, values.len()), "{found} of {}", values.len());
    }
}
