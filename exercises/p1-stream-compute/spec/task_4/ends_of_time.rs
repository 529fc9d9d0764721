//! Windows that are cut off at the first and the last time that there is.

use spec_harness::{case, expect_eq};

use super::part::Windows;
use super::world::{World, ms};

#[test]
fn two_windows_with_one_start() {
    case!(
        "At the first time two windows may begin together: each has its own records and row.",
        || {
            let first = i64::MIN;
            let mut world = World::new(Windows::sliding(ms(10), ms(5)), 0);
            world.add_to('a', first, (2, 0));
            world.add_to('a', first, (2, 0));
            let [short, long] = [first + 3, first + 8]
                .map(|end| format!("a, {first}..{end}, revision 0: [{first}, {first}]"));
            world.reach(first + 9, &[&short, &long]);
            world.expect_open(&[]);
        }
    );
}

#[test]
fn a_window_that_ends_with_time() {
    case!(
        "A window that ends at the last time has its row there, and is closed.",
        || {
            let last = i64::MAX;
            let mut world = World::tumbling(1_000, 0);
            world.record('a', last - 1);
            world.reach(last - 1, &[]);
            let (start, time) = (last - 807, last - 1);
            let row = format!("a, {start}..{last}, revision 0: [{time}]");
            world.reach(last, &[&row]);
            world.expect_open(&[]);
            expect_eq("next_timer()", world.windows.next_timer(), None);
        }
    );
}

#[test]
fn a_lateness_without_end() {
    case!(
        "With the longest lateness there is, windows close at the end of the stream, and then all.",
        || {
            let row = "a, 0..10, revision 0: [3]";
            for watermarks in [&[i64::MAX][..], &[10, i64::MAX], &[i64::MAX - 1, i64::MAX]] {
                let mut world = World::tumbling(10, i64::MAX);
                world.record('a', 3);
                for (number, watermark) in watermarks.iter().enumerate() {
                    let rows = if number == 0 { &[row][..] } else { &[] };
                    world.reach(*watermark, rows);
                }
                world.expect_open(&[]);
                expect_eq("next_timer()", world.windows.next_timer(), None);
            }
        }
    );
}
