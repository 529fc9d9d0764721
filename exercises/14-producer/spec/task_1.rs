//! To which partition a record goes.
//!
//! The numbers were obtained with the classes of Apache Kafka's Java client 4.3.1:
//! `Utils.murmur2`, and `BuiltInPartitioner` with a given "random" number.

use message_model::PartitionIndex;
use spec_harness::{case, expect_eq};

use super::part::{Load, Sticky, choose, murmur2, partition_of_key};

/// A key, in hexadecimal; its hash; its partition of 3, of 7 and of 1,000.
const KEYS: &[(&str, i32, [i32; 3])] = &[
    ("61626364", -1_323_649_548, [2, 5, 100]),
    ("00000000", 850_957_120, [1, 6, 120]),
    ("757365722d31", 1_404_122_828, [2, 3, 828]),
    ("", 275_646_681, [0, 2, 681]),
    ("61", -1_563_381_124, [1, 5, 524]),
    ("6162", 316_155_434, [2, 0, 434]),
    ("616263", 479_470_107, [0, 4, 107]),
    ("6162636465", 461_995_741, [1, 4, 741]),
    ("ff", -311_467_685, [0, 5, 963]),
    ("ff80", -442_788_720, [2, 6, 928]),
    ("ff8081", 1_120_456_546, [1, 6, 546]),
    ("fffefdfcfbfaf9", -166_236_347, [0, 5, 301]),
    ("31302e302e302e31", 808_591_810, [1, 5, 810]),
    ("666f6f626172", -790_332_482, [0, 0, 166]),
    ("6b6579", -1_079_937_367, [1, 4, 281]),
    ("e6b688e681afe9989fe58897", -807_298_377, [2, 5, 271]),
    (
        "612d6c6974746c652d6269742d6c6f6e6765722d737472696e67",
        -1_486_304_829,
        [2, 0, 819],
    ),
];

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2);
    let digits = digits.map(|pair| std::str::from_utf8(pair).expect("digits"));
    digits
        .map(|pair| u8::from_str_radix(pair, 16).expect("digits"))
        .collect()
}

#[test]
fn whole_numbers() {
    case!(
        "A key of four, or eight, bytes has the hash that the Java client gives it.",
        || {
            for (key, hash, _) in KEYS.iter().filter(|one| one.0.len() % 8 == 0) {
                let got = murmur2(&bytes(key)).cast_signed();
                expect_eq(&format!("the hash of {key:?}"), got, *hash);
            }
        }
    );
}

#[test]
fn bytes_that_are_left() {
    case!(
        "One, two or three bytes behind the last whole number count too.",
        || {
            for (key, hash, _) in KEYS {
                let got = murmur2(&bytes(key)).cast_signed();
                expect_eq(&format!("the hash of {key:?}"), got, *hash);
            }
        }
    );
}

#[test]
fn ten_thousand_keys() {
    case!(
        "Ten thousand keys, all with the hash that the Java client gives them.",
        || {
            let mut sum = 0_i64;
            for number in 0..10_000 {
                let hash = murmur2(format!("key-{number}").as_bytes());
                sum = sum.wrapping_mul(31).wrapping_add(i64::from(hash));
            }
            let what = "the hashes of key-0 to key-9999, as sum = sum * 31 + hash";
            expect_eq(what, sum, -2_928_838_397_457_313_968);
        }
    );
}

#[test]
fn the_partition_of_a_key() {
    case!(
        "A key goes where the Java client puts it, also if its hash is negative.",
        || {
            for (key, _, partitions) in KEYS {
                for (count, partition) in [3, 7, 1_000].into_iter().zip(partitions) {
                    let got = partition_of_key(&bytes(key), count);
                    expect_eq(
                        &format!("the partition of {key:?}, of {count}"),
                        got,
                        PartitionIndex(*partition),
                    );
                }
            }
        }
    );
}

/// The queues of partitions 0 to 3, and the partitions for the random numbers 0, 7, 14 …
type Choice = ([u32; 4], [i32; 24]);

const CHOICES: &[Choice] = &[
    (
        [0, 0, 0, 0],
        [
            0, 3, 2, 1, 0, 3, 2, 1, 0, 3, 2, 1, 0, 3, 2, 1, 0, 3, 2, 1, 0, 3, 2, 1,
        ],
    ),
    (
        [5, 0, 3, 0],
        [
            0, 2, 3, 1, 3, 1, 3, 1, 2, 3, 1, 3, 1, 3, 1, 2, 0, 2, 3, 1, 3, 1, 3, 1,
        ],
    ),
    (
        [1, 1, 1, 9],
        [
            0, 0, 1, 2, 0, 0, 1, 2, 0, 0, 1, 2, 0, 0, 1, 2, 0, 0, 1, 2, 0, 0, 1, 2,
        ],
    ),
    (
        [7, 2, 2, 2],
        [
            0, 2, 3, 1, 2, 3, 1, 2, 3, 1, 3, 1, 2, 3, 1, 2, 3, 1, 2, 0, 2, 3, 1, 2,
        ],
    ),
    (
        [0, 100, 0, 100],
        [
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 2, 2, 2, 2, 2, 2, 2,
        ],
    ),
];

fn loads(queues: &[u32]) -> Vec<Load> {
    let load = |(partition, queued): (i32, &u32)| Load {
        partition: PartitionIndex(partition),
        queued: *queued,
    };
    (0..).zip(queues).map(load).collect()
}

#[test]
fn equal_queues() {
    case!(
        "Partitions with equal queues are chosen equally often.",
        || {
            for queued in [0, 1, 1_000_000] {
                let loads = loads(&[queued; 3]);
                let got: Vec<i32> = (0..6).map(|random| choose(&loads, random).0).collect();
                expect_eq(
                    &format!("three queues of {queued}, random numbers 0 to 5"),
                    got,
                    vec![0, 1, 2, 0, 1, 2],
                );
            }
        }
    );
}

#[test]
fn shorter_queues_are_chosen_more_often() {
    case!(
        "The weight of a partition is the longest queue + 1 - its own.",
        || {
            for (queues, partitions) in CHOICES {
                let loads = loads(queues);
                let got = (0..24).map(|number| choose(&loads, number * 7).0);
                expect_eq(
                    &format!("the queues {queues:?}, random numbers 0, 7, 14 …"),
                    got.collect::<Vec<i32>>(),
                    partitions.to_vec(),
                );
            }
        }
    );
}

#[test]
fn only_partitions_that_are_there() {
    case!(
        "A partition without a leader is not in the list, and is not chosen.",
        || {
            let load = |partition, queued| Load {
                partition: PartitionIndex(partition),
                queued,
            };
            let loads = [load(1, 4), load(3, 1)];
            let got = (0..10).map(|random| choose(&loads, random).0);
            expect_eq(
                "queues of 4 and 1, random numbers 0 to 9",
                got.collect::<Vec<i32>>(),
                vec![1, 3, 3, 3, 3, 1, 3, 3, 3, 3],
            );
        }
    );
}

#[test]
fn the_largest_queues() {
    case!("A sum of weights may be above the largest u32.", || {
        let loads = loads(&[0, u32::MAX, 0]);
        let got = [0, u32::MAX].map(|random| choose(&loads, random).0);
        expect_eq("queues of 0, 2³²-1 and 0, random 0 and 2³²-1", got, [0, 0]);
    });
}

/// Bytes produced, whether the partition was between batches then, and its number.
const PRODUCED: &[(usize, bool, i32)] = &[
    (40, true, 0),
    (40, true, 0),
    (40, true, 0),
    (99, true, 3),
    (1, true, 3),
    (100, false, 5),
    (50, false, 5),
    (49, false, 5),
    (1, false, 5),
    (500, true, 9),
    (150, false, 10),
    (0, true, 10),
    (1, true, 12),
];

#[test]
fn one_batch_and_then_another_partition() {
    case!(
        "A partition that has a batch's bytes is left when its batch is full.",
        || {
            let mut sticky = Sticky::new(100);
            for (number, (bytes, between, partition)) in (0..).zip(PRODUCED) {
                let got = sticky.partition(|| PartitionIndex(number));
                let what = format!("record {number}, of {bytes} bytes, with 100 per batch");
                expect_eq(&what, got, PartitionIndex(*partition));
                sticky.produced(*bytes, *between);
            }
        }
    );
}

#[test]
fn the_sticky_size_begins_anew() {
    case!("Each partition gets a batch's bytes of its own.", || {
        let mut sticky = Sticky::new(10);
        let mut chosen = 0;
        let mut partitions = Vec::new();
        for _ in 0..8 {
            let next = || {
                chosen += 1;
                PartitionIndex(chosen)
            };
            partitions.push(sticky.partition(next).0);
            sticky.produced(6, true);
        }
        let expected = vec![1, 1, 2, 2, 3, 3, 4, 4];
        expect_eq("records of 6 bytes, 10 per batch", partitions, expected);
    });
}
