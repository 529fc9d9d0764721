//! Panics of the broker, in whatever task they happen.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

use crate::laws::Violation;

thread_local! {
    /// What panicked in this thread while a run was in it; `None` while there is no run.
    static SEEN: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

static HOOK: Once = Once::new();

/// Returns what `work` returns, and a violation if anything panics meanwhile.
pub(crate) fn caught(work: impl FnOnce() -> Result<(), Violation>) -> Result<(), Violation> {
    HOOK.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |panic| {
            let is_of_run = SEEN.with_borrow_mut(|seen| match seen {
                Some(seen) => {
                    seen.push(panic.to_string());
                    true
                }
                None => false,
            });
            if !is_of_run {
                before(panic);
            }
        }));
    });
    SEEN.set(Some(Vec::new()));
    let done = catch_unwind(AssertUnwindSafe(work));
    let seen = SEEN.take().unwrap_or_default();
    match (seen.into_iter().next(), done) {
        (Some(first), _) => Err(Violation::new("nothing panics", first)),
        (None, Ok(done)) => done,
        (None, Err(_)) => Err(Violation::new(
            "nothing panics",
            "without a word".to_owned(),
        )),
    }
}

/// Whether something has panicked in the run in this thread.
pub(crate) fn happened() -> bool {
    SEEN.with_borrow(|seen| seen.as_ref().is_some_and(|seen| !seen.is_empty()))
}
