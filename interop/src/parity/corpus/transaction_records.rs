//! Records of producers with ids and of transactions: written, read and described.

use crate::parity::batch::Batch;
use kafka_protocol::messages::DeleteRecordsRequest;
use kafka_protocol::messages::delete_records_request::{
    DeleteRecordsPartition, DeleteRecordsTopic,
};

use crate::parity::batch::TIMESTAMP;
use crate::parity::exchange::{Exchange, Step};
use crate::requests::{
    create, fetch, fetch_partition, fetching, list, listing, name, produce, production, set, topic,
};
use crate::transaction_requests::{
    add, adding, describe_producers, end, fetch_committed, find_transaction, init, initialising,
    instance, list_committed, mark, marking, numbered, produce_in, transaction, transactional,
    write,
};

const WRITE_TXN_MARKERS: i16 = 27;

/// A topic with two partitions of one segment each. The records are years older than the markers,
/// and a fetch ends with a segment.
fn one_segment(id: &str) -> Step {
    create(vec![set(
        topic(id, 2, 1),
        &[("segment.ms", Some("3155760000000"))],
    )])
}

pub(super) fn all() -> Vec<Exchange> {
    vec![
        duplicates(),
        duplicate_versions(),
        sequences(),
        odd_numbers(),
        epochs(),
        refused(),
        refused_versions(),
        fenced(),
        committed(),
        read_versions(),
        aborted(),
        empty(),
        mixed(),
        described(),
        marked(),
        marker_refusals(),
        partly(),
        deleted(),
    ]
}

/// Producer 1, without a transactional id.
fn plain(id: &str) -> Vec<Step> {
    let begins = Step::new(4, &initialising(None, 60_000, None)).numbers(1);
    vec![one_segment(id), begins]
}

/// Producer 1 of the transactional id that is called as the topic.
fn begun(id: &str) -> Vec<Step> {
    vec![one_segment(id), find_transaction(id), init(id, 1)]
}

fn duplicates() -> Exchange {
    let id = "numbered-duplicates";
    let put =
        |first, values: &[&str]| produce_in(7, None, id, &numbered(instance(1, 0), first, values));
    let steps = vec![
        put(0, &["a"]),
        put(0, &["a"]),
        put(1, &["b", "c"]),
        put(1, &["b", "c"]),
        put(0, &["a"]),
        put(3, &["d"]),
        put(4, &["e"]),
        put(5, &["f"]),
        put(6, &["g"]),
        // The first batch is not one of the last five any more, the second one is.
        put(1, &["b", "c"]),
        put(0, &["a"]),
        put(7, &["h"]),
        put(1, &["b", "c"]),
        // Numbers that it has, but in other batches.
        put(3, &["d", "e"]),
        put(4, &["e"]),
        // Other records with the same numbers.
        put(7, &["i"]),
        list(id, -1),
        fetch(id, 0),
    ];
    Exchange::new(
        id,
        "A batch that is sent again is answered with its offset, as long as it is one of the last five.",
        [plain(id), steps].concat(),
    )
}

fn duplicate_versions() -> Exchange {
    let id = "numbered-duplicate-versions";
    let steps = (3..=9).flat_map(|version: i16| {
        let batch = numbered(instance(1, 0), i32::from(version) - 3, &["a"]);
        let gap = numbered(instance(1, 0), 100, &["a"]);
        let old = numbered(instance(1, -2), 0, &["a"]);
        [batch.clone(), batch, gap, old].map(|batch| produce_in(version, None, id, &batch))
    });
    Exchange::new(
        id,
        "Produce 3 to 9 of a batch with a producer id, of the same again, of a gap and of an epoch that is none.",
        [plain(id), steps.collect()].concat(),
    )
}

fn sequences() -> Exchange {
    let id = "numbered-sequences";
    let put = |epoch, first, values: &[&str]| {
        produce_in(7, None, id, &numbered(instance(1, epoch), first, values))
    };
    let steps = vec![
        // The first one may have any number.
        put(0, 7, &["a"]),
        put(0, 9, &["b"]),
        put(0, 6, &["b"]),
        put(0, 0, &["b"]),
        put(0, 8, &["b"]),
        describe_producers(&[(id, &[0])]),
        // A new epoch begins at 0.
        put(1, 9, &["c"]),
        put(1, 0, &["c"]),
        put(1, 0, &["c"]),
        put(1, i32::MAX, &["c"]),
        describe_producers(&[(id, &[0])]),
        put(0, 9, &["d"]),
        put(0, 8, &["b"]),
        list(id, -1),
    ];
    Exchange::new(
        id,
        "Sequence numbers of one producer: gaps, old ones, a new epoch and an old one.",
        [plain(id), steps].concat(),
    )
}

fn odd_numbers() -> Exchange {
    let id = "numbered-oddly";
    let put = |producer, first, values: &[&str]| {
        produce_in(7, None, id, &numbered(producer, first, values))
    };
    let steps = vec![
        put(instance(1, 0), i32::MAX - 1, &["a", "b"]),
        put(instance(1, 0), 0, &["c"]),
        describe_producers(&[(id, &[0])]),
        // Numbers that wrap within the batch.
        put(instance(1, 1), 0, &["d"]),
        put(instance(2, 0), i32::MAX, &["e", "f"]),
        put(instance(2, 0), 1, &["g"]),
        put(instance(1, 1), -1, &["h"]),
        put(instance(1, -1), 0, &["h"]),
        put((-1, 0), 0, &["h"]),
        put((-1, -1), 5, &["h"]),
        put((-7, 0), 0, &["h"]),
        put(instance(1, 1), -5, &["h"]),
        // An id that nobody has handed out.
        put((1 << 40, 3), 4, &["i"]),
        list(id, -1),
    ];
    let second = Step::new(4, &initialising(None, 60_000, None)).numbers(2);
    Exchange::new(
        id,
        "Sequence numbers that begin again at 0 behind the largest one, and ids, epochs and numbers below 0.",
        [plain(id), vec![second], steps].concat(),
    )
}

fn epochs() -> Exchange {
    let id = "numbered-epochs";
    let put = |version, epoch, first| {
        produce_in(
            version,
            None,
            id,
            &numbered(instance(1, epoch), first, &["a"]),
        )
    };
    let steps = vec![
        put(7, 3, 0),
        put(7, 2, 1),
        put(3, 2, 0),
        put(9, 2, 1),
        put(7, 3, 1),
        put(7, i16::MAX, 0),
        put(7, 4, 0),
        list(id, -1),
    ];
    Exchange::new(
        id,
        "Batches of an epoch that another one has followed.",
        [plain(id), steps].concat(),
    )
}

fn refused() -> Exchange {
    let id = "txn-records-refused";
    let own = instance(1, 0);
    let batch = transactional(own, 0, &["a"]);
    let steps = vec![
        // Before the partition is part of the transaction.
        write(id, own, id, 0),
        // Without a transactional id in the request.
        produce_in(7, None, id, &batch),
        add(id, own, id),
        produce_in(7, None, id, &batch),
        produce_in(
            7,
            Some("txn-records-refused-no"),
            id,
            &transactional((1 << 40, 0), 0, &["a"]),
        ),
        // Another producer in the name of this one, and one that is late.
        write(id, (1 << 40, 0), id, 0),
        write(id, instance(1, 1), id, 0),
        write(id, own, id, 0),
        write(id, own, id, 0),
        write(id, own, id, 2),
        // Records that are not of the transaction, in the middle of it.
        produce_in(7, Some(id), id, &numbered(own, 1, &["b"])),
        produce_in(7, None, id, &numbered(own, 1, &["b"])),
        end(id, own, true),
        write(id, own, id, 1),
        produce_in(7, None, id, &numbered(own, 1, &["b"])),
        list(id, -1),
        list_committed(2, id, -1),
    ];
    Exchange::new(
        id,
        "Batches of transactions: outside of one, without a transactional id, with another one, twice, with a gap, and behind the end.",
        [
            begun(id),
            vec![find_transaction("txn-records-refused-no")],
            steps,
        ]
        .concat(),
    )
}

fn refused_versions() -> Exchange {
    let id = "txn-records-refused-versions";
    let own = instance(1, 0);
    let steps = (3..=9).flat_map(|version: i16| {
        let batch = transactional(own, i32::from(version) - 3, &["a"]);
        let to = |id: Option<&'static str>| {
            produce_in(version, id, "txn-records-refused-versions", &batch)
        };
        vec![
            to(None),
            to(Some(id)),
            to(Some("")),
            add(id, own, id),
            to(Some(id)),
            to(Some(id)),
            end(id, own, version % 2 == 0),
        ]
    });
    Exchange::new(
        id,
        "Produce 3 to 9 of a batch of a transaction: without a transactional id, outside of the transaction, within and twice.",
        [begun(id), steps.collect()].concat(),
    )
}

fn fenced() -> Exchange {
    let id = "txn-records-fenced";
    let own = instance(1, 0);
    let steps = vec![
        add(id, own, id),
        write(id, own, id, 0),
        init(id, 2),
        write(id, own, id, 1),
        write(id, own, id, 0),
        init(id, 2),
        write(id, own, id, 1),
        add(id, instance(1, 2), id),
        write(id, own, id, 1),
        write(id, instance(1, 2), id, 5),
        write(id, instance(1, 2), id, 0),
        write(id, own, id, 1),
        end(id, instance(1, 2), true),
        fetch_committed(11, id, 0),
        fetch(id, 0),
        describe_producers(&[(id, &[0])]),
    ];
    Exchange::new(
        id,
        "A producer goes on to write into its partition when a second instance has ended its transaction.",
        [begun(id), steps].concat(),
    )
}

fn committed() -> Exchange {
    let id = "txn-records-committed";
    let own = instance(1, 0);
    let looks = || {
        vec![
            fetch(id, 0),
            fetch_committed(11, id, 0),
            list(id, -1),
            list_committed(2, id, -1),
        ]
    };
    let steps = [
        vec![
            produce(id, &Batch::of(&["a"])),
            add(id, own, id),
            write(id, own, id, 0),
            write(id, own, id, 1),
            produce(id, &Batch::of(&["b"])),
        ],
        looks(),
        vec![
            fetch_committed(11, id, 1),
            fetch_committed(11, id, 3),
            fetch_committed(11, id, 4),
            fetch_committed(11, id, 5),
            end(id, own, true),
        ],
        looks(),
        vec![
            fetch_committed(11, id, 4),
            fetch_committed(11, id, 5),
            // The whole of a transaction in one partition, and only its end in another one.
            Step::new(3, &adding(id, own, &[(id, &[0, 1])])),
            write(id, own, id, 2),
            end(id, own, true),
        ],
        looks(),
        vec![Step::new(
            11,
            &fetching(id, vec![fetch_partition(1, 0)]).with_isolation_level(1),
        )],
    ];
    Exchange::new(
        id,
        "What is read of a transaction at each isolation level, while it is open and when it has committed.",
        [begun(id), steps.concat()].concat(),
    )
}

fn read_versions() -> Exchange {
    let id = "txn-records-versions";
    let own = instance(1, 0);
    let before = vec![
        add(id, own, id),
        write(id, own, id, 0),
        end(id, own, false),
        produce(id, &Batch::of(&["a"])),
        add(id, own, id),
        write(id, own, id, 1),
    ];
    let fetches = (4..=12).map(|version| fetch_committed(version, id, 0));
    let lists = (2..=9).flat_map(|version| {
        [-1, -2, TIMESTAMP, TIMESTAMP + 1, 4_000_000_000_000]
            .map(|time| list_committed(version, id, time))
    });
    let largest = (7..=9).map(|version| list_committed(version, id, -3));
    Exchange::new(
        id,
        "Fetch 4 to 12 and ListOffsets 2 to 9 of what is committed: an aborted transaction, a record without one, and an open one.",
        [
            begun(id),
            before,
            fetches.collect(),
            lists.collect(),
            largest.collect(),
        ]
        .concat(),
    )
}

fn aborted() -> Exchange {
    let id = "txn-records-aborted";
    let other = "txn-records-aborted-other";
    let (own, second) = (instance(1, 0), instance(2, 0));
    let steps = vec![
        find_transaction(other),
        init(other, 2),
        add(id, own, id),
        write(id, own, id, 0),
        add(other, second, id),
        write(other, second, id, 0),
        end(id, own, false),
        fetch_committed(11, id, 0),
        write(other, second, id, 1),
        end(other, second, false),
        add(id, own, id),
        write(id, own, id, 1),
        end(id, own, true),
        fetch_committed(11, id, 0),
        fetch_committed(11, id, 1),
        fetch_committed(11, id, 3),
        fetch_committed(11, id, 4),
        fetch_committed(11, id, 5),
        fetch_committed(11, id, 6),
        fetch(id, 0),
        // Only as much as fits.
        Step::new(
            11,
            &fetching(id, vec![fetch_partition(0, 0).with_partition_max_bytes(1)])
                .with_isolation_level(1),
        ),
        describe_producers(&[(id, &[0])]),
    ];
    Exchange::new(
        id,
        "Transactions of two producers that overlap and abort, and the list of them from each offset on.",
        [begun(id), steps].concat(),
    )
}

fn empty() -> Exchange {
    let id = "txn-records-empty";
    let own = instance(1, 0);
    let steps = vec![
        add(id, own, id),
        list_committed(2, id, -1),
        describe_producers(&[(id, &[0])]),
        end(id, own, false),
        fetch_committed(11, id, 0),
        list(id, -1),
        describe_producers(&[(id, &[0, 1])]),
        add(id, own, id),
        end(id, own, true),
        fetch_committed(11, id, 0),
        list_committed(7, id, -3),
        list_committed(7, id, TIMESTAMP),
    ];
    Exchange::new(
        id,
        "Transactions without records: a partition that was only added has a marker, and no aborted transaction.",
        [begun(id), steps].concat(),
    )
}

fn mixed() -> Exchange {
    let id = "txn-records-mixed";
    let own = instance(1, 0);
    let steps = vec![
        add(id, own, id),
        write(id, own, id, 0),
        end(id, own, true),
        // The sequence numbers go on.
        produce_in(7, Some(id), id, &numbered(own, 0, &["a"])),
        produce_in(7, Some(id), id, &numbered(own, 1, &["a"])),
        produce_in(7, None, id, &numbered(own, 2, &["b"])),
        add(id, own, id),
        write(id, own, id, 3),
        write(id, own, id, 0),
        end(id, own, false),
        list(id, -1),
        fetch_committed(11, id, 0),
    ];
    Exchange::new(
        id,
        "A producer writes within and without transactions; its sequence numbers go on over the markers.",
        [begun(id), steps].concat(),
    )
}

fn described() -> Exchange {
    let id = "txn-records-described";
    let own = instance(1, 0);
    let steps = vec![
        describe_producers(&[(id, &[0, 1])]),
        add(id, own, id),
        write(id, own, id, 0),
        write(id, own, id, 1),
        describe_producers(&[(id, &[0, 1])]),
        describe_producers(&[(id, &[0, 0])]),
        describe_producers(&[(id, &[7]), ("described-no-topic", &[0]), ("a b", &[0])]),
        describe_producers(&[(id, &[-1])]),
        describe_producers(&[("", &[0])]),
        describe_producers(&[(id, &[])]),
        describe_producers(&[]),
        end(id, own, true),
        describe_producers(&[(id, &[0])]),
        Step::new(4, &initialising(None, 60_000, None)).numbers(2),
        produce_in(7, None, id, &numbered(instance(2, 0), 4, &["a", "b"])),
        describe_producers(&[(id, &[0])]),
    ];
    Exchange::new(
        id,
        "DescribeProducers of a transaction before, within and behind it, of a producer without one, and of partitions that are not there.",
        [begun(id), steps].concat(),
    )
}

fn marked() -> Exchange {
    let id = "txn-records-marked";
    let own = instance(1, 0);
    let steps = vec![
        add(id, own, id),
        write(id, own, id, 0),
        mark(own, false, &[(id, &[0])]),
        list_committed(2, id, -1),
        describe_producers(&[(id, &[0])]),
        fetch_committed(11, id, 0),
        // The coordinator does not know of it.
        write(id, own, id, 1),
        end(id, own, true),
        fetch_committed(11, id, 0),
        // Of a producer of which nothing is known, and of a newer epoch.
        mark((1 << 40, 3), true, &[(id, &[1])]),
        mark(instance(1, 5), true, &[(id, &[0])]),
        write(id, own, id, 2),
        list(id, -1),
    ];
    Exchange::new(
        id,
        "WriteTxnMarkers 1: a marker ends a transaction in a partition, whatever the coordinator knows.",
        [begun(id), steps].concat(),
    )
}

fn partly() -> Exchange {
    let id = "txn-records-partly";
    let own = instance(1, 0);
    let both = |version, first: i32| {
        let batch = transactional(own, first, &["a"]).bytes();
        let request = production(id, -1, &[(0, Some(&batch)), (1, Some(&batch))]);
        Step::new(
            version,
            &request.with_transactional_id(Some(transaction(id))),
        )
    };
    let steps = vec![
        add(id, own, id),
        // Partition 1 does not belong to it.
        both(7, 0),
        both(9, 1),
        Step::new(3, &adding(id, own, &[(id, &[1])])),
        both(7, 0),
        both(9, 2),
        end(id, own, true),
        Step::new(2, &listing(id, &[(0, -1), (1, -1)])),
        describe_producers(&[(id, &[0, 1])]),
    ];
    Exchange::new(
        id,
        "Produce to two partitions of which one belongs to the transaction, and then both.",
        [begun(id), steps].concat(),
    )
}

fn deleted() -> Exchange {
    let id = "txn-records-deleted";
    let own = instance(1, 0);
    let forget = |offset| {
        let partition = DeleteRecordsPartition::default()
            .with_partition_index(0)
            .with_offset(offset);
        let topic = DeleteRecordsTopic::default()
            .with_name(name(id))
            .with_partitions(vec![partition]);
        let request = DeleteRecordsRequest::default()
            .with_timeout_ms(10_000)
            .with_topics(vec![topic]);
        Step::new(1, &request)
    };
    let looks = || {
        vec![
            list_committed(2, id, -2),
            list_committed(2, id, -1),
            fetch_committed(11, id, 1),
            fetch_committed(11, id, 2),
            fetch(id, 3),
            describe_producers(&[(id, &[0])]),
        ]
    };
    let steps = [
        vec![
            add(id, own, id),
            write(id, own, id, 0),
            write(id, own, id, 1),
            produce(id, &Batch::of(&["a"])),
            produce(id, &Batch::of(&["b"])),
            forget(1),
        ],
        looks(),
        vec![forget(3)],
        looks(),
        vec![forget(-1)],
        looks(),
        vec![write(id, own, id, 2), end(id, own, false)],
        looks(),
        vec![fetch_committed(11, id, 4), fetch_committed(11, id, 5)],
    ];
    Exchange::new(
        id,
        "Records of an open transaction are deleted, some, then all, then those behind it.",
        [begun(id), steps.concat()].concat(),
    )
}

fn marker_refusals() -> Exchange {
    let id = "txn-records-marker-refusals";
    let own = instance(1, 1);
    let epoch = |epoch| {
        let mut request = marking(own, true, &[(id, &[0])]);
        request.markers[0].coordinator_epoch = epoch;
        Step::new(1, &request)
    };
    let mut nothing = marking(own, true, &[]);
    nothing.markers.clear();
    let steps = vec![
        init(id, 1),
        add(id, own, id),
        write(id, own, id, 0),
        mark(own, true, &[("marked-no-topic", &[0])]),
        mark(own, true, &[(id, &[7, -1])]),
        mark(own, true, &[("a b", &[0]), ("", &[0])]),
        mark(instance(1, 0), true, &[(id, &[0])]),
        mark(own, true, &[(id, &[])]),
        mark(own, true, &[]),
        Step::new(1, &nothing),
        Step::raw(WRITE_TXN_MARKERS, 1, &[0, 0, 0]),
        list_committed(2, id, -1),
        epoch(5),
        epoch(4),
        epoch(5),
        describe_producers(&[(id, &[0])]),
        list(id, -1),
    ];
    Exchange::new(
        id,
        "WriteTxnMarkers 1 of topics and partitions that are not there, of an old epoch, of an old coordinator, of nothing and of null.",
        [begun(id), steps].concat(),
    )
}
