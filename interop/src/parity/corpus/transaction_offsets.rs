//! Offsets that are committed in transactions.

use kafka_protocol::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopics,
};
use kafka_protocol::messages::{OffsetFetchRequest, TxnOffsetCommitRequest};

use crate::group_requests::{
    commit, delete_groups, find, group, join_as, read, reading, stable, sync,
};
use crate::parity::exchange::{Exchange, Step};
use crate::requests::{create, create_plain, name, text, topic};
use crate::transaction_requests::{
    add_offsets, commit_offset, committing_offsets, end, find_transaction, init, instance,
};

/// A commit from outside of a group.
const NOBODY: (i32, &str) = (-1, "");

pub(super) fn all() -> Vec<Exchange> {
    vec![
        pending(),
        what(),
        members(),
        instances(),
        refused_members(),
        fenced(),
        deleted(),
    ]
}

/// How far a group has read in partitions of one topic, if that is certain.
fn read_stable(version: i16, id: &str, topic: &str, partitions: &[i32]) -> Step {
    let request = match version {
        ..8 => reading(id, Some(&[(topic, partitions)])),
        _ => {
            let topic = OffsetFetchRequestTopics::default()
                .with_name(name(topic))
                .with_partition_indexes(partitions.to_vec());
            let wanted = OffsetFetchRequestGroup::default()
                .with_group_id(group(id))
                .with_topics(Some(vec![topic]));
            OffsetFetchRequest::default().with_groups(vec![wanted])
        }
    };
    Step::new(version, &request.with_require_stable(true))
}

fn pending() -> Exchange {
    let id = "txn-offsets-pending";
    let own = instance(1, 0);
    let looks = || {
        vec![
            read_stable(7, id, id, &[0, 1]),
            read_stable(8, id, id, &[0, 1]),
            Step::new(7, &reading(id, None).with_require_stable(true)),
            read(id, None),
        ]
    };
    let steps = [
        vec![
            create(vec![topic(id, 2, 1)]),
            find(id),
            find_transaction(id),
            init(id, 1),
            commit(id, NOBODY, id, 3),
            add_offsets(id, own, id),
        ],
        looks(),
        vec![commit_offset(id, own, id, id, 5)],
        looks(),
        vec![commit_offset(id, own, id, id, 6)],
        looks(),
        vec![end(id, own, false)],
        looks(),
        vec![
            add_offsets(id, own, id),
            commit_offset(id, own, id, id, 7),
            commit_offset(id, own, id, id, 8),
            end(id, own, true),
        ],
        looks(),
        vec![
            add_offsets(id, own, id),
            commit_offset(id, own, id, id, 9),
            // From outside of the transaction, meanwhile.
            commit(id, NOBODY, id, 4),
        ],
        looks(),
        vec![end(id, own, true)],
        looks(),
    ];
    Exchange::new(
        id,
        "Offsets of a transaction are pending until it commits, and gone if it aborts; OffsetFetch 7 and 8 that want what is certain.",
        steps.concat(),
    )
}

fn what() -> Exchange {
    let id = "txn-offsets-what";
    let own = instance(1, 0);
    let with = |offset, metadata: Option<&str>| {
        let offsets = [(0, offset, metadata), (1, 1, Some(""))];
        Step::new(3, &committing_offsets(id, own, id, id, &offsets))
    };
    let ask = |topic: &str, offsets: &[(i32, i64, Option<&str>)]| {
        Step::new(3, &committing_offsets(id, own, id, topic, offsets))
    };
    let mut nothing: TxnOffsetCommitRequest = committing_offsets(id, own, id, id, &[]);
    nothing.topics.clear();
    Exchange::new(
        id,
        "TxnOffsetCommit of offsets below 0 and behind all, metadata that is null, the longest and too long, a partition twice, beside one that is not there, and of nothing.",
        vec![
            create(vec![topic(id, 2, 1)]),
            find(id),
            find_transaction(id),
            init(id, 1),
            add_offsets(id, own, id),
            with(0, None),
            with(-1, Some("below")),
            with(i64::MAX, Some("last")),
            with(1, Some(&"x".repeat(4_096))),
            with(2, Some(&"x".repeat(4_097))),
            ask(id, &[(0, 1, Some("a")), (0, 2, Some("b"))]),
            ask(id, &[(0, 3, Some("c")), (7, 4, Some("d"))]),
            ask(id, &[]),
            Step::new(3, &nothing),
            end(id, own, true),
            read(id, None),
        ],
    )
}

/// A commit of offset 5 by a member.
fn by(id: &str, generation: i32, member: &str, as_instance: Option<&str>) -> Step {
    let request = committing_offsets(id, instance(1, 0), id, id, &[(0, 5, Some("m"))])
        .with_generation_id(generation)
        .with_member_id(text(member))
        .with_group_instance_id(as_instance.map(text));
    Step::new(3, &request)
}

fn begun(id: &str) -> Vec<Step> {
    vec![
        create_plain(&[id]),
        find_transaction(id),
        init(id, 1),
        find(id),
        add_offsets(id, instance(1, 0), id),
    ]
}

fn members() -> Exchange {
    let id = "txn-offsets-members";
    let steps = vec![
        by(id, 1, "{a}", None),
        by(id, 0, "{a}", None),
        by(id, 2, "{a}", None),
        by(id, 1, "x", None),
        by(id, 1, "", None),
        by(id, -1, "{a}", None),
        by(id, -1, "", None),
        by(id, 1, "{a}", Some("i")),
        end(id, instance(1, 0), true),
        read(id, None),
    ];
    Exchange::new(
        id,
        "TxnOffsetCommit 3 into a group with a member: by it, in wrong generations, by another one, and by nobody.",
        [begun(id), stable(id, "a"), steps].concat(),
    )
}

fn instances() -> Exchange {
    let id = "txn-offsets-instances";
    let steps = vec![
        join_as(id, "", "i").names("a"),
        sync(id, 1, "{a}", &[("{a}", "s")]),
        by(id, 1, "{a}", Some("i")),
        by(id, 1, "{a}", Some("j")),
        by(id, 1, "x", Some("i")),
        by(id, 2, "{a}", Some("i")),
        by(id, -1, "", Some("i")),
        end(id, instance(1, 0), true),
        read(id, None),
    ];
    Exchange::new(
        id,
        "TxnOffsetCommit 3 by a static member, by one with another name, and by one with its name and another id.",
        [begun(id), steps].concat(),
    )
}

fn refused_members() -> Exchange {
    let id = "txn-offsets-refused-members";
    let steps = vec![
        by(id, 1, "x", None),
        by(id, 1, "", None),
        by(id, -1, "x", None),
        by(id, 0, "", Some("i")),
        by(id, -1, "", None),
        by(id, 1, "x", None),
        end(id, instance(1, 0), true),
        read(id, None),
    ];
    Exchange::new(
        id,
        "TxnOffsetCommit 3 into a group that is not there, and that has no members, with generations and member ids.",
        [begun(id), steps].concat(),
    )
}

fn fenced() -> Exchange {
    let id = "txn-offsets-fenced";
    let steps = vec![
        commit_offset(id, instance(1, 0), id, id, 5),
        init(id, 2),
        init(id, 2),
        commit_offset(id, instance(1, 0), id, id, 6),
        read_stable(7, id, id, &[0]),
        add_offsets(id, instance(1, 2), id),
        commit_offset(id, instance(1, 0), id, id, 6),
        commit_offset(id, instance(1, 2), id, id, 7),
        end(id, instance(1, 2), true),
        read(id, None),
    ];
    Exchange::new(
        id,
        "A second instance of a producer ends what the first one has pending, and keeps it from committing more.",
        [begun(id), steps].concat(),
    )
}

fn deleted() -> Exchange {
    let id = "txn-offsets-deleted";
    let steps = vec![
        commit(id, NOBODY, id, 3),
        commit_offset(id, instance(1, 0), id, id, 5),
        delete_groups(&[id]),
        read(id, None),
        end(id, instance(1, 0), true),
        read(id, None),
        delete_groups(&[id]),
        read(id, None),
    ];
    Exchange::new(
        id,
        "A group is deleted while offsets of a transaction are pending, and behind that.",
        [begun(id), steps].concat(),
    )
}
