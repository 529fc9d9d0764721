//! What the alarm hears, and a driver that is as fast as can be.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::task::Poll;

use message_model::Moment;
use spec_harness::expect_eq;

use super::super::part::{Waits, Woken};
use super::sleeper::{Sleeper, boards, passes};
use super::step::at;

/// Waits whose alarm notes each deadline down, and, if it `expires`, ends the wait at once.
fn heard(expires: bool) -> (Arc<Waits>, mpsc::Receiver<Moment>) {
    let expired: Arc<OnceLock<Arc<Waits>>> = Arc::default();
    let (driver, heard) = mpsc::channel();
    let (driver, waits) = (Mutex::new(driver), Arc::clone(&expired));
    let waits = Arc::new(Waits::new(move |deadline| {
        let _ = waits.get().map(|waits| waits.expire(deadline));
        let _ = driver.lock().map(|driver| driver.send(deadline));
    }));
    if expires {
        let _ = expired.set(Arc::clone(&waits));
    }
    (waits, heard)
}

/// One wait that expires at once, then three with later and earlier deadlines.
pub(super) fn each_deadline_is_heard() {
    let (waits, deadlines) = heard(true);
    let conditions = [passes(&boards(1)[0], 10)];
    let mut fetch = Sleeper::new(&waits, 500, conditions, || true);
    let woken = fetch.poll();
    let deadlines: Vec<Moment> = deadlines.try_iter().collect();
    let what = "deadlines of which the driver learns";
    expect_eq(what, deadlines, vec![at(500)]);
    let expired = Poll::Ready(Woken::Expired);
    expect_eq("it returns", woken, expired);

    let (waits, deadlines) = heard(false);
    let sleep = |deadline| {
        let conditions = [passes(&boards(1)[0], 10)];
        let mut fetch = Sleeper::new(&waits, deadline, conditions, || true);
        let _ = fetch.poll();
        fetch
    };
    let _sleeping = [sleep(500), sleep(900), sleep(300)];
    let deadlines: Vec<Moment> = deadlines.try_iter().collect();
    let what = "deadlines of which it learns when three fetches begin";
    expect_eq(what, deadlines, vec![at(500), at(900), at(300)]);
}

/// A wait that is over before its look, and a look that finds something.
pub(super) fn what_the_look_finds() {
    let (waits, _deadlines) = heard(true);
    let looks = Rc::new(Cell::new(0));
    let counted = Rc::clone(&looks);
    let look = move || {
        counted.set(counted.get() + 1);
        false
    };
    let conditions = [passes(&boards(1)[0], 10)];
    let mut fetch = Sleeper::new(&waits, 500, conditions, look);
    let woken = fetch.poll();
    expect_eq("how often it looks again", looks.get(), 1);
    expect_eq("it returns", woken, Poll::Ready(Woken::Moved));
}
