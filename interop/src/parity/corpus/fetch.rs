//! Fetch.

use crate::parity::batch::Batch;
use crate::parity::exchange::{Exchange, Step};
use crate::requests::{create, create_plain, fetch, fetch_partition, fetching, produce, topic};

pub(super) fn all() -> Vec<Exchange> {
    let mut all = records();
    all.extend(levels());
    all.extend(refused());
    all.extend(sessions());
    all
}

fn filled(name: &str) -> Vec<Step> {
    vec![
        create_plain(&[name]),
        produce(name, &Batch::of(&["a", "b", "c"])),
        produce(name, &Batch::of(&["d"])),
    ]
}

fn after(name: &'static str, steps: Vec<Step>) -> Vec<Step> {
    [filled(name), steps].concat()
}

fn limited(name: &str, partition_max: i32, max: i32) -> Step {
    let partition = fetch_partition(0, 0).with_partition_max_bytes(partition_max);
    Step::new(11, &fetching(name, vec![partition]).with_max_bytes(max))
}

fn records() -> Vec<Exchange> {
    vec![
        Exchange::new(
            "from-any-offset",
            "From the start, from within a batch (the whole batch comes), from the end.",
            after(
                "from-any",
                vec![
                    fetch("from-any", 0),
                    fetch("from-any", 1),
                    fetch("from-any", 3),
                    fetch("from-any", 4),
                ],
            ),
        ),
        Exchange::new(
            "limits",
            "The first batch comes even when it is larger than a limit, and no other.",
            after(
                "limits",
                vec![
                    limited("limits", 1, 1 << 20),
                    limited("limits", 1 << 20, 1),
                    limited("limits", 0, 1 << 20),
                    limited("limits", 1 << 20, 0),
                    limited("limits", 100, 1 << 20),
                ],
            ),
        ),
        Exchange::new(
            "negative-limits",
            "Limits below zero.",
            after(
                "negative",
                vec![
                    limited("negative", -1, 1 << 20),
                    limited("negative", 1 << 20, -1),
                ],
            ),
        ),
    ]
}

fn levels() -> Vec<Exchange> {
    vec![
        Exchange::new(
            "several-partitions",
            "Partitions come in the order in which they are asked for.",
            vec![
                create(vec![topic("fetch-several", 3, 1)]),
                produce("fetch-several", &Batch::of(&["a"])),
                Step::new(
                    11,
                    &fetching(
                        "fetch-several",
                        vec![
                            fetch_partition(2, 0),
                            fetch_partition(0, 0),
                            fetch_partition(1, 0),
                        ],
                    ),
                ),
            ],
        ),
        Exchange::new(
            "isolation-levels",
            "Without transactions both levels see the same; there is no third.",
            after(
                "levels",
                [1, 2]
                    .map(|level| {
                        let request = fetching("levels", vec![fetch_partition(0, 0)]);
                        Step::new(11, &request.with_isolation_level(level))
                    })
                    .into(),
            ),
        ),
    ]
}

fn refused() -> Vec<Exchange> {
    let epoch = |name, epoch| {
        let partition = fetch_partition(0, 0).with_current_leader_epoch(epoch);
        Step::new(11, &fetching(name, vec![partition]))
    };
    vec![
        Exchange::new(
            "out-of-range",
            "Offsets before the start and behind the end.",
            [
                filled("out-of-range"),
                vec![
                    fetch("out-of-range", -1),
                    fetch("out-of-range", 5),
                    fetch("out-of-range", i64::MAX),
                ],
            ]
            .concat(),
        ),
        Exchange::new(
            "unknown",
            "A topic and a partition that are not there. Fetch creates no topic.",
            vec![
                create_plain(&["fetch-unknown-1"]),
                fetch("fetch-unknown-2", 0),
                Step::new(
                    11,
                    &fetching("fetch-unknown-1", vec![fetch_partition(5, 0)]),
                ),
                fetch("a b", 0),
            ],
        ),
        Exchange::new(
            "leader-epochs",
            "The current epoch is 0: a later one is unknown.",
            [
                filled("epochs"),
                vec![epoch("epochs", 0), epoch("epochs", 1)],
            ]
            .concat(),
        ),
    ]
}

fn sessions() -> Vec<Exchange> {
    let nothing = || {
        let mut request = fetching("x", vec![]);
        request.topics.clear();
        // Longer than the comparison waits for an answer.
        request.with_max_wait_ms(60_000)
    };
    let topic_alone = fetching("fetch-nothing", vec![]).with_max_wait_ms(60_000);
    vec![
        Exchange::new(
            "nothing",
            "A fetch without partitions is answered at once: nothing can arrive for it.",
            vec![Step::new(11, &nothing()), Step::new(11, &topic_alone)],
        ),
        Exchange::new(
            "refused-beside-empty",
            "A partition that is refused, beside one for which data may still arrive.",
            vec![
                create_plain(&["no-wait"]),
                Step::new(
                    11,
                    &fetching(
                        "no-wait",
                        vec![fetch_partition(0, 0), fetch_partition(9, 0)],
                    )
                    .with_max_wait_ms(60_000),
                ),
            ],
        ),
        Exchange::new(
            "session-asked-for",
            "Epoch 0 asks for a fetch session.",
            [
                filled("session"),
                vec![Step::new(
                    11,
                    &fetching("session", vec![fetch_partition(0, 0)]).with_session_epoch(0),
                )],
            ]
            .concat(),
        ),
        Exchange::new(
            "session-unknown",
            "A session that the broker does not know.",
            [
                filled("no-session"),
                vec![Step::new(
                    11,
                    &fetching("no-session", vec![fetch_partition(0, 0)])
                        .with_session_id(12_345)
                        .with_session_epoch(1),
                )],
            ]
            .concat(),
        ),
    ]
}
