//! The calls that a server runs, or has answered recently.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;

/// About what a remembered call takes beside its name and its reply, in bytes.
const OVERHEAD: usize = 200;

/// Calls by their names, each with the reply's record once there is one.
#[derive(Debug)]
pub(crate) struct Recent {
    calls: HashMap<Arc<str>, Option<Bytes>>,
    /// Those that have a reply, the oldest first.
    answered: VecDeque<Arc<str>>,
    bytes: usize,
    bytes_max: usize,
}

/// What is known of a call that a server is about to begin.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// Nothing: it is to be run.
    Never,
    /// It runs.
    Running,
    /// It had this reply.
    Answered(Bytes),
    /// Nothing, and it is not to be run.
    TooLate,
}

impl Recent {
    pub(crate) fn new(bytes_max: usize) -> Recent {
        Recent {
            calls: HashMap::new(),
            answered: VecDeque::new(),
            bytes: 0,
            bytes_max,
        }
    }

    /// Returns what is known of the call. If that is nothing, and it is not too late, the call
    /// runs from now on.
    pub(crate) fn begin(&mut self, name: &str, is_late: bool) -> Seen {
        match self.calls.get(name) {
            Some(Some(reply)) => Seen::Answered(reply.clone()),
            Some(None) => Seen::Running,
            None if is_late => Seen::TooLate,
            None => {
                self.calls.insert(Arc::from(name), None);
                Seen::Never
            }
        }
    }

    /// The call has this reply. The oldest ones are forgotten for it, if there is no room.
    pub(crate) fn ended(&mut self, name: &str, reply: Bytes) {
        let name: Arc<str> = Arc::from(name);
        self.bytes += size(&name, &reply);
        self.calls.insert(Arc::clone(&name), Some(reply));
        self.answered.push_back(name);
        while self.bytes > self.bytes_max
            && let Some(oldest) = self.answered.pop_front()
        {
            let reply = self.calls.remove(&oldest).flatten().unwrap_or_default();
            self.bytes -= size(&oldest, &reply);
        }
    }
}

fn size(name: &str, reply: &Bytes) -> usize {
    OVERHEAD + name.len() + reply.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_runs_once_as_long_as_it_is_known() {
        let mut recent = Recent::new(10_000);
        assert_eq!(recent.begin("a", true), Seen::TooLate);
        assert_eq!(recent.begin("a", false), Seen::Never);
        assert_eq!(recent.begin("a", false), Seen::Running);
        assert_eq!(recent.begin("a", true), Seen::Running);
        recent.ended("a", Bytes::from("reply"));
        for is_late in [false, true] {
            let answered = Seen::Answered(Bytes::from("reply"));
            assert_eq!(recent.begin("a", is_late), answered);
        }
        assert_eq!(recent.begin("b", false), Seen::Never);
    }

    #[test]
    fn what_is_answered_is_bounded_and_what_runs_is_never_forgotten() {
        let mut recent = Recent::new(10_000);
        recent.begin("runs", false);
        for number in 0..1000 {
            let name = number.to_string();
            assert_eq!(recent.begin(&name, false), Seen::Never);
            recent.ended(&name, Bytes::from(vec![0; 1000]));
            assert!(recent.bytes <= 10_000, "{}", recent.bytes);
        }
        assert_eq!(recent.begin("runs", false), Seen::Running);
        assert_eq!(recent.begin("0", true), Seen::TooLate);
        for number in 992..1000 {
            let seen = recent.begin(&number.to_string(), true);
            assert!(matches!(seen, Seen::Answered(_)), "{number}");
        }
        assert_eq!(recent.calls.len(), recent.answered.len() + 1);
        recent.ended("runs", Bytes::from(vec![0; 20_000]));
        assert_eq!((recent.bytes, recent.calls.len()), (0, 0), "it has no room");
    }
}
