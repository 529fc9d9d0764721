//! What the rules together leave of a log, whatever arrives.

use message_model::ProducerEpoch;
use ordering::{Numbered, Standing, fence, note, sequence};
use proptest::prelude::*;

/// What a broker with both rules has of these batches.
fn log(batches: &[Numbered]) -> Vec<Numbered> {
    let mut standing: Option<Standing> = None;
    let mut log = Vec::new();
    for batch in batches {
        let is_fenced = standing.is_some_and(|standing| fence(&standing, *batch).is_err());
        if is_fenced || sequence(standing.as_ref(), *batch).is_err() {
            continue;
        }
        standing = Some(note(standing.as_ref(), *batch));
        log.push(*batch);
    }
    log
}

/// Numbers near the end of the range, and near its start, so that many follow on each other.
fn numbered() -> impl Strategy<Value = Numbered> {
    let first = (-6_i32..6).prop_map(|near| match near {
        0.. => near,
        _ => i32::MAX + near + 1,
    });
    (0_i16..3, first, 1_u32..4).prop_map(|(epoch, first, count)| Numbered {
        epoch: ProducerEpoch(epoch),
        first,
        count,
    })
}

/// The numbers of a producer's records in an epoch, one batch behind the other.
fn sent(epoch: i16, from: i32, counts: &[u32]) -> Vec<Numbered> {
    let mut first = from;
    let batch = |count: &u32| {
        let batch = Numbered {
            epoch: ProducerEpoch(epoch),
            first,
            count: *count,
        };
        first = batch.last().checked_add(1).unwrap_or(0);
        batch
    };
    counts.iter().map(batch).collect()
}

proptest! {
    /// Whatever arrives: epochs never go back, and in each epoch the numbers follow on each
    /// other, from 0 on if the producer was known.
    #[test]
    fn numbers_follow_on_each_other(batches in prop::collection::vec(numbered(), 0..60)) {
        let log = log(&batches);
        for pair in log.windows(2) {
            let (before, next) = (pair[0], pair[1]);
            prop_assert!(before.epoch <= next.epoch);
            let expected = match before.epoch == next.epoch {
                true => before.last().checked_add(1).unwrap_or(0),
                false => 0,
            };
            prop_assert_eq!(next.first, expected);
        }
    }

    /// What a producer sends arrives out of order, some of it twice, and what is refused is
    /// sent again: in the end the log is what was sent, in its order.
    #[test]
    fn what_is_sent_again_comes_in_order(
        counts in prop::collection::vec(1_u32..4, 1..8),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
        from_the_end in any::<bool>(),
    ) {
        let from = if from_the_end { i32::MAX - 5 } else { 0 };
        let sent = sent(0, from, &counts);
        // The first one goes alone.
        let mut arrivals = vec![sent[0]];
        arrivals.extend(order.iter().map(|at| sent[at.index(sent.len())]));
        for _ in 0..sent.len() {
            arrivals.extend(&sent);
        }
        prop_assert_eq!(log(&arrivals), sent);
    }
}
