//! Patterns of topic names.

use consumer::Pattern;

#[test]
fn names_match_as_a_whole() {
    let cases = [
        ("orders", "orders", true),
        ("orders", "orders-1", false),
        ("^orders-[0-9]+$", "orders-17", true),
        ("^orders-[0-9]+$", "orders-", false),
        ("^orders-[0-9]*", "orders-", true),
        ("a.c", "abc", true),
        (r"a\.c", "abc", false),
        (r"a\.c", "a.c", true),
        (".*", "", true),
        (".*-dlq|.*-retry", "x-retry", true),
        ("[^_].*", "__consumer_offsets", false),
        ("ab?c", "ac", true),
        ("ab?c", "abbc", false),
        ("a+b+", "aaabbb", true),
        ("a+b+", "bbb", false),
        ("(a)", "(a)", true),
    ];
    for (pattern, name, expected) in cases {
        let matches = Pattern::new(pattern).unwrap().matches(name);
        assert_eq!(matches, expected, "{pattern} and {name}");
    }
}

#[test]
fn what_is_no_pattern() {
    for text in ["*a", "a|+", "[abc", "a\\"] {
        assert!(Pattern::new(text).is_err(), "{text}");
    }
}

/// A pattern that takes other matchers exponential time.
#[test]
fn it_takes_no_longer_than_the_lengths_say() {
    let pattern = Pattern::new(&"a*".repeat(100)).unwrap();
    assert!(!pattern.matches(&format!("{}b", "a".repeat(200))));
}
