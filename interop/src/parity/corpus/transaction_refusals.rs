//! What the coordinator of transactions refuses, in every version.

use crate::group_requests::find;
use crate::parity::exchange::{Exchange, Step};
use crate::requests::{create, create_plain, topic};
use crate::transaction_requests::{
    Instance, Topics, add, adding, adding_offsets, committing_offsets, describe_transactions, end,
    ending, find_transaction, init, instance,
};

const ADD_PARTITIONS: i16 = 24;
const ADD_OFFSETS: i16 = 25;
const END: i16 = 26;

pub(super) fn all() -> Vec<Exchange> {
    vec![partitions(), offsets(), ends(), nulls(), strangers()]
}

/// Producer 1 in epoch 1, which has a predecessor.
fn begun(id: &str) -> Vec<Step> {
    vec![
        create(vec![topic(id, 2, 1)]),
        find_transaction(id),
        find_transaction("transaction-refused-no"),
        init(id, 1),
        init(id, 1),
    ]
}

fn each(id: &str, of: impl Fn(i16) -> Vec<Step>) -> Vec<Step> {
    begun(id).into_iter().chain((0..=3).flat_map(of)).collect()
}

fn partitions() -> Exchange {
    let id = "transaction-refused-partitions";
    let own = instance(1, 1);
    let steps = each(id, |version| {
        let ask = |id: &str, producer: Instance, topics: Topics<'_>| {
            Step::new(version, &adding(id, producer, topics))
        };
        vec![
            ask(id, own, &[("refused-no-topic", &[0])]),
            ask(id, own, &[(id, &[0, 7])]),
            ask(id, own, &[(id, &[-1])]),
            ask(id, own, &[(id, &[0]), ("refused-no-topic", &[0, 1])]),
            ask(id, own, &[("a b", &[0])]),
            ask(id, own, &[("", &[0])]),
            describe_transactions(&[id]),
            ask("", own, &[(id, &[0])]),
            ask("transaction-refused-no", own, &[(id, &[0])]),
            ask(id, (1 << 40, 1), &[(id, &[0])]),
            ask(id, (-1, -1), &[(id, &[0])]),
            ask(id, instance(1, 0), &[(id, &[0])]),
            ask(id, instance(1, 2), &[(id, &[0])]),
            ask(id, instance(1, -1), &[(id, &[0])]),
            ask(id, own, &[]),
            ask(id, own, &[(id, &[])]),
            describe_transactions(&[id]),
            ask(id, own, &[(id, &[0, 1])]),
            ask(id, own, &[(id, &[1])]),
            ask(id, instance(1, 0), &[(id, &[0])]),
            describe_transactions(&[id]),
            end(id, own, false),
        ]
    });
    Exchange::new(
        id,
        "AddPartitionsToTxn 0 to 3: topics and partitions that are not there, alone and beside others, ids, producers and epochs that are not those, and nothing.",
        steps,
    )
}

fn offsets() -> Exchange {
    let id = "transaction-refused-offsets";
    let own = instance(1, 1);
    let steps = each(id, |version| {
        let ask = |id: &str, producer: Instance, group: &str| {
            Step::new(version, &adding_offsets(id, producer, group))
        };
        vec![
            ask(id, own, ""),
            ask("", own, id),
            ask("transaction-refused-no", own, id),
            ask(id, (1 << 40, 1), id),
            ask(id, (-1, -1), id),
            ask(id, instance(1, 0), id),
            ask(id, instance(1, 2), id),
            describe_transactions(&[id]),
            ask(id, own, id),
            end(id, own, false),
        ]
    });
    Exchange::new(
        id,
        "AddOffsetsToTxn 0 to 3: the empty group, and ids, producers and epochs that are not those.",
        [vec![find(id)], steps].concat(),
    )
}

fn ends() -> Exchange {
    let id = "transaction-refused-ends";
    let own = instance(1, 1);
    let steps = each(id, |version| {
        let ask = |id: &str, producer: Instance, commits| {
            Step::new(version, &ending(id, producer, commits))
        };
        vec![
            ask("", own, true),
            ask("transaction-refused-no", own, true),
            add(id, own, id),
            ask(id, (1 << 40, 1), true),
            ask(id, (-1, -1), true),
            ask(id, instance(1, 0), true),
            ask(id, instance(1, 0), false),
            ask(id, instance(1, 2), true),
            describe_transactions(&[id]),
            ask(id, own, true),
            ask(id, own, false),
            ask(id, own, true),
        ]
    });
    Exchange::new(
        id,
        "EndTxn 0 to 3: ids, producers and epochs that are not those, nothing begun, and the other outcome.",
        steps,
    )
}

fn nulls() -> Exchange {
    let id = "transaction-refused-nulls";
    // Behind an empty transactional id: producer id and epoch.
    let producer = [0; 10];
    let plain = |list: &[u8]| [&[0, 0][..], &producer, list].concat();
    let flexible = |list: &[u8]| [&[0, 1][..], &producer, list, &[0]].concat();
    Exchange::new(
        id,
        "A transactional id that is null, a list of topics that is null, and a group that is null.",
        vec![
            create_plain(&[id]),
            Step::raw(ADD_PARTITIONS, 0, &plain(&[0xff; 4])),
            Step::raw(ADD_PARTITIONS, 3, &flexible(&[0])),
            Step::raw(
                ADD_PARTITIONS,
                0,
                &[&[0xff, 0xff][..], &producer, &[0; 4]].concat(),
            ),
            Step::raw(ADD_OFFSETS, 0, &plain(&[0xff, 0xff])),
            Step::raw(ADD_OFFSETS, 3, &flexible(&[0])),
            Step::raw(END, 0, &[&[0xff, 0xff][..], &producer, &[1]].concat()),
            Step::raw(END, 3, &[&[0, 0][..], &producer, &[1, 0]].concat()),
        ],
    )
}

fn strangers() -> Exchange {
    let id = "transaction-refused-strangers";
    let own = instance(1, 1);
    let steps = each(id, |version| {
        let ask = |id: &str, producer: Instance, group: &str, topic: &str, partition| {
            let offsets = [(partition, 3, Some("m"))];
            let request = committing_offsets(id, producer, group, topic, &offsets);
            Step::new(version, &request)
        };
        vec![
            // Before its offsets are part of the transaction.
            ask(id, own, id, id, 0),
            Step::new(version, &adding_offsets(id, own, id)),
            ask(id, own, "", id, 0),
            ask(id, own, id, "refused-no-topic", 0),
            ask(id, own, id, id, 7),
            ask(id, own, id, id, -1),
            ask("", own, id, id, 0),
            ask("transaction-refused-no", own, id, id, 0),
            ask(id, (1 << 40, 1), id, id, 0),
            ask(id, instance(1, 0), id, id, 0),
            ask(id, instance(1, 2), id, id, 0),
            ask(id, own, id, id, 0),
            end(id, own, true),
            ask(id, own, id, id, 1),
        ]
    });
    Exchange::new(
        id,
        "TxnOffsetCommit 0 to 3: outside of a transaction, topics and partitions that are not there, the empty group, and ids, producers and epochs that are not those.",
        [vec![find(id)], steps].concat(),
    )
}
