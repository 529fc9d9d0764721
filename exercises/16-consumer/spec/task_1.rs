//! Range and round-robin.

use spec_harness::{case, expect_eq};

use super::members::{expect_shares, members, topics};
use super::part::{Assignments, Subscriber, Topics, range, round_robin};

type Assignor = fn(&[Subscriber], &Topics) -> Assignments;

/// What the Java client gives out.
const JAVA: &str = include_str!("java-assignors.txt");

#[test]
fn range_gives_consecutive_runs() {
    case!(
        "Two members share four partitions by range: the first one gets the first two.",
        || {
            let got = range(&members("a:t b:t"), &topics("t=4"));
            expect_shares("range", &got, "a:t-0,t-1 b:t-2,t-3");
        }
    );
}

#[test]
fn range_gives_the_rest_to_the_first_ones() {
    case!(
        "Seven partitions among three members by range are 3, 2 and 2.",
        || {
            let got = range(&members("c:t a:t b:t"), &topics("t=7"));
            expect_shares("range", &got, "a:t-0,t-1,t-2 b:t-3,t-4 c:t-5,t-6");
        }
    );
}

#[test]
fn range_shares_each_topic_by_itself() {
    case!(
        "Range begins again with the first member at each topic: partition 0 of all topics is with one member.",
        || {
            let got = range(&members("a:t,u b:t,u"), &topics("t=3 u=3"));
            expect_shares("range", &got, "a:t-0,t-1,u-0,u-1 b:t-2,u-2");
        }
    );
}

#[test]
fn range_counts_the_readers_of_a_topic() {
    case!(
        "A topic is shared among the members that read it, not among all.",
        || {
            let got = range(&members("a:t b:t,u c:u"), &topics("t=4 u=2"));
            expect_shares("range", &got, "a:t-0,t-1 b:t-2,t-3,u-0 c:u-1");
        }
    );
}

#[test]
fn round_robin_deals_like_cards() {
    case!(
        "Round-robin deals the partitions of all topics in one go: the second topic goes on where the first one ended.",
        || {
            let got = round_robin(&members("b:t,u a:t,u"), &topics("t=3 u=3"));
            expect_shares("round_robin", &got, "a:t-0,t-2,u-1 b:t-1,u-0,u-2");
        }
    );
}

#[test]
fn round_robin_passes_over_members_that_do_not_read_the_topic() {
    case!(
        "A member that does not read a topic is passed over, and the turn is with the member behind the one that got the partition.",
        || {
            let got = round_robin(&members("a:t,u b:u c:t,u"), &topics("t=3 u=2"));
            expect_shares("round_robin", &got, "a:t-0,t-2 b:u-0 c:t-1,u-1");
        }
    );
}

#[test]
fn static_members_come_first() {
    case!(
        "Static members come first, by instance; so one that returns with another id has its old place.",
        || {
            let got = range(&members("a:t b/z:t c/y:t"), &topics("t=3"));
            expect_shares("range", &got, "a:t-2 b:t-1 c:t-0");
            let got = round_robin(&members("a:t b/z:t zz/y:t"), &topics("t=3"));
            expect_shares("round_robin", &got, "a:t-2 b:t-1 zz:t-0");
        }
    );
}

#[test]
fn members_and_topics_without_partners() {
    case!(
        "A member that gets nothing is there with nothing; a topic that does not exist, or that no member reads, is passed over.",
        || {
            for (name, assign) in [("range", range as Assignor), ("round_robin", round_robin)] {
                let got = assign(&members("a:t b:t c:missing"), &topics("t=1 unread=3"));
                expect_shares(name, &got, "a:t-0 b: c:");
                expect_shares(name, &assign(&[], &topics("t=3")), "");
                expect_shares(name, &assign(&members("a:t"), &topics("")), "a:");
            }
        }
    );
}

#[test]
fn the_same_as_the_java_client() {
    case!(
        "Range and round-robin give out what the Java client gives out, so that a group may have members of both.",
        || {
            let lines = JAVA.lines().filter(|line| !line.starts_with('#'));
            let mut count = 0;
            for line in lines {
                let fields: Vec<&str> = line.split(" | ").collect();
                let (topics, members) = (topics(fields[0]), members(fields[1]));
                let what = format!("range of {} for {}", fields[0], fields[1]);
                expect_shares(&what, &range(&members, &topics), fields[2]);
                let what = format!("round_robin of {} for {}", fields[0], fields[1]);
                expect_shares(&what, &round_robin(&members, &topics), fields[3]);
                count += 1;
            }
            expect_eq("lines", count, 40);
        }
    );
}

#[test]
fn a_thousand_members() {
    case!(
        "A thousand members and ten thousand partitions: everybody gets ten.",
        || {
            let words: Vec<String> = (0..1000).map(|n| format!("m{n}:t")).collect();
            let members = members(&words.join(" "));
            for shares in [
                range(&members, &topics("t=10000")),
                round_robin(&members, &topics("t=10000")),
            ] {
                let fewest = shares.values().map(Vec::len).min();
                expect_eq("the smallest share", fewest, Some(10));
                expect_eq("members", shares.len(), 1000);
            }
        }
    );
}
