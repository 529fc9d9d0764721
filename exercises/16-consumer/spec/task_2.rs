//! Sticky and cooperative-sticky.

use std::collections::{BTreeMap, BTreeSet};

use message_model::TopicPartition;
use spec_harness::{case, expect, expect_eq, fail};

use super::members::{expect_shares, members, partition, show, topics};
use super::part::{Assignments, Subscriber, Topics, cooperative_sticky, sticky};

/// Members that all read `t` and `u`, and own what is written: `a=t-0,t-1 b=`.
fn owners(generation: i32, text: &str) -> Vec<Subscriber> {
    let owner = |text: &str| {
        let (id, owned) = text.split_once('=').expect("ID=PARTITIONS");
        let mut member = members(&format!("{id}:t,u")).remove(0);
        let owned = owned.split(',').filter(|name| !name.is_empty());
        member.owned = owned.map(partition).collect();
        member.generation = generation;
        member
    };
    text.split_whitespace().map(owner).collect()
}

#[test]
fn a_first_share_is_even() {
    case!(
        "In a new group nobody owns anything: the partitions are shared so that no two members differ by more than one.",
        || {
            let got = sticky(&owners(-1, "a= b= c="), &topics("t=4 u=4"));
            expect_even(&got);
            expect_whole(&got, &topics("t=4 u=4"));
        }
    );
}

#[test]
fn nothing_moves_if_nothing_has_changed() {
    case!("An even share stays as it is, member by member.", || {
        let now = "a:t-1,u-1 b:t-0,u-0";
        let members = owners(3, "a=t-1,u-1 b=t-0,u-0");
        expect_shares("sticky", &sticky(&members, &topics("t=2 u=2")), now);
    });
}

#[test]
fn a_new_member_gets_only_what_is_too_much() {
    case!(
        "A third member takes two partitions, one of each; all the others stay.",
        || {
            let members = owners(3, "a=t-0,t-1,t-2 b=u-0,u-1,u-2 c=");
            let got = sticky(&members, &topics("t=3 u=3"));
            expect_even(&got);
            expect_eq("partitions that moved", moved(&members, &got), 2);
            expect_eq("c has", got["c"].len(), 2);
        }
    );
}

#[test]
fn what_a_member_leaves_behind_is_spread() {
    case!(
        "When a member has left, its partitions go to the others, and nothing else moves.",
        || {
            let members = owners(3, "a=t-0,t-1 b=u-1");
            let got = sticky(&members, &topics("t=3 u=3"));
            expect_whole(&got, &topics("t=3 u=3"));
            expect_even(&got);
            expect_eq("partitions that moved", moved(&members, &got), 0);
        }
    );
}

#[test]
fn who_has_more_keeps_the_one_more() {
    case!(
        "Five partitions among two members are 3 and 2: the member that has 3 keeps them, wherever it is in the order.",
        || {
            for now in ["a=t-0,t-1,t-2 b=u-0,u-1", "a=u-0,u-1 b=t-0,t-1,t-2"] {
                let members = owners(3, now);
                let got = sticky(&members, &topics("t=3 u=2"));
                expect_eq("partitions that moved", moved(&members, &got), 0);
            }
        }
    );
}

#[test]
fn the_later_claim_counts() {
    case!(
        "Of two claims to a partition that of the later generation counts: the other member has missed a rebalance.",
        || {
            let mut members = owners(4, "a=t-0,t-1 b=t-0,t-1");
            members[0].generation = 3;
            members[0].owned.push(partition("u-0"));
            let got = sticky(&members, &topics("t=2 u=2"));
            expect_shares("sticky", &got, "a:u-0,u-1 b:t-0,t-1");
            members.reverse();
            let got = sticky(&members, &topics("t=2 u=2"));
            expect_shares("sticky", &got, "a:u-0,u-1 b:t-0,t-1");
        }
    );
}

#[test]
fn two_claims_of_one_generation_count_for_nobody() {
    case!(
        "Two claims of the same generation contradict each other: the partition counts as nobody's, and is given out like a new one.",
        || {
            let members = owners(3, "a=t-0,t-1 b=t-0,u-0,u-1");
            let got = sticky(&members, &topics("t=2 u=2"));
            expect_whole(&got, &topics("t=2 u=2"));
            expect_shares("sticky", &got, "a:t-0,t-1 b:u-0,u-1");
        }
    );
}

#[test]
fn claims_to_what_is_gone() {
    case!(
        "A claim to a partition that does not exist, or of a topic that the member does not read any more, counts for nothing.",
        || {
            let mut members = owners(3, "a=t-0,t-7,gone-0 b=t-1,u-0");
            members[1]
                .topics
                .remove(&topics("u=1").into_keys().next().expect("one"));
            let got = sticky(&members, &topics("t=2 u=1"));
            expect_shares("sticky", &got, "a:t-0,u-0 b:t-1");
        }
    );
}

#[test]
fn the_latest_claim_is_of_a_topic_that_is_not_read() {
    case!(
        "The latest claim to t-0 is by a member that does not read `t` any more. It may still be reading t-0, so the older claim does not count in its place: a cooperative leader gives t-0 to nobody yet.",
        || {
            let mut members = owners(5, "a=t-0,u-0 b=t-0,t-1");
            members[0].topics = topics("u=1").into_keys().collect();
            members[1].generation = 4;
            let got = cooperative_sticky(&members, &topics("t=2 u=1"));
            expect_shares("cooperative_sticky", &got, "a:u-0 b:t-1");
        }
    );
}

#[test]
fn the_fullest_member_cannot_give() {
    case!(
        "The fullest member has nothing that a newcomer reads. Then the next one gives: a has ten of `u`, and c, which reads `t`, gets two of b's four.",
        || {
            let mut members = members("a:u b:t c:t");
            members[0].owned = (0..10).map(|n| partition(&format!("u-{n}"))).collect();
            members[1].owned = (0..4).map(|n| partition(&format!("t-{n}"))).collect();
            let got = sticky(&members, &topics("t=4 u=10"));
            let counts: Vec<usize> = got.values().map(Vec::len).collect();
            expect_eq("partitions of a, b and c", counts, vec![10, 2, 2]);
        }
    );
}

#[test]
fn the_emptiest_member_cannot_take() {
    case!(
        "The emptiest member reads nothing of what the fullest has. Then the next one takes: d reads another topic, and c gets two of b's five.",
        || {
            let mut members = members("a:v b:t c:t d:v");
            members[1].owned = (0..5).map(|n| partition(&format!("t-{n}"))).collect();
            let got = sticky(&members, &topics("t=5"));
            expect_eq("the most that one has", extremes(&got).1, 3);
        }
    );
}

#[test]
fn members_that_read_different_topics() {
    case!(
        "With unequal subscriptions every partition that a member reads has one owner, who reads it, and no single move would make the shares more even.",
        || {
            let mut members = members("a:t b:t,u c:u");
            members[1].owned = ["t-0", "t-1", "u-0", "u-1"].map(partition).to_vec();
            members[1].generation = 2;
            let got = sticky(&members, &topics("t=2 u=2 unread=1"));
            expect_eq("smallest and largest", extremes(&got), (1, 2));
            for member in &members {
                let is_read = |p: &TopicPartition| member.topics.contains(&p.topic);
                expect(
                    "each member reads what it gets",
                    got[&member.id].iter().all(is_read),
                );
            }
            expect_shares("none", &sticky(&[], &topics("t=2")), "");
        }
    );
}

#[test]
fn cooperative_takes_first_and_gives_in_the_next_generation() {
    case!(
        "A partition that moves is given to nobody in this generation. When its owner has let go, the next one gives it away.",
        || {
            let topics = topics("t=2 u=2");
            let mut members = owners(1, "a=t-0,t-1,u-0,u-1 b=");
            let first = cooperative_sticky(&members, &topics);
            expect_eq("a keeps", first["a"].len(), 2);
            expect_eq("b gets", first["b"].len(), 0);
            members[0].owned = first["a"].clone();
            let second = cooperative_sticky(&members, &topics);
            expect_eq("a keeps what it has", &second["a"], &first["a"]);
            expect_eq("b gets", second["b"].len(), 2);
        }
    );
}

#[test]
fn cooperative_gives_at_once_what_nobody_has() {
    case!(
        "A partition that no member claims is given away in the same generation.",
        || {
            let got = cooperative_sticky(&owners(1, "a=t-0,t-1 b="), &topics("t=2 u=2"));
            expect_shares("cooperative_sticky", &got, "a:t-0,t-1 b:u-0,u-1");
        }
    );
}

#[test]
fn cooperative_waits_for_old_claims_too() {
    case!(
        "A claim of an old generation does not make its member the owner. But the member may still be reading: only its owner of the later generation goes on, and no third one begins.",
        || {
            let mut members = owners(5, "a=t-0 b=t-1 c=");
            members[0].owned.push(partition("t-1"));
            members[0].generation = 4;
            let got = cooperative_sticky(&members, &topics("t=2 u=1"));
            expect_shares("cooperative_sticky", &got, "a:t-0 b:t-1 c:u-0");
            let mut members = owners(5, "a=t-0,t-1,t-2,u-0 b= c=");
            members[0].generation = 4;
            let got = cooperative_sticky(&members, &topics("t=3 u=1"));
            expect_eq("b and c get", got["b"].len() + got["c"].len(), 0);
            let both = owners(5, "a=t-0,t-1 b=t-0,u-0");
            let got = cooperative_sticky(&both, &topics("t=2 u=1"));
            expect_shares("two claims", &got, "a:t-1 b:u-0");
        }
    );
}

#[test]
fn every_small_group() {
    case!(
        "From every share of four partitions among three members, or of nobody's: even, whole, and with as few moves as that takes.",
        || {
            let all = ["t-0", "t-1", "u-0", "u-1"];
            for code in 0..4_usize.pow(4) {
                let mut members = owners(7, "a= b= c=");
                for (at, name) in all.iter().enumerate() {
                    let owner = code / 4_usize.pow(u32::try_from(at).expect("small")) % 4;
                    if let Some(member) = members.get_mut(owner) {
                        member.owned.push(partition(name));
                    }
                }
                expect_best(&members, &topics("t=2 u=2"));
            }
        }
    );
}

#[test]
fn members_come_and_go() {
    case!(
        "Through 300 generations in which members and partitions come and go: even, whole, as few moves as it takes; and with the cooperative assignor never two owners, and even after at most two generations.",
        || {
            let mut random = fastrand::Rng::with_seed(16);
            let mut members = owners(0, "m0= m1= m2=");
            let (mut count, mut generation) = (5, 0);
            for round in 0..300 {
                match random.u8(..4) {
                    0 if members.len() < 9 => {
                        members.extend(owners(-1, &format!("n{round}=")));
                    }
                    1 if members.len() > 1 => {
                        members.swap_remove(random.usize(..members.len()));
                    }
                    2 => count = random.i32(1..40),
                    _ => {}
                }
                let topics = topics(&format!("t={count} u=7"));
                expect_best(&members, &topics);
                for _ in 0..2 {
                    let got = cooperative_sticky(&members, &topics);
                    expect_no_thief(&members, &got);
                    generation += 1;
                    for member in &mut members {
                        member.owned = got[&member.id].clone();
                        member.generation = generation;
                    }
                }
                let settled = cooperative_sticky(&members, &topics);
                expect_even(&settled);
                expect_whole(&settled, &topics);
            }
        }
    );
}

/// Even, whole, and with as few moves as that takes.
fn expect_best(members: &[Subscriber], topics: &Topics) {
    let got = sticky(members, topics);
    expect_even(&got);
    expect_whole(&got, topics);
    let total: usize = got.values().map(Vec::len).sum();
    let (each, extra) = (total / members.len(), total % members.len());
    let exists = |p: &&TopicPartition| (0..topics[&p.topic]).contains(&p.partition.0);
    let owned = |member: &Subscriber| member.owned.iter().filter(exists).count();
    let full: usize = members.iter().map(|member| owned(member).min(each)).sum();
    let above = members.iter().filter(|member| owned(member) > each).count();
    let kept = full + above.min(extra);
    let had: usize = members.iter().map(owned).sum();
    if moved(members, &got) > had - kept {
        let owned = members
            .iter()
            .map(|m| (m.id.clone(), m.owned.iter().cloned().collect()));
        let owned: BTreeMap<String, BTreeSet<TopicPartition>> = owned.collect();
        let got_sets = got
            .iter()
            .map(|(id, share)| (id.clone(), share.iter().cloned().collect()));
        let got_sets: BTreeMap<String, BTreeSet<TopicPartition>> = got_sets.collect();
        fail(
            &format!(
                "partitions that leave their owner; they were {}",
                show(&owned)
            ),
            &format!("{}", had - kept),
            &format!("{}: {}", moved(members, &got), show(&got_sets)),
        );
    }
}

/// No member gets what another one has.
fn expect_no_thief(members: &[Subscriber], got: &Assignments) {
    for member in members {
        for (id, share) in got {
            let stolen = share
                .iter()
                .find(|p| id != &member.id && member.owned.contains(p));
            if let Some(partition) = stolen {
                let owner = &member.id;
                expect(
                    &format!("{id} does not get {partition}, which {owner} has"),
                    false,
                );
            }
        }
    }
}

/// How many partitions were some member's and are not any more.
fn moved(members: &[Subscriber], got: &Assignments) -> usize {
    let gone = |member: &Subscriber| {
        let share = &got[&member.id];
        let topics = &member.topics;
        let owned = member.owned.iter().filter(|p| topics.contains(&p.topic));
        let exists = got.values().flatten().collect::<BTreeSet<_>>();
        owned
            .filter(|p| exists.contains(p) && !share.contains(p))
            .count()
    };
    members.iter().map(gone).sum()
}

fn extremes(got: &Assignments) -> (usize, usize) {
    let sizes = || got.values().map(Vec::len);
    (sizes().min().unwrap_or(0), sizes().max().unwrap_or(0))
}

fn expect_even(got: &Assignments) {
    let (smallest, largest) = extremes(got);
    if largest > smallest + 1 {
        fail(
            "the smallest and the largest share",
            "at most one apart",
            &format!("{smallest} and {largest}"),
        );
    }
}

/// Every partition is given out, once.
fn expect_whole(got: &Assignments, topics: &Topics) {
    let all: usize = topics
        .values()
        .map(|count| usize::try_from(*count).unwrap_or(0))
        .sum();
    let given: Vec<&TopicPartition> = got.values().flatten().collect();
    let distinct: BTreeSet<&&TopicPartition> = given.iter().collect();
    expect_eq(
        "partitions given out, and distinct ones",
        (given.len(), distinct.len()),
        (all, all),
    );
}
