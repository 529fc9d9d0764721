//! What a case may take: memory, and time.

use std::sync::Once;
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, getrlimit, setrlimit};

/// The most memory of a process that runs cases, in bytes, where the system has such a
/// limit. Cases take kilobytes; what is asked for beyond this is a length from the
/// input that was believed, or something that grows without a bound.
const MEMORY: u64 = 1 << 30;

/// Makes an allocation beyond [`MEMORY`] fail, in this process. Address space that is
/// only reserved does not count: each thread reserves some.
pub(crate) fn limit_memory() {
    static LIMIT: Once = Once::new();
    LIMIT.call_once(|| {
        let before = getrlimit(Resource::Data);
        let current = before.current.map_or(MEMORY, |limit| limit.min(MEMORY));
        let limit = Rlimit {
            current: Some(current),
            maximum: before.maximum,
        };
        // A system without this limit runs the cases without it.
        let _ = setrlimit(Resource::Data, limit);
    });
}

/// This thread, for [`describe_hang`]; `None` where the system has no such number.
pub(crate) fn this_thread() -> Option<Pid> {
    #[cfg(target_os = "linux")]
    return Some(rustix::thread::gettid());
    #[cfg(not(target_os = "linux"))]
    None
}

/// Whether a thread would compute and was not given `limit` of processor time yet: on a
/// machine with other work that takes longer.
pub(crate) fn is_starved(limit: Duration, case: Option<Pid>) -> bool {
    let work = case.and_then(work);
    work.is_some_and(|work| work.is_computing && work.processor_time < limit)
}

/// What to say of a case that did not end within `limit`, on the thread `case`.
pub(crate) fn describe_hang(limit: Duration, case: Option<Pid>) -> String {
    let why = match case.and_then(work) {
        Some(work) if work.is_computing => "it goes on computing, in a loop without an end?",
        Some(_) => {
            "it waits for something that does not come:\n             \
             a lock that is still held, a wake-up that was lost?"
        }
        None => "a loop without an end, or a wait for what does not come?",
    };
    format!("  problem    it did not end within {limit:?}: {why}\n")
}

/// What a thread does.
struct Work {
    processor_time: Duration,
    /// And does not wait.
    is_computing: bool,
}

/// What a thread of this process does; `None` where the system does not say.
fn work(thread: Pid) -> Option<Work> {
    /// A hundred a second, whatever the kernel counts in.
    const TICK: Duration = Duration::from_millis(10);
    let file = format!("/proc/self/task/{}/stat", thread.as_raw_nonzero());
    let text = std::fs::read_to_string(file).ok()?;
    // Behind the name, which may have blanks: the state is field 3 of the line, the times
    // are 14 and 15.
    let (_, behind) = text.rsplit_once(") ")?;
    let mut times = behind.split(' ').skip(11).map(str::parse::<u32>);
    let (user, system) = (times.next()?.ok()?, times.next()?.ok()?);
    Some(Work {
        processor_time: TICK * user.saturating_add(system),
        is_computing: behind.starts_with('R'),
    })
}
