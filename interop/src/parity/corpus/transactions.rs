//! What the coordinator of transactions does, from the first instance of a producer to the end.

use kafka_protocol::messages::FindCoordinatorRequest;

use crate::group_requests::{find, read};
use crate::parity::exchange::{Exchange, Step};
use crate::parity::producer;
use crate::requests::{create, create_plain, delete, list, text, topic};
use crate::transaction_requests::{
    Instance, add, add_offsets, adding, adding_offsets, committing_offsets, describe_transactions,
    end, ending, find_transaction, init, initialising, instance, list_transactions, recover, write,
};

const DESCRIBE_TRANSACTIONS: i16 = 65;
const LIST_TRANSACTIONS: i16 = 66;

pub(super) fn all() -> Vec<Exchange> {
    vec![
        finds(),
        versions(),
        inits(),
        again(),
        again_while_open(),
        recoveries(),
        recoveries_while_open(),
        fenced_recoveries(),
        stale_recoveries(),
        deleted_topic(),
        ends(),
        descriptions(),
        listings(),
    ]
}

/// A topic, the coordinator of the transactional id of the same name, and producer 1 of it.
fn begun(id: &str) -> Vec<Step> {
    vec![create_plain(&[id]), find_transaction(id), init(id, 1)]
}

fn after(id: &'static str, about: &'static str, steps: Vec<Step>) -> Exchange {
    Exchange::new(id, about, [begun(id), steps].concat())
}

fn finds() -> Exchange {
    let one = |version, key: &str| {
        let request = FindCoordinatorRequest::default().with_key(text(key));
        Step::new(version, &request.with_key_type(1))
    };
    let many = |keys: &[&str]| {
        let keys = keys.iter().map(|key| text(key)).collect();
        let request = FindCoordinatorRequest::default().with_coordinator_keys(keys);
        Step::new(4, &request.with_key_type(1))
    };
    Exchange::new(
        "transaction-finds",
        "FindCoordinator 1 to 4 for transactional ids: the first one asked for, one, the empty one, several, twice the same, and none.",
        vec![
            one(1, "transaction-finds-a"),
            one(1, "transaction-finds-a"),
            one(2, "transaction-finds-a"),
            one(3, "transaction-finds-b"),
            many(&["transaction-finds-a", "transaction-finds-b"]),
            many(&["transaction-finds-a", "transaction-finds-a"]),
            many(&[]),
            one(1, ""),
            one(2, ""),
            one(3, ""),
            many(&[""]),
        ],
    )
}

fn versions() -> Exchange {
    let id = "transaction-versions";
    let own = instance(1, 0);
    let cycles = (0..=3).flat_map(|version: i16| {
        let offsets = [(0, i64::from(version) + 5, Some("m"))];
        let sequence = i32::from(version);
        [
            Step::new(version, &adding(id, own, &[(id, &[0, 1])])),
            write(id, own, id, sequence),
            Step::new(version, &adding_offsets(id, own, id)),
            Step::new(version, &committing_offsets(id, own, id, id, &offsets)),
            describe_transactions(&[id]),
            read(id, None),
            Step::new(version, &ending(id, own, version % 2 == 0)),
            describe_transactions(&[id]),
            read(id, None),
            list(id, -1),
        ]
    });
    let mut steps = vec![
        create(vec![topic(id, 2, 1)]),
        find_transaction(id),
        find(id),
        init(id, 1),
    ];
    steps.extend(cycles);
    Exchange::new(
        id,
        "AddPartitionsToTxn, AddOffsetsToTxn, TxnOffsetCommit and EndTxn 0 to 3: transactions that commit and abort, and what is known of them meanwhile.",
        steps,
    )
}

fn inits() -> Exchange {
    let steps = (0..=4).flat_map(|version: i16| {
        let id = format!("transaction-inits-{version}");
        let ask = |id: &str, timeout, expected| {
            Step::new(version, &initialising(Some(id), timeout, expected))
        };
        let mut steps = vec![
            find_transaction(&id),
            ask("", 60_000, None),
            ask(&id, 0, None),
            ask(&id, -1, None),
            ask(&id, 900_001, None),
            describe_transactions(&[&id]),
            ask(&id, 900_000, None).numbers(1),
            describe_transactions(&[&id]),
            ask(&id, 1, None),
            describe_transactions(&[&id]),
        ];
        if version >= 3 {
            steps.extend([
                ask(&id, 60_000, Some((5, -1))),
                ask(&id, 60_000, Some((-1, 0))),
                ask(&id, 60_000, Some((-5, 0))),
                ask(&id, 60_000, Some(instance(1, -5))),
            ]);
        }
        steps
    });
    Exchange::new(
        "transaction-inits",
        "InitProducerId 0 to 4 with a transactional id: timeouts that are refused, the empty id, the same id again, and half an instance.",
        steps.collect(),
    )
}

fn again() -> Exchange {
    let id = "transaction-again";
    after(
        id,
        "A second and a third instance of a producer: behind nothing, a commit and an abort.",
        vec![
            init(id, 2),
            describe_transactions(&[id]),
            add(id, instance(1, 1), id),
            end(id, instance(1, 1), true),
            init(id, 2),
            describe_transactions(&[id]),
            add(id, instance(1, 2), id),
            end(id, instance(1, 2), false),
            init(id, 2),
            add(id, instance(1, 2), id),
            end(id, instance(1, 2), true),
            add(id, instance(1, 3), id),
            end(id, instance(1, 3), true),
        ],
    )
}

fn again_while_open() -> Exchange {
    let id = "transaction-again-while-open";
    let own = instance(1, 0);
    after(
        id,
        "A second instance while the first one's transaction is open: it is aborted, and the second asks again.",
        vec![
            add(id, own, id),
            write(id, own, id, 0),
            init(id, 2),
            describe_transactions(&[id]),
            write(id, own, id, 1),
            add(id, own, id),
            end(id, own, true),
            init(id, 2),
            describe_transactions(&[id]),
            add(id, instance(1, 2), id),
            write(id, instance(1, 2), id, 0),
            end(id, instance(1, 2), true),
            list(id, -1),
        ],
    )
}

fn recoveries() -> Exchange {
    let id = "transaction-recoveries";
    let ask = |version, expected: Instance| {
        Step::new(version, &initialising(Some(id), 60_000, Some(expected))).numbers(2)
    };
    after(
        id,
        "An instance that says whose next epoch it wants: in each state, twice, of a producer that is not this one, and of an id that is new.",
        vec![
            ask(3, instance(1, 0)),
            ask(4, instance(1, 0)),
            ask(4, instance(1, 1)),
            ask(4, instance(1, 1)),
            add(id, instance(1, 2), id),
            end(id, instance(1, 2), true),
            ask(4, instance(1, 2)),
            ask(4, instance(1, 2)),
            add(id, instance(1, 3), id),
            write(id, instance(1, 3), id, 0),
            ask(4, instance(1, 3)),
            ask(4, instance(1, 3)),
            describe_transactions(&[id]),
            recover("transaction-recoveries-new", 3, (3, 5)),
        ],
    )
}

fn recoveries_while_open() -> Exchange {
    let id = "transaction-recoveries-while-open";
    after(
        id,
        "The first instance of all has a transaction open and wants to go on: it is aborted, and the instance asks again, and again.",
        vec![
            add(id, instance(1, 0), id),
            write(id, instance(1, 0), id, 0),
            recover(id, 2, instance(1, 0)),
            describe_transactions(&[id]),
            recover(id, 2, instance(1, 0)),
            recover(id, 2, instance(1, 0)),
            recover(id, 2, instance(1, 1)),
            describe_transactions(&[id]),
        ],
    )
}

fn fenced_recoveries() -> Exchange {
    let id = "transaction-fenced-recoveries";
    after(
        id,
        "An instance has gone on and has a transaction open. Another instance aborts it, and the first one wants to go on from either of its epochs.",
        vec![
            recover(id, 2, instance(1, 0)),
            add(id, instance(1, 1), id),
            init(id, 2),
            recover(id, 2, instance(1, 0)),
            recover(id, 2, instance(1, 1)),
            describe_transactions(&[id]),
            init(id, 2),
            recover(id, 2, instance(1, 1)),
            describe_transactions(&[id]),
        ],
    )
}

fn deleted_topic() -> Exchange {
    let id = "transaction-deleted-topic";
    let own = instance(1, 0);
    after(
        id,
        "A topic is deleted while a transaction holds a partition of it.",
        vec![
            create_plain(&["transaction-deleted-topic-b"]),
            add(id, own, id),
            add(id, own, "transaction-deleted-topic-b"),
            write(id, own, id, 0),
            delete(&[id]),
            describe_transactions(&[id]),
            write(id, own, id, 1),
            end(id, own, true),
            describe_transactions(&[id]),
            list("transaction-deleted-topic-b", -1),
            add(id, own, "transaction-deleted-topic-b"),
            end(id, own, false),
        ],
    )
}

fn stale_recoveries() -> Exchange {
    let id = "transaction-stale-recoveries";
    let ask = |version, expected: Instance| {
        Step::new(version, &initialising(Some(id), 60_000, Some(expected)))
    };
    after(
        id,
        "An instance that says whose next epoch it wants, and is late: of an old epoch, an epoch that is to come, another id.",
        vec![
            init(id, 2),
            init(id, 2),
            ask(3, instance(1, 0)),
            ask(4, instance(1, 0)),
            ask(3, instance(1, 7)),
            ask(4, instance(1, 7)),
            ask(3, (1 << 40, 2)),
            ask(4, (1 << 40, 2)),
            ask(4, instance(1, i16::MAX)),
            describe_transactions(&[id]),
            add(id, instance(1, 2), id),
            ask(4, instance(1, 7)),
            ask(4, (1 << 40, 2)),
            ask(4, instance(1, 0)),
            describe_transactions(&[id]),
        ],
    )
}

fn ends() -> Exchange {
    let id = "transaction-ends";
    let own = instance(1, 0);
    after(
        id,
        "EndTxn of nothing, twice, with the other outcome, and of a transaction that holds no records or no partition.",
        vec![
            end(id, own, true),
            end(id, own, false),
            add(id, own, id),
            end(id, own, true),
            end(id, own, true),
            end(id, own, false),
            add(id, own, id),
            add(id, own, id),
            end(id, own, false),
            end(id, own, false),
            end(id, own, true),
            Step::new(3, &adding(id, own, &[])),
            describe_transactions(&[id]),
            add_offsets(id, own, id),
            describe_transactions(&[id]),
            end(id, own, true),
            list(id, -1),
        ],
    )
}

fn descriptions() -> Exchange {
    let id = "transaction-descriptions";
    let own = instance(1, 0);
    after(
        id,
        "DescribeTransactions of one id in each state, of several, twice the same, of the empty one, of one that is unknown, of none, and of a null list.",
        vec![
            describe_transactions(&[id]),
            add(id, own, id),
            describe_transactions(&[id]),
            end(id, own, true),
            describe_transactions(&[id, "transaction-descriptions-no", ""]),
            describe_transactions(&[id, id]),
            describe_transactions(&[]),
            Step::raw(DESCRIBE_TRANSACTIONS, 0, &[0, 0, 0]),
        ],
    )
}

fn listings() -> Exchange {
    let id = "transaction-listings";
    let (open, done) = ("transaction-listings-open", "transaction-listings-done");
    let list = |states: &[&str], producers: &[i64]| list_transactions(0, states, producers, -1);
    after(
        id,
        "ListTransactions 0 and 1: all, by state, by producer, by how long it is open, with filters that nothing passes, and with null lists.",
        vec![
            find_transaction(open),
            init(open, 2),
            add(open, instance(2, 0), id),
            find_transaction(done),
            init(done, 3),
            add(done, instance(3, 0), id),
            end(done, instance(3, 0), true),
            list(&[], &[]),
            list(&["Ongoing"], &[]),
            list(&["Ongoing", "CompleteCommit"], &[]),
            list(&["Empty"], &[]),
            list(&["ongoing"], &[]),
            list(&["Open"], &[]),
            list(&["Open", "Ongoing"], &[]),
            list(&["Dead"], &[]),
            list(&[], &[producer(2)]),
            list(&[], &[producer(2), producer(3)]),
            list(&["Empty"], &[producer(2)]),
            list(&[], &[1 << 40]),
            list(&[], &[-1]),
            list_transactions(1, &[], &[], -1),
            list_transactions(1, &["Ongoing"], &[producer(2)], -1),
            list_transactions(1, &[], &[], -5),
            list_transactions(1, &["Ongoing"], &[], 3_600_000),
            list_transactions(1, &[], &[], i64::MAX),
            Step::raw(LIST_TRANSACTIONS, 0, &[0, 0, 1, 0]),
            Step::raw(LIST_TRANSACTIONS, 0, &[0, 1, 0, 0]),
        ],
    )
}
