//! Windows of keys, against a recount of all records at once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use message_model::Timestamp;
use proptest::prelude::*;
use stream_engine::{
    Added, Aggregate, Content, Keyed, KeyedWindows, Pane, Row, Window, WindowRule, Windows,
};

/// The numbers of the records, so that one that is counted twice is seen.
#[derive(Debug, Clone, Copy)]
struct Numbers;

impl Aggregate<u32> for Numbers {
    type State = Vec<u32>;
    type Value = Vec<u32>;

    fn empty(&self) -> Vec<u32> {
        Vec::new()
    }

    fn add(&self, state: &mut Vec<u32>, value: &u32) {
        state.push(*value);
    }

    fn merge(&self, state: &mut Vec<u32>, other: Vec<u32>) {
        state.extend(other);
    }

    fn value(&self, state: &Vec<u32>) -> Vec<u32> {
        let mut numbers = state.clone();
        numbers.sort_unstable();
        numbers
    }
}

type Key = u8;
type Results = BTreeMap<(Key, Window), Vec<u32>>;

/// The windows under test, with what they have emitted and what was late.
struct Run {
    windows: KeyedWindows<Key, Vec<u32>>,
    rule: WindowRule<Numbers>,
    watermark: Timestamp,
    rows: Vec<Row<Key, Vec<u32>>>,
    late: BTreeSet<u32>,
}

impl Run {
    fn new(windows: Windows, lateness: i64) -> Run {
        Run {
            windows: KeyedWindows::default(),
            rule: WindowRule {
                windows,
                lateness: Duration::from_millis(lateness.unsigned_abs()),
                aggregate: Numbers,
            },
            watermark: Timestamp(i64::MIN),
            rows: Vec::new(),
            late: BTreeSet::new(),
        }
    }

    fn add(&mut self, number: u32, (key, time): (Key, i64)) -> Added {
        let record = Keyed {
            time: Timestamp(time),
            key,
            value: number,
        };
        let rows = &mut self.rows;
        let emit = |row| rows.push(row);
        let added = self.windows.add(&self.rule, self.watermark, &record, emit);
        if added.counted == 0 {
            self.late.insert(number);
        }
        added
    }

    fn advance(&mut self, watermark: i64) {
        self.watermark = self.watermark.max(Timestamp(watermark));
        let rows = &mut self.rows;
        self.windows
            .advance(&self.rule, self.watermark, |row| rows.push(row));
    }

    /// As if a checkpoint had been taken, and a new process had found it.
    fn restart(&mut self) {
        let old = std::mem::take(&mut self.windows);
        for (key, pane) in old.panes() {
            let counts = (pane.rows, pane.changed);
            let pane = Pane::restored(pane.window, pane.state.clone(), counts);
            self.windows.restore(*key, pane);
        }
    }

    /// What holds at the end, by the protocol of rows. Panics if a row breaks it.
    fn results(&self) -> Results {
        let mut results = BTreeMap::new();
        for row in &self.rows {
            let at = (row.key, row.window);
            let (revisions, value) = results.entry(at).or_insert((0, None));
            assert_eq!(row.revision, *revisions, "the next revision of {at:?}");
            *revisions += 1;
            match &row.content {
                Content::Value(new) => {
                    assert_ne!(value.as_ref(), Some(new), "a row that says nothing new");
                    *value = Some(new.clone());
                }
                Content::Withdrawn => assert!(value.take().is_some(), "there was a row"),
            }
        }
        let held = results.into_iter();
        held.filter_map(|(at, (_, value))| Some((at, value?)))
            .collect()
    }
}

/// Counts all records at once.
fn recount(windows: Windows, records: impl Iterator<Item = (u32, (Key, i64))>) -> Results {
    let mut results = Results::new();
    let mut by_time: Vec<_> = records.collect();
    by_time.sort_by_key(|(_, (key, time))| (*key, *time));
    for (number, (key, time)) in by_time {
        for mut window in windows.assign(Timestamp(time)) {
            let mut numbers = Vec::new();
            let last = results.range(..=(key, window)).next_back();
            let last = last.map(|(at, _)| *at).filter(|at| at.0 == key);
            if let Some(at) = last.filter(|at| windows.merge() && at.1.overlaps(&window)) {
                window = window.cover(&at.1);
                numbers = results.remove(&at).unwrap_or_default();
            }
            results.entry((key, window)).or_default().extend(numbers);
            results.entry((key, window)).or_default().push(number);
        }
    }
    for numbers in results.values_mut() {
        numbers.sort_unstable();
    }
    results
}

fn any_windows() -> impl Strategy<Value = Windows> {
    let ms = Duration::from_millis;
    prop_oneof![
        (1..40u64).prop_map(move |size| Windows::tumbling(ms(size))),
        (1..20u64, 0..40u64)
            .prop_map(move |(step, more)| Windows::sliding(ms(step + more), ms(step))),
        (1..20u64).prop_map(move |gap| Windows::session(ms(gap))),
    ]
}

/// Records of three keys, each at most `bound` behind the latest before it; and after which of
/// them the job is restarted or the watermark is handed on.
fn any_records(bound: i64) -> impl Strategy<Value = Vec<((Key, i64), bool, bool)>> {
    let record = (0..3u8, 0..12i64, 0..=bound, any::<bool>(), any::<bool>());
    prop::collection::vec(record, 1..80).prop_map(|records| {
        let mut latest = 0;
        let place = |(key, step, behind, advance, restart)| {
            latest += step;
            ((key, latest - behind), advance, restart)
        };
        records.into_iter().map(place).collect()
    })
}

/// The latest time so far, of records up to this one.
fn play(run: &mut Run, records: &[((Key, i64), bool, bool)], behind: i64) {
    let mut latest = i64::MIN;
    for (number, ((key, time), advance, restart)) in (0..).zip(records) {
        run.add(number, (*key, *time));
        latest = latest.max(*time);
        if *advance {
            run.advance(latest - behind);
        }
        if *restart {
            run.restart();
        }
    }
    run.advance(i64::MAX);
}

const BOUND: i64 = 30;

proptest! {
    #![proptest_config(crate::fixed(1000))]

    /// In any order within the bound, with watermarks and restarts anywhere: one row for each
    /// key and window, and it is right.
    #[test]
    fn within_the_bound_there_is_one_right_row(
        windows in any_windows(),
        records in any_records(BOUND),
    ) {
        let mut run = Run::new(windows, 0);
        play(&mut run, &records, BOUND);
        let all = (0..).zip(records.iter().map(|(record, ..)| *record));
        prop_assert_eq!(run.results(), recount(windows, all));
        prop_assert!(run.rows.iter().all(|row| row.revision == 0));
        prop_assert!(run.late.is_empty());
        prop_assert_eq!(run.windows.panes().count(), 0);
        prop_assert_eq!(run.windows.next_timer(), None);
    }

    /// What comes behind the watermark and within the allowed lateness makes revisions, of which
    /// the last is right.
    #[test]
    fn within_the_lateness_the_last_row_is_right(
        windows in any_windows(),
        records in any_records(BOUND),
        behind in 0..=BOUND,
    ) {
        let mut run = Run::new(windows, BOUND - behind);
        play(&mut run, &records, behind);
        let all = (0..).zip(records.iter().map(|(record, ..)| *record));
        prop_assert_eq!(run.results(), recount(windows, all));
        prop_assert!(run.late.is_empty());
        prop_assert_eq!(run.windows.panes().count(), 0);
    }

    /// A record that comes too late is in no row and in the side output; all others are in the
    /// rows as if the late ones had never come. (Sessions apart, in which a late record is
    /// counted if the session that it belongs to is still open.)
    #[test]
    fn too_late_is_late_and_nothing_else(
        size in 1..40u64,
        records in any_records(BOUND),
        lateness in 0..10i64,
    ) {
        let windows = Windows::tumbling(Duration::from_millis(size));
        let mut run = Run::new(windows, lateness);
        play(&mut run, &records, 5);
        let all = (0..).zip(records.iter().map(|(record, ..)| *record));
        let taken: Vec<_> = all.filter(|(number, _)| !run.late.contains(number)).collect();
        prop_assert_eq!(run.results(), recount(windows, taken.into_iter()));
    }

    /// The rows and their order do not depend on how often the watermark is handed on.
    #[test]
    fn one_long_step_emits_what_many_short_ones_do(
        windows in any_windows(),
        records in prop::collection::vec((0..3u8, 0..100i64), 1..50),
    ) {
        let runs = [1, 7, 200].map(|step| {
            let mut run = Run::new(windows, 0);
            for (number, record) in (0..).zip(&records) {
                run.add(number, *record);
            }
            for watermark in (0..200).step_by(step) {
                run.advance(watermark);
            }
            run.advance(200);
            run.rows
        });
        prop_assert_eq!(&runs[0], &runs[1]);
        prop_assert_eq!(&runs[0], &runs[2]);
    }
}

#[test]
fn two_sessions_that_had_rows_are_withdrawn_when_a_late_record_joins_them() {
    let mut run = Run::new(Windows::session(Duration::from_millis(10)), 100);
    run.add(0, (1, 0));
    run.add(1, (1, 15));
    run.advance(30);
    run.add(2, (1, 7));
    run.advance(31);
    let window = |start, end| Window {
        start: Timestamp(start),
        end: Timestamp(end),
    };
    let row = |window, revision, content| Row {
        key: 1,
        window,
        revision,
        content,
    };
    let wanted = [
        row(window(0, 10), 0, Content::Value(vec![0])),
        row(window(15, 25), 0, Content::Value(vec![1])),
        row(window(0, 10), 1, Content::Withdrawn),
        row(window(15, 25), 1, Content::Withdrawn),
        row(window(0, 25), 0, Content::Value(vec![0, 1, 2])),
    ];
    assert_eq!(run.rows, wanted);
}

#[test]
fn a_record_may_miss_one_of_its_windows_and_be_in_another() {
    let ms = Duration::from_millis;
    let mut run = Run::new(Windows::sliding(ms(10), ms(5)), 0);
    run.advance(10);
    let added = run.add(0, (1, 7));
    assert_eq!((added.counted, added.missed), (1, 1));
    assert!(run.late.is_empty());
}

#[test]
fn a_session_that_grows_needs_no_timer_more() {
    let mut run = Run::new(Windows::session(Duration::from_millis(10)), 0);
    for number in 0..1000u32 {
        run.add(number, (1, i64::from(number)));
    }
    assert_eq!(run.windows.next_timer(), Some(Timestamp(10)));
    run.advance(500);
    assert_eq!(run.rows, []);
    assert_eq!(run.windows.next_timer(), Some(Timestamp(1009)));
    run.advance(1009);
    assert_eq!(run.rows.len(), 1);
}
