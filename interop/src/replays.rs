//! How a copy differs from its original when the copier was killed now and then.

use std::collections::BTreeSet;

use anyhow::{Result, bail, ensure};

/// The copier went back and copied some lines once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replay {
    /// How many lines of the copy come before it.
    pub at: usize,
    /// How many lines are repeated.
    pub repeated: usize,
}

/// Returns where a copier of `original` went back, as few times as `copy` can be explained
/// with; empty if `copy` is equal to `original`. The copier may have ended while it
/// repeated lines. Lines of `original` may be equal.
///
/// # Errors
/// When a line is missing in `copy`, is out of order, or is not in `original`.
pub fn replays(original: &[String], copy: &[String]) -> Result<Vec<Replay>> {
    // All places in `original` that the next line may come from, with one start, or one
    // step back to any earlier place, since the last entry of `replays`.
    let mut places = BTreeSet::from([0]);
    let mut replays = Vec::new();
    let mut end = 0;
    for (at, line) in copy.iter().enumerate() {
        let matches = |place: &usize| original.get(*place) == Some(line);
        let mut next: BTreeSet<usize> = places.iter().copied().filter(matches).collect();
        if next.is_empty() {
            let furthest = places.last().copied().unwrap_or(0);
            next = (0..furthest).filter(matches).collect();
            let Some(back_to) = next.last() else {
                let expected = original.get(furthest);
                bail!("line {at} of the copy is {line:?}; line {furthest} is next: {expected:?}");
            };
            replays.push(Replay {
                at,
                repeated: furthest - back_to,
            });
        }
        places = next.into_iter().map(|place| place + 1).collect();
        end = end.max(places.last().copied().unwrap_or(0));
    }
    let count = original.len();
    ensure!(end == count, "{end} of {count} lines are copied");
    Ok(replays)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.chars().map(|line| line.to_string()).collect()
    }

    fn found(original: &str, copy: &str) -> Result<Vec<(usize, usize)>> {
        let replays = replays(&lines(original), &lines(copy))?;
        let pairs = replays.iter().map(|replay| (replay.at, replay.repeated));
        Ok(pairs.collect())
    }

    #[test]
    fn an_equal_copy_has_none() {
        assert_eq!(found("abcdef", "abcdef").unwrap(), []);
        assert_eq!(found("", "").unwrap(), []);
    }

    #[test]
    fn each_step_back_is_found() {
        assert_eq!(found("abcdef", "abcbcdef").unwrap(), [(3, 2)]);
        assert_eq!(found("abcdef", "abcdabcdefef").unwrap(), [(4, 4), (10, 2)]);
        // A copy of a copy: the original repeats b, and that alone is no step back.
        assert_eq!(found("abcbcdef", "abcbcdef").unwrap(), []);
        assert_eq!(found("abcbcdef", "abcbcbcdef").unwrap(), [(5, 2)]);
        // The copier has ended before it came to the end a second time.
        assert_eq!(found("abcdef", "abcdefcd").unwrap(), [(6, 4)]);
    }

    #[test]
    fn a_line_that_is_lost_is_an_error() {
        for copy in ["bcdef", "abdef", "abcde", "abcbdef", ""] {
            assert!(found("abcdef", copy).is_err(), "{copy}");
        }
    }

    #[test]
    fn a_line_that_is_changed_or_out_of_order_is_an_error() {
        for copy in ["abXdef", "abcdeX", "abcXdef", "acbdef", "abcdefX"] {
            assert!(found("abcdef", copy).is_err(), "{copy}");
        }
    }
}
