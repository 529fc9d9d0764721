//! The membership.

use spec_harness::{case, expect, expect_eq};

use super::history::{at_rest, expect_every_history, expect_random_history};
use super::part::{Event, Joined, Problem};
use super::script::{Script, Told};
use super::world::World;

use Told::{
    Alive, At, CalledBack, Close, CommitRefused, HeartbeatRefused, JoinRefused, Polled, Rejoin,
    SyncRefused, Synced,
};

/// The answer to a JoinGroup, whose name an event has too.
fn joined(id: &str, generation: i32) -> Told<'_> {
    Told::Joined(id, generation)
}

#[test]
fn join_sync_assign() {
    case!(
        "A member joins, synchronises, and gets its partitions; it is told by a callback, also when there are none.",
        || {
            let mut member = Script::eager();
            member.tell(Polled, "");
            member.tell(Rejoin, "join as '' with [] of -1");
            member.tell(joined("m", 1), "sync m 1");
            expect(
                "not stable before it knows its share",
                !member.member.is_stable(),
            );
            member.tell(Synced(&[1, 2]), "assign [1, 2]");
            member.expect_owned(&[1, 2]);
            expect(
                "not stable while a callback runs",
                !member.member.is_stable(),
            );
            member.tell(CalledBack, "");
            expect("stable", member.member.is_stable());
            expect_eq("identity()", member.member.identity(), ("m", 1));
            let _none = Script::eager().with(&[]);
        }
    );
}

#[test]
fn the_id_comes_first() {
    case!(
        "A coordinator that gives out an id and wants a second JoinGroup gets it at once, with the id.",
        || {
            let mut member = Script::eager();
            member.tell(Rejoin, "join as '' with [] of -1");
            let problem = Problem::MemberIdRequired("m".to_owned());
            member.tell(JoinRefused(problem), "join as 'm' with [] of -1");
            member.tell(joined("m", 1), "sync m 1");
        }
    );
}

#[test]
fn the_leader() {
    case!(
        "The member that is the leader says so when it synchronises.",
        || {
            let mut member = Script::eager();
            member.tell(Rejoin, "join as '' with [] of -1");
            member.tell(joined("m!", 0), "sync m 0 as leader");
            member.tell(At(3_000), "heartbeat m 0");
        }
    );
}

#[test]
fn heartbeats() {
    case!(
        "A heartbeat is sent every interval, from the JoinGroup's answer on, and never a second one before the first is answered. Before the first generation there is nothing to wait for.",
        || {
            let mut member = Script::eager();
            member.tell(Rejoin, "join as '' with [] of -1");
            member.expect_deadline(None);
            member.tell(joined("m", 1), "sync m 1");
            member.expect_deadline(Some(3_000));
            member.tell(At(2_999), "");
            member.tell(At(3_000), "heartbeat m 1");
            member.tell(Synced(&[]), "assign []");
            member.tell(CalledBack, "");
            member.tell(At(6_000), "");
            member.tell(Alive, "");
            member.tell(At(6_500), "heartbeat m 1");
            member.tell(Alive, "");
            member.expect_deadline(Some(9_500));
        }
    );
}

#[test]
fn an_eager_member_gives_up_everything_first() {
    case!(
        "When the group rebalances, an eager member revokes everything, so that the application can commit; only then it joins.",
        || {
            let mut member = Script::eager().with(&[1, 2]);
            member.tell(At(3_000), "heartbeat m 1");
            let rebalance = HeartbeatRefused(Problem::RebalanceInProgress);
            member.tell(rebalance, "revoke [1, 2]");
            member.expect_owned(&[1, 2]);
            member.tell(At(6_000), "heartbeat m 1");
            member.tell(HeartbeatRefused(Problem::RebalanceInProgress), "");
            member.tell(CalledBack, "join as 'm' with [] of 1");
            member.expect_owned(&[]);
            member.tell(joined("m", 2), "sync m 2");
            member.tell(Synced(&[2, 3]), "assign [2, 3]");
        }
    );
}

#[test]
fn no_heartbeat_beside_a_join() {
    case!(
        "While its JoinGroup waits at the coordinator the member sends no heartbeats, however long it takes: the coordinator knows that it lives.",
        || {
            let mut member = Script::cooperative().with(&[1]);
            member.tell(Rejoin, "join as 'm' with [1] of 1");
            member.tell(At(100_000), "");
            member.expect_deadline(Some(300_000));
            member.tell(joined("m", 2), "sync m 2");
            member.expect_deadline(Some(103_000));
        }
    );
}

#[test]
fn a_cooperative_member_keeps_reading() {
    case!(
        "A cooperative member joins with what it has, and goes on reading. If it keeps all, it is told only what is new.",
        || {
            let mut member = Script::cooperative().with(&[1, 2]);
            member.tell(At(3_000), "heartbeat m 1");
            let rebalance = HeartbeatRefused(Problem::RebalanceInProgress);
            member.tell(rebalance, "join as 'm' with [1, 2] of 1");
            member.expect_owned(&[1, 2]);
            member.tell(joined("m", 2), "sync m 2");
            member.tell(Synced(&[1, 2, 3]), "assign [3]");
            member.tell(CalledBack, "");
            member.expect_owned(&[1, 2, 3]);
        }
    );
}

#[test]
fn a_cooperative_member_gives_up_and_joins_again() {
    case!(
        "What a cooperative member does not have any more is revoked first, then the new partitions are assigned; then it joins again, so that what it gave up finds an owner.",
        || {
            let mut member = Script::cooperative().with(&[1, 2, 3]);
            member.tell(Rejoin, "join as 'm' with [1, 2, 3] of 1");
            member.tell(joined("m", 2), "sync m 2");
            member.tell(Synced(&[1, 4]), "revoke [2, 3]");
            member.expect_owned(&[1, 2, 3]);
            member.tell(CalledBack, "assign [4]");
            member.expect_owned(&[1, 4]);
            member.tell(CalledBack, "join as 'm' with [1, 4] of 2");
        }
    );
}

#[test]
fn a_rebalance_while_a_callback_runs() {
    case!(
        "A rebalance that begins while a callback runs waits for it: the member joins when the application knows where it is.",
        || {
            let mut member = Script::cooperative();
            member.tell(Rejoin, "join as '' with [] of -1");
            member.tell(joined("m", 1), "sync m 1");
            member.tell(Synced(&[1]), "assign [1]");
            member.tell(Rejoin, "");
            member.tell(At(3_000), "heartbeat m 1");
            member.tell(HeartbeatRefused(Problem::RebalanceInProgress), "");
            member.tell(CalledBack, "join as 'm' with [1] of 1");
        }
    );
}

#[test]
fn a_rebalance_while_it_synchronises() {
    case!(
        "A SyncGroup that is refused because the group rebalances again leads to another JoinGroup, at once.",
        || {
            let mut member = Script::eager();
            member.tell(Rejoin, "join as '' with [] of -1");
            member.tell(joined("m", 1), "sync m 1");
            let refused = SyncRefused(Problem::RebalanceInProgress);
            member.tell(refused, "join as 'm' with [] of 1");
        }
    );
}

#[test]
fn an_unknown_member_loses() {
    case!(
        "A member that the coordinator does not know any more loses its partitions: others may be reading them, so there is no commit. It joins as a new one.",
        || {
            let mut member = Script::eager().with(&[1, 2]);
            member.tell(At(3_000), "heartbeat m 1");
            member.tell(HeartbeatRefused(Problem::UnknownMember), "lose [1, 2]");
            member.expect_owned(&[]);
            expect_eq("identity()", member.member.identity(), ("", -1));
            member.tell(CalledBack, "join as '' with [] of -1");
            let mut without = Script::cooperative().with(&[]);
            without.tell(At(3_000), "heartbeat m 1");
            let unknown = HeartbeatRefused(Problem::UnknownMember);
            without.tell(unknown, "join as '' with [] of -1");
        }
    );
}

#[test]
fn an_old_generation_loses_and_stays() {
    case!(
        "A member whose generation is over loses its partitions too. It keeps its id, because it is still in the group.",
        || {
            for refused in [
                SyncRefused(Problem::IllegalGeneration),
                CommitRefused(2, Problem::IllegalGeneration),
            ] {
                let mut member = Script::cooperative().with(&[1]);
                member.tell(Rejoin, "join as 'm' with [1] of 1");
                member.tell(joined("m", 2), "sync m 2");
                member.tell(refused, "lose [1]");
                member.tell(CalledBack, "join as 'm' with [] of -1");
            }
        }
    );
}

#[test]
fn a_join_that_is_refused() {
    case!(
        "A cooperative member whose JoinGroup is refused because it is unknown loses what it has, and joins as a new one.",
        || {
            let mut member = Script::cooperative().with(&[1]);
            member.tell(Rejoin, "join as 'm' with [1] of 1");
            member.tell(JoinRefused(Problem::UnknownMember), "lose [1]");
            member.tell(CalledBack, "join as '' with [] of -1");
        }
    );
}

#[test]
fn a_fenced_member_ends() {
    case!(
        "A member that is fenced has a successor of the same name. It loses everything, fails, and never joins again: else the two would throw each other out for ever.",
        || {
            for problem in [Problem::FencedInstance, Problem::Fatal] {
                let mut member = Script::eager_static().with(&[1]);
                member.tell(At(3_000), "heartbeat m 1");
                let expected = format!("fail {problem:?}, lose [1]");
                member.tell(HeartbeatRefused(problem), &expected);
                member.expect_identity("", -1);
                member.tell(CalledBack, "");
                member.tell(Rejoin, "");
                member.tell(Polled, "");
                member.tell(At(400_000), "");
                member.expect_deadline(None);
            }
        }
    );
}

#[test]
fn a_coordinator_that_cannot_be_reached() {
    case!(
        "A call that fails because the coordinator is away is tried again after the backoff. The member keeps its partitions meanwhile.",
        || {
            let mut member = Script::cooperative().with(&[1]);
            member.tell(Rejoin, "join as 'm' with [1] of 1");
            member.tell(JoinRefused(Problem::Retriable), "");
            expect(
                "not stable before it has joined",
                !member.member.is_stable(),
            );
            member.expect_deadline(Some(100));
            member.tell(At(99), "");
            member.tell(At(100), "join as 'm' with [1] of 1");
            member.tell(joined("m", 2), "sync m 2");
            member.tell(SyncRefused(Problem::Retriable), "");
            member.tell(At(200), "join as 'm' with [1] of 2");
            member.expect_owned(&[1]);
            let mut member = Script::eager().with(&[1]);
            member.tell(At(3_000), "heartbeat m 1");
            member.tell(HeartbeatRefused(Problem::Retriable), "");
            member.expect_deadline(Some(6_000));
            member.tell(At(3_100), "");
            member.tell(At(6_000), "heartbeat m 1");
            member.expect_owned(&[1]);
        }
    );
}

#[test]
fn a_long_revocation() {
    case!(
        "An application may take longer than a session to give up its partitions. Each heartbeat is answered: the group rebalances. So the coordinator counts the member as one, and nothing is lost.",
        || {
            let mut member = Script::eager().with(&[1]);
            member.tell(At(3_000), "heartbeat m 1");
            let rebalance = || HeartbeatRefused(Problem::RebalanceInProgress);
            member.tell(rebalance(), "revoke [1]");
            for second in (6..60).step_by(3) {
                member.tell(At(second * 1_000), "heartbeat m 1");
                member.tell(rebalance(), "");
            }
            member.expect_owned(&[1]);
            member.tell(CalledBack, "join as 'm' with [] of 1");
        }
    );
}

#[test]
fn a_coordinator_that_stays_away() {
    case!(
        "A coordinator that cannot be reached is not heard of: after a whole session of such heartbeats the partitions are lost.",
        || {
            let mut member = Script::cooperative().with(&[1]);
            for second in (3..45).step_by(3) {
                member.tell(At(second * 1_000), "heartbeat m 1");
                member.tell(HeartbeatRefused(Problem::Retriable), "");
            }
            member.tell(At(44_999), "");
            member.tell(At(45_000), "lose [1]");
        }
    );
}

#[test]
fn a_rejoin_during_a_call() {
    case!(
        "The topics change while a JoinGroup or a SyncGroup is on its way, which does not name the new ones. So the member joins again when it knows its partitions.",
        || {
            let mut member = Script::cooperative().with(&[1]);
            member.tell(Rejoin, "join as 'm' with [1] of 1");
            member.tell(Rejoin, "");
            member.tell(joined("m", 2), "sync m 2");
            member.tell(Synced(&[1]), "assign []");
            member.tell(CalledBack, "join as 'm' with [1] of 2");
            member.tell(joined("m", 3), "sync m 3");
            member.tell(Rejoin, "");
            member.tell(Synced(&[1]), "assign []");
            member.tell(CalledBack, "join as 'm' with [1] of 3");
        }
    );
}

#[test]
fn a_session_without_an_answer() {
    case!(
        "When no heartbeat was answered for a whole session, the coordinator may have given the partitions to others: they are lost. An answer begins the session anew.",
        || {
            let mut member = Script::eager().with(&[1]);
            member.tell(At(3_000), "heartbeat m 1");
            member.tell(Alive, "");
            member.tell(At(6_000), "heartbeat m 1");
            member.tell(At(47_999), "");
            member.expect_deadline(Some(48_000));
            member.tell(At(48_000), "lose [1]");
            member.tell(CalledBack, "join as 'm' with [] of -1");
        }
    );
}

#[test]
fn a_late_heartbeat() {
    case!(
        "An answer to a heartbeat of an earlier generation means nothing in this one.",
        || {
            let mut member = Script::cooperative().with(&[1]);
            member.tell(At(3_000), "heartbeat m 1");
            let late = member.heartbeat_ticket();
            member.tell(Rejoin, "join as 'm' with [1] of 1");
            member.tell(joined("m", 2), "sync m 2");
            member.tell(Synced(&[1]), "assign []");
            member.tell(CalledBack, "");
            let answer = Event::HeartbeatAnswered(late, Err(Problem::UnknownMember));
            member.tell_event("a late answer", answer, "");
            member.expect_owned(&[1]);
            member.tell(CommitRefused(1, Problem::IllegalGeneration), "");
            member.expect_owned(&[1]);
        }
    );
}

#[test]
fn a_heartbeat_that_outlives_its_generation() {
    case!(
        "A member has lost its generation while a heartbeat is on its way. What that is answered means nothing any more.",
        || {
            let mut member = Script::cooperative().with(&[1]);
            member.tell(At(3_000), "heartbeat m 1");
            member.tell(CommitRefused(1, Problem::IllegalGeneration), "lose [1]");
            member.tell(HeartbeatRefused(Problem::UnknownMember), "");
            member.tell(CalledBack, "join as 'm' with [] of -1");
        }
    );
}

#[test]
fn a_late_join() {
    case!(
        "An answer to a JoinGroup or a SyncGroup that was given up means nothing: the member has lost its generation meanwhile.",
        || {
            let mut member = Script::cooperative().with(&[1]);
            member.tell(Rejoin, "join as 'm' with [1] of 1");
            let late = member.join_ticket();
            member.tell(CommitRefused(1, Problem::UnknownMember), "lose [1]");
            let answer = Joined {
                member_id: "m".to_owned(),
                generation: 2,
                is_leader: false,
            };
            member.tell_event("a late answer", Event::Joined(late, Ok(answer)), "");
            member.tell(CalledBack, "join as '' with [] of -1");
            let mut member = Script::cooperative().with(&[1]);
            member.tell(Rejoin, "join as 'm' with [1] of 1");
            member.tell(joined("m", 2), "sync m 2");
            let late = member.sync_ticket();
            member.tell(CommitRefused(2, Problem::UnknownMember), "lose [1]");
            let answer = Event::Synced(late, Ok([2].into()));
            member.tell_event("a late answer", answer, "");
            member.tell(CalledBack, "join as '' with [] of -1");
        }
    );
}

#[test]
fn an_application_that_does_not_poll() {
    case!(
        "An application that does not poll for the whole interval is stuck: the member leaves, so that others read on. It joins again at the next poll.",
        || {
            let mut member = Script::eager().with(&[1]);
            for second in (3..300).step_by(3) {
                member.tell(At(second * 1_000), "heartbeat m 1");
                member.tell(Alive, "");
            }
            member.tell(At(299_999), "");
            member.tell(At(300_000), "leave m, lose [1]");
            member.tell(CalledBack, "");
            member.expect_deadline(None);
            member.tell(Polled, "join as '' with [] of -1");
            let mut fixed = Script::eager_static().with(&[1]);
            for second in (3..300).step_by(3) {
                fixed.tell(At(second * 1_000), "heartbeat m 1");
                fixed.tell(Alive, "");
            }
            fixed.tell(At(300_000), "lose [1]");
        }
    );
}

#[test]
fn polls_keep_it() {
    case!("A poll begins the interval anew.", || {
        let mut member = Script::eager().with(&[1]);
        for second in (3..900).step_by(3) {
            member.tell(At(second * 1_000), "heartbeat m 1");
            member.tell(Alive, "");
            if second % 150 == 0 {
                member.tell(Polled, "");
            }
        }
    });
}

#[test]
fn a_close() {
    case!(
        "A member that closes revokes what it has, so that the application can commit; then it leaves, and never joins again. A static member does not leave.",
        || {
            let mut member = Script::eager().with(&[1, 2]);
            member.tell(Close, "revoke [1, 2]");
            member.tell(CalledBack, "leave m, closed");
            member.expect_identity("", -1);
            member.tell(Rejoin, "");
            member.expect_deadline(None);
            let mut fixed = Script::eager_static().with(&[1, 2]);
            fixed.tell(Close, "revoke [1, 2]");
            fixed.tell(CalledBack, "closed");
            Script::eager().tell(Close, "closed");
        }
    );
}

#[test]
fn a_close_in_the_middle() {
    case!(
        "A close waits for the callback that runs, and for no call: a member that is joining or synchronising leaves at once.",
        || {
            let mut member = Script::eager();
            member.tell(Rejoin, "join as '' with [] of -1");
            member.tell(joined("m", 1), "sync m 1");
            member.tell(Close, "leave m, closed");
            let mut member = Script::cooperative().with(&[1]);
            member.tell(Rejoin, "join as 'm' with [1] of 1");
            member.tell(Close, "revoke [1]");
            member.tell(joined("m", 2), "");
            member.tell(CalledBack, "leave m, closed");
            let mut member = Script::eager().with(&[1]);
            member.tell(Rejoin, "revoke [1]");
            member.tell(Close, "");
            member.tell(CalledBack, "leave m, closed");
        }
    );
}

#[test]
fn a_close_that_takes_long() {
    case!(
        "While a member closes and its last callback runs, it is a member: heartbeats go on, so that the commit is taken. The session and the poll interval go on too.",
        || {
            let mut member = Script::eager().with(&[1]);
            member.tell(Close, "revoke [1]");
            for second in (3..300).step_by(3) {
                member.tell(At(second * 1_000), "heartbeat m 1");
                member.tell(Alive, "");
            }
            member.expect_identity("m", 1);
            member.expect_deadline(Some(300_000));
            member.tell(At(300_000), "leave m");
            member.tell(CalledBack, "closed");
            let mut silent = Script::eager().with(&[1]);
            silent.tell(Close, "revoke [1]");
            silent.tell(At(3_000), "heartbeat m 1");
            silent.tell(At(45_000), "");
            silent.expect_identity("m", -1);
        }
    );
}

#[test]
fn a_close_that_fails() {
    case!(
        "A member that is fenced while it closes has ended with that: it fails, and is not closed as well.",
        || {
            let mut member = Script::eager_static().with(&[1]);
            member.tell(Close, "revoke [1]");
            member.tell(At(3_000), "heartbeat m 1");
            let fenced = HeartbeatRefused(Problem::FencedInstance);
            member.tell(fenced, "fail FencedInstance");
            member.tell(CalledBack, "");
        }
    );
}

#[test]
fn a_loss_while_a_callback_runs() {
    case!(
        "If the member is expired while it revokes some partitions, these are revoked to the end, and the others are lost; what was to be assigned is not.",
        || {
            let mut member = Script::cooperative().with(&[1, 2]);
            member.tell(Rejoin, "join as 'm' with [1, 2] of 1");
            member.tell(joined("m", 2), "sync m 2");
            member.tell(Synced(&[1, 3]), "revoke [2]");
            member.tell(CommitRefused(2, Problem::UnknownMember), "");
            member.tell(CalledBack, "lose [1]");
            member.tell(CalledBack, "join as '' with [] of -1");
        }
    );
}

#[test]
fn every_short_history_eager() {
    case!(
        "Every history of up to five steps, of one and of two eager members, from the start and from rest: no two members of the group read one partition, callbacks pair up, commits at a revoke are taken, and the group comes to rest.",
        || {
            expect_every_history(&World::new(1, false, true), 7, true);
            expect_every_history(&World::new(2, false, false), 5, true);
            expect_every_history(&at_rest(2, false, true), 4, true);
        }
    );
}

#[test]
fn every_short_history_cooperative() {
    case!("The same with cooperative members.", || {
        expect_every_history(&World::new(1, true, false), 7, true);
        expect_every_history(&World::new(2, true, true), 5, true);
        expect_every_history(&at_rest(2, true, false), 4, true);
    });
}

#[test]
fn long_histories() {
    case!(
        "A thousand random histories of 60 steps, of three members, with mishaps.",
        || {
            let mut random = fastrand::Rng::with_seed(16);
            for round in 0..1_000 {
                let world = World::new(3, round % 2 == 0, round % 4 < 2);
                expect_random_history(&world, 60, &mut random);
            }
        }
    );
}
