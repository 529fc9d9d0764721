//! Which protocol a generation uses.

use spec_harness::{case, expect_eq};

use super::part::select_protocol;

#[test]
fn one_member() {
    case!(
        "A member that is alone gets the protocol that it prefers.",
        || {
            expect_selected(&[&["sticky", "range"]], Some("sticky"));
        }
    );
}

#[test]
fn all_must_know_it() {
    case!(
        "Two members prefer sticky, but the third one knows range alone: range.",
        || {
            let both: &[&str] = &["sticky", "range"];
            expect_selected(&[both, both, &["range"]], Some("range"));
        }
    );
}

#[test]
fn most_votes() {
    case!(
        "All know range and sticky. Two of three prefer sticky: sticky.",
        || {
            let members: [&[&str]; 3] = [
                &["range", "sticky"],
                &["sticky", "range"],
                &["sticky", "range"],
            ];
            expect_selected(&members, Some("sticky"));
        }
    );
}

#[test]
fn a_vote_is_for_what_all_know() {
    case!(
        "What a member prefers, but not all know, gets no vote: the member votes for the next in its list.",
        || {
            let members: [&[&str]; 3] = [
                &["mine", "sticky", "range"],
                &["mine", "sticky", "range"],
                &["range", "sticky"],
            ];
            expect_selected(&members, Some("sticky"));
        }
    );
}

#[test]
fn nothing_in_common() {
    case!(
        "Members that have nothing in common have no protocol.",
        || {
            expect_selected(&[&["range"], &["sticky"]], None);
            expect_selected(&[&["range"], &[]], None);
        }
    );
}

#[test]
fn no_members() {
    case!("A group without members has no protocol.", || {
        expect_selected(&[], None);
    });
}

#[test]
fn a_repeated_name() {
    case!(
        "A member that names range twice knows it once: the other member does not know it.",
        || {
            expect_selected(&[&["range", "range"], &["sticky"]], None);
            expect_selected(
                &[&["range", "range", "sticky"], &["sticky"]],
                Some("sticky"),
            );
        }
    );
}

#[test]
fn as_many_votes() {
    case!(
        "Of protocols with as many votes the first by name is taken, in whatever order the members are.",
        || {
            expect_selected(&[&["b", "a"], &["a", "b"]], Some("a"));
            expect_selected(&[&["a", "b"], &["b", "a"]], Some("a"));
        }
    );
}

#[test]
fn every_group_of_three() {
    case!(
        "Every group of up to three members that know some of a, b and c.",
        || {
            let lists = every_list();
            for first in &lists {
                expect_selected(&[first], by_counting(&[first]));
                for second in &lists {
                    expect_selected(&[first, second], by_counting(&[first, second]));
                    for third in &lists {
                        let members: [&[&str]; 3] = [first, second, third];
                        expect_selected(&members, by_counting(&members));
                    }
                }
            }
        }
    );
}

#[test]
fn fifty_thousand_members() {
    case!(
        "Fifty thousand members, each with a name of its own and one that all know: each member's list is looked through a few times, and not once for each other member.",
        || {
            let own: Vec<String> = (0..50_000).map(|n| format!("mine-{n}")).collect();
            let members: Vec<Vec<&str>> = own.iter().map(|own| vec![&**own, "range"]).collect();
            expect_eq("selected", select_protocol(&members), Some("range"));
        }
    );
}

fn expect_selected(members: &[&[&'static str]], expected: Option<&str>) {
    let given: Vec<Vec<&str>> = members.iter().map(|names| names.to_vec()).collect();
    let what = format!("select_protocol({given:?})");
    expect_eq(&what, select_protocol(&given), expected);
}

/// Every list of different names among a, b and c.
fn every_list() -> Vec<Vec<&'static str>> {
    let mut lists: Vec<Vec<&str>> = vec![Vec::new()];
    let mut at = 0;
    while at < lists.len() {
        for name in ["a", "b", "c"] {
            if !lists[at].contains(&name) {
                let longer = [&lists[at][..], &[name]].concat();
                lists.push(longer);
            }
        }
        at += 1;
    }
    lists
}

fn by_counting<'a>(members: &[&[&'a str]]) -> Option<&'a str> {
    let all_know = |name: &&'a str| members.iter().all(|names| names.contains(name));
    let votes: Vec<&str> = members
        .iter()
        .filter_map(|names| names.iter().copied().find(|name| all_know(name)))
        .collect();
    let count = |name: &str| votes.iter().filter(|vote| **vote == name).count();
    let mut voted = votes.clone();
    voted.sort_by_key(|name| (usize::MAX - count(name), *name));
    voted.first().copied()
}
