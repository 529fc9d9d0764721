//! The purgatory against a model that is too slow to be wrong.

use std::time::Duration;

use broker::{Purgatory, WaitId};
use message_model::{Moment, Offset};

/// Everyone who waits, in the order in which they came.
#[derive(Default)]
struct Model {
    waits: Vec<Wait>,
}

struct Wait {
    id: WaitId,
    who: u32,
    deadline: Moment,
    conditions: Vec<(u8, Offset)>,
}

impl Model {
    /// Takes out those for whom `due` holds.
    fn take(&mut self, due: impl Fn(&Wait) -> bool) -> Vec<Wait> {
        let all = std::mem::take(&mut self.waits);
        let (out, stay) = all.into_iter().partition(due);
        self.waits = stay;
        out
    }
}

fn who(waits: Vec<Wait>) -> Vec<u32> {
    waits.into_iter().map(|wait| wait.who).collect()
}

fn at(seconds: u32) -> Moment {
    Moment::after_start(Duration::from_secs(seconds.into()))
}

/// A wait that has come out may still be slept for; the first that waits is not overslept.
fn oversleeps_nobody(next: Option<Moment>, first: Option<Moment>) -> bool {
    next.is_some() == first.is_some() && next <= first
}

#[test]
fn it_does_what_a_list_of_everyone_would_do() {
    for seed in 0..200 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut model = Model::default();
        let mut purgatory = Purgatory::new();
        let mut now = 0;
        for step in 0..300 {
            match random.u32(..10) {
                0..5 => {
                    let deadline = at(now + random.u32(..50));
                    let count = random.u32(..4);
                    let mut condition = |_| {
                        let end = random.u8(..6);
                        (end, Offset(random.i64(..40)))
                    };
                    let conditions: Vec<_> = (0..count).map(&mut condition).collect();
                    let id = purgatory.watch(deadline, conditions.clone(), step);
                    model.waits.push(Wait {
                        id,
                        who: step,
                        deadline,
                        conditions,
                    });
                }
                5..8 => {
                    let end = random.u8(..6);
                    let offset = Offset(random.i64(..40));
                    let due = |wait: &Wait| {
                        let mut conditions = wait.conditions.iter();
                        conditions.any(|(other, wanted)| *other == end && offset > *wanted)
                    };
                    assert_eq!(purgatory.complete(&end, offset), who(model.take(due)));
                }
                8 => {
                    now += random.u32(..20);
                    let mut due = model.take(|wait| wait.deadline <= at(now));
                    due.sort_by_key(|wait| wait.deadline);
                    assert_eq!(purgatory.expire(at(now)), who(due));
                }
                _ => {
                    let index = random.usize(..8);
                    if let Some(id) = model.waits.get(index).map(|wait| wait.id) {
                        let taken = who(model.take(|wait| wait.id == id));
                        assert_eq!(purgatory.cancel(id).into_iter().collect::<Vec<_>>(), taken);
                        assert_eq!(purgatory.cancel(id), None);
                    }
                }
            }
            let first = model.waits.iter().map(|wait| wait.deadline).min();
            assert!(oversleeps_nobody(purgatory.next_deadline(), first));
            assert_eq!(purgatory.len(), model.waits.len());
            let mut ends: Vec<u8> = model
                .waits
                .iter()
                .flat_map(|wait| wait.conditions.iter().map(|(end, _)| *end))
                .collect();
            ends.sort_unstable();
            ends.dedup();
            assert_eq!(purgatory.keys(), ends.len());
        }
    }
}
