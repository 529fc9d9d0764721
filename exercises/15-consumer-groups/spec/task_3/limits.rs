//! What is refused, and what a group costs.

use std::time::Duration;

use spec_harness::{case, expect, expect_eq};

use super::super::part::{Join, Settings, State};
use super::world::{
    DELAY, SESSION, World, again, changed, dynamic, fixed, knowing, new, settings, sync,
};
use super::{expect_state, expect_sync, id_first};

#[test]
fn a_protocol_that_does_not_fit() {
    case!(
        "A consumer that has no protocol in common with all members, or another type, is refused.",
        || {
            let mut world = World::new();
            let refused = "InconsistentProtocol as \"\"";
            let a = world.join(knowing(new("a"), &[]));
            expect_eq("the first member without", world.answer(a), refused);
            let a = world.join(Join {
                protocol_type: "".into(),
                ..new("a")
            });
            expect_eq("the first one without a type", world.answer(a), refused);
            let mut world = World::stable(&["a"]);
            let b = world.join(knowing(new("b"), &["sticky"]));
            expect_eq("another protocol", world.answer(b), refused);
            let b = world.join(Join {
                protocol_type: "connect".into(),
                ..new("b")
            });
            expect_eq("another type", world.answer(b), refused);
            let b = world.join(knowing(new("b"), &[]));
            expect_eq("no protocol", world.answer(b), refused);
            expect_state(&world, State::Stable);
        }
    );
}

#[test]
fn session_timeouts_have_limits() {
    case!(
        "A session timeout outside of the limits is refused.",
        || {
            let mut world = World::stable(&["a"]);
            for (millis, expected) in [
                (5_999, "InvalidSessionTimeout as \"\""),
                (6_000, "parked"),
                (1_800_000, "parked"),
                (1_800_001, "InvalidSessionTimeout as \"\""),
            ] {
                let name = format!("b{millis}");
                let join = world.join(Join {
                    session_timeout: Duration::from_millis(millis),
                    ..new(&name)
                });
                expect_eq(&format!("{millis} ms"), world.answer(join), expected);
            }
        }
    );
}

#[test]
fn a_full_group() {
    case!(
        "A group has at most so many members. A static member that returns is one of them.",
        || {
            let small = Settings {
                members_max: 2,
                ..settings()
            };
            let mut world = World::with(small);
            world.join(new("a"));
            world.join(fixed("s", "s-1"));
            let c = world.join(new("c"));
            expect_eq("a third one", world.answer(c), "GroupFull as \"\"");
            world.wait(2 * DELAY);
            let c = world.join(new("c"));
            expect_eq(
                "between join and sync",
                world.answer(c),
                "GroupFull as \"\"",
            );
            let s = world.join(fixed("s", "s-2"));
            expect_eq("a return", world.answer(s), "parked");
            let a = world.join(again("a"));
            let leads = "a in generation 2 by range, a leads: a s-2";
            expect_eq("the next generation", world.answer(a), leads);
        }
    );
}

#[test]
fn the_first_to_join_again_stay() {
    case!(
        "While members join again, the places are for those that come first: also after a restart with room for fewer.",
        || {
            let small = || Settings {
                members_max: 2,
                ..settings()
            };
            let mut world = World::with(small());
            world.join(new("a"));
            world.join(new("b"));
            world.wait(2 * DELAY);
            let a = world.join(changed(again("a")));
            world.join(new("c"));
            let b = world.join(again("b"));
            expect_eq("b, behind c", world.answer(b), "GroupFull as \"\"");
            let leads = "a in generation 2 by range, a leads: a c";
            expect_eq("a", world.answer(a), leads);
            let stored = World::stable(&["a", "b", "c"]).disk.clone();
            let mut world = World::restored_with(small(), stored.expect("it was stored"));
            expect_state(&world, State::PreparingRebalance);
            let b = world.join(again("b"));
            world.join(again("c"));
            world.join(again("b"));
            let over = "RebalanceInProgress as \"b\"";
            expect_eq("b's first call", world.answer(b), over);
            let a = world.join(again("a"));
            expect_eq("a, behind b and c", world.answer(a), "GroupFull as \"\"");
            let both = ["b", "c"].map(String::from).to_vec();
            expect_eq("the members", world.members(), both);
            expect_state(&world, State::CompletingRebalance);
            let stored = World::stable(&["a", "b"]).disk.clone();
            let world = World::restored_with(small(), stored.expect("it was stored"));
            expect_state(&world, State::Stable);
        }
    );
}

#[test]
fn ids_have_a_limit() {
    case!(
        "As many ids are given and not used as a group may have members. Members and consumers with an id are not held up by that.",
        || {
            let small = Settings {
                members_max: 2,
                ..settings()
            };
            let mut world = World::with(small);
            let a = world.join(new("a"));
            world.wait(DELAY);
            let follows = "a in generation 1 by range, a leads: a";
            expect_eq("a", world.answer(a), follows);
            world.join(id_first("b"));
            world.join(id_first("c"));
            let d = world.join(id_first("d"));
            expect_eq("a third id", world.answer(d), "GroupFull as \"\"");
            let a = world.join(again("a"));
            expect_eq("the member", world.answer(a), follows);
            let b = world.join(again("b"));
            expect_eq("one with an id", world.answer(b), "parked");
            let a = world.join(again("a"));
            expect_eq("while c has not joined", world.answer(a), "parked");
            let c = world.join(again("c"));
            expect_eq("the other one", world.answer(c), "GroupFull as \"\"");
            let leads = "a in generation 2 by range, a leads: a b";
            expect_eq("when c is refused", world.answer(a), leads);
        }
    );
}

#[test]
fn what_a_group_costs() {
    case!(
        "What members bring is counted: ids, metadata, shares. What would cost more than the group may is refused.",
        || {
            let small = Settings {
                bytes_max: 30_000,
                ..settings()
            };
            let mut world = World::with(small);
            world.join(heavy(new("a"), 10_000));
            expect_bytes("one member", world.group.bytes(), 10_000);
            world.join(heavy(new("b"), 10_000));
            expect_bytes("two", world.group.bytes(), 20_000);
            let c = world.join(heavy(new("c"), 10_000));
            expect_eq("a third one", world.answer(c), "GroupFull as \"\"");
            world.wait(2 * DELAY);
            let (share, large) = ("x".repeat(4_000), "x".repeat(10_000));
            expect_sync(&mut world, sync("a", 1, &[("a", &large)]), "GroupFull");
            world.sync(sync("a", 1, &[("a", &share), ("stranger", &share)]));
            expect_bytes("while they are stored", world.group.bytes(), 24_000);
            world.stored(true);
            expect_bytes("with shares", world.group.bytes(), 24_000);
            let b = world.join(heavy(again("b"), 5_000));
            expect_eq("with less than before", world.answer(b), "parked");
            expect_bytes("then", world.group.bytes(), 19_000);
            world.leave(&[dynamic("a"), dynamic("b")]);
            expect_eq("without members", world.group.bytes(), 0);
        }
    );
}

#[test]
fn a_thousand_members() {
    case!(
        "A thousand members join, sync, send heartbeats, and leave one after the other.",
        || {
            let large = Settings {
                members_max: 1_000,
                ..settings()
            };
            let names: Vec<String> = (0..1_000).map(|number| format!("m{number:03}")).collect();
            let mut world = World::with(large);
            world.quick = true;
            for name in &names {
                world.join(new(name));
            }
            world.wait(2 * DELAY);
            for name in names.iter().rev() {
                world.sync(sync(name, 1, &[("m500", "x")]));
            }
            world.stored(true);
            expect_state(&world, State::Stable);
            for name in &names {
                expect_eq("a heartbeat", world.heartbeat(name, 1), Ok(()));
            }
            world.leave(&[dynamic("m000")]);
            for name in &names[1..] {
                world.join(again(name));
            }
            expect_eq("the generation", world.group.generation(), 2);
            world.wait(SESSION);
            expect_state(&world, State::Empty);
        }
    );
}

/// `join` with so many bytes of metadata.
fn heavy(mut join: Join, bytes: usize) -> Join {
    join.protocols[0].metadata = vec![0; bytes].into();
    join
}

/// A group costs what members bring, and up to 2,000 bytes for what else there is of them.
fn expect_bytes(what: &str, bytes: usize, brought: usize) {
    let range = brought..brought + 2_000;
    expect(
        &format!("{what}: {bytes} bytes, in {range:?}"),
        range.contains(&bytes),
    );
}
