//! Names of topics, and patterns of names.

use std::collections::BTreeSet;

use message_model::TopicName;

/// What a consumer subscribes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Topics {
    /// The topics with these names.
    Named(BTreeSet<TopicName>),
    /// All topics whose names match, also those that come later.
    Matching(Pattern),
}

/// A pattern of topic names: the part of regular expressions that names of topics need.
///
/// - `.` is any character, `\.` is a dot, `[a-z_]` is one of a set, `[^0-9]` none of it;
/// - `*`, `+` and `?` repeat what precedes them;
/// - `|` separates alternatives.
///
/// A name matches as a whole; a `^` in front and a `$` at the end say the same again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    alternatives: Vec<Vec<Piece>>,
}

/// A text that is no pattern of this kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a set without an end, or a repetition of nothing")]
pub struct InvalidPattern;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Piece {
    one: One,
    at_least_one: bool,
    at_most_one: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum One {
    Any,
    Char(char),
    Set {
        is_none_of: bool,
        ranges: Vec<(char, char)>,
    },
}

impl Topics {
    /// Returns whether the topic is subscribed to.
    #[must_use]
    pub fn contains(&self, topic: &TopicName) -> bool {
        match self {
            Topics::Named(names) => names.contains(topic),
            Topics::Matching(pattern) => pattern.matches(topic.as_str()),
        }
    }
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// When a set has no end, or a repetition has nothing in front of it.
    pub fn new(text: &str) -> Result<Pattern, InvalidPattern> {
        let text = text.strip_prefix('^').unwrap_or(text);
        let text = text.strip_suffix('$').unwrap_or(text);
        let mut alternatives = vec![Vec::new()];
        let mut chars = text.chars();
        while let Some(char) = chars.next() {
            let one = match char {
                '|' => {
                    alternatives.push(Vec::new());
                    continue;
                }
                '*' | '+' | '?' => {
                    let last = alternatives.last_mut().and_then(|pieces| pieces.last_mut());
                    let piece: &mut Piece = last.ok_or(InvalidPattern)?;
                    piece.at_least_one = char == '+';
                    piece.at_most_one = char == '?';
                    continue;
                }
                '.' => One::Any,
                '\\' => One::Char(chars.next().ok_or(InvalidPattern)?),
                '[' => read_set(&mut chars)?,
                char => One::Char(char),
            };
            let pieces = alternatives.last_mut().ok_or(InvalidPattern)?;
            pieces.push(Piece {
                one,
                at_least_one: true,
                at_most_one: true,
            });
        }
        Ok(Pattern { alternatives })
    }

    /// Returns whether `name` matches as a whole, in time in proportion to the product of
    /// both lengths.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        let alternatives = self.alternatives.iter();
        alternatives.into_iter().any(|pieces| matches(pieces, name))
    }
}

fn read_set(chars: &mut std::str::Chars<'_>) -> Result<One, InvalidPattern> {
    let mut members = Vec::new();
    loop {
        match chars.next().ok_or(InvalidPattern)? {
            ']' => break,
            '\\' => members.push(chars.next().ok_or(InvalidPattern)?),
            char => members.push(char),
        }
    }
    let is_none_of = members.first() == Some(&'^');
    let mut rest = &members[usize::from(is_none_of)..];
    let mut ranges = Vec::new();
    while let Some((&first, after)) = rest.split_first() {
        match after {
            ['-', last, after @ ..] => {
                ranges.push((first, *last));
                rest = after;
            }
            after => {
                ranges.push((first, first));
                rest = after;
            }
        }
    }
    Ok(One::Set { is_none_of, ranges })
}

impl One {
    fn is(&self, char: char) -> bool {
        match self {
            One::Any => true,
            One::Char(wanted) => *wanted == char,
            One::Set { is_none_of, ranges } => {
                let is_in = |(first, last): &(char, char)| (*first..=*last).contains(&char);
                ranges.iter().any(is_in) != *is_none_of
            }
        }
    }
}

/// All places of the pattern at once, character by character.
fn matches(pieces: &[Piece], name: &str) -> bool {
    let mut places = with_skips(pieces, BTreeSet::from([0]));
    for char in name.chars() {
        let mut next = BTreeSet::new();
        for place in places {
            let Some(piece) = pieces.get(place).filter(|piece| piece.one.is(char)) else {
                continue;
            };
            next.insert(place + 1);
            if !piece.at_most_one {
                next.insert(place);
            }
        }
        places = with_skips(pieces, next);
        // A piece that must be there once may then be repeated; `place` above keeps it.
    }
    places.contains(&pieces.len())
}

/// The places that can be reached from these without a character.
fn with_skips(pieces: &[Piece], mut places: BTreeSet<usize>) -> BTreeSet<usize> {
    for (place, piece) in pieces.iter().enumerate() {
        if places.contains(&place) && !piece.at_least_one {
            places.insert(place + 1);
        }
    }
    places
}
