//! What happens when.

use crate::drive::Event;

/// What happens, in order, with the pause before each event in milliseconds. It has no end,
/// and it follows from the seed.
#[derive(Debug)]
pub(super) struct Plan(pub(super) fastrand::Rng);

impl Iterator for Plan {
    type Item = (u64, Event);

    fn next(&mut self) -> Option<(u64, Event)> {
        let random = &mut self.0;
        let pause = random.u64(20..300);
        let half = random.bool();
        let event = match random.u8(0..10) {
            0..3 => Event::Kill(random.u64(0..150)),
            3..5 => Event::Pause(random.u64(20..700)),
            5..7 => Event::Cut { half },
            _ => Event::Swallow {
                half,
                millis: random.u64(5..200),
            },
        };
        Some((pause, event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(seed: u64) -> Vec<(u64, Event)> {
        Plan(fastrand::Rng::with_seed(seed)).take(60).collect()
    }

    #[test]
    fn a_plan_follows_from_its_seed() {
        assert_eq!(plan(1), plan(1));
        assert_ne!(plan(1), plan(2));
    }

    #[test]
    fn everything_happens() {
        let has = |is: fn(&Event) -> bool| plan(1).iter().any(|(_, event)| is(event));
        assert!(has(|event| matches!(event, Event::Kill(_))));
        assert!(has(|event| matches!(event, Event::Pause(_))));
        assert!(has(|event| matches!(event, Event::Cut { .. })));
        assert!(has(|event| matches!(event, Event::Swallow { .. })));
    }
}
