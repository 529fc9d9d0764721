//! `mqd topics alter`, `mqd topics delete-records` and `mqd groups`, and what they leave
//! behind after `kill -9`.

use mqd_guard::{Mqd, Port};

use crate::support::mqd;
use crate::tools::{ok, refused};

/// Two partitions, with three records and one.
fn with_orders() -> Mqd {
    let mqd = mqd().start().unwrap();
    ok(
        &mqd,
        &["topics", "create", "orders", "--partitions", "2"],
        "",
    );
    ok(&mqd, &["produce", "orders"], "a\nb\nc\n");
    ok(&mqd, &["produce", "orders", "--partition", "1"], "d\n");
    mqd
}

#[test]
fn a_topic_grows_and_changes_and_stays_so_after_a_kill() {
    let mut mqd = with_orders();
    let said = ok(
        &mqd,
        &[
            "topics",
            "alter",
            "orders",
            "--partitions",
            "3",
            "--set",
            "retention.ms=777000",
            "--set",
            "max.message.bytes=200",
        ],
        "",
    );
    assert_eq!(said, "altered orders\n");
    ok(&mqd, &["produce", "orders", "--partition", "2"], "e\n");
    ok(
        &mqd,
        &[
            "topics",
            "delete-records",
            "orders",
            "--partition",
            "0",
            "--before",
            "2",
        ],
        "",
    );
    ok(
        &mqd,
        &["topics", "alter", "orders", "--unset", "max.message.bytes"],
        "",
    );
    let described = "partition  first offset  next offset\n\
                     \x20       0             2            3\n\
                     \x20       1             0            1\n\
                     \x20       2             0            1\n\
                     retention.ms=777000\n";
    assert_eq!(ok(&mqd, &["topics", "describe", "orders"], ""), described);
    mqd.kill_9().unwrap();
    mqd.restart(Port::Any).unwrap();
    assert_eq!(ok(&mqd, &["topics", "describe", "orders"], ""), described);
    assert_eq!(
        ok(
            &mqd,
            &["consume", "orders", "--partition", "0", "--to-end"],
            ""
        ),
        "c\n"
    );
}

#[test]
fn a_setting_holds_for_the_next_record() {
    let mqd = with_orders();
    let long = format!("{}\n", "x".repeat(500));
    ok(&mqd, &["produce", "orders"], &long);
    ok(
        &mqd,
        &[
            "topics",
            "alter",
            "orders",
            "--set",
            "max.message.bytes=200",
        ],
        "",
    );
    let output = crate::tools::tool(&mqd, &["produce", "orders"], &long);
    assert!(!output.status.success());
}

/// Commands about a topic of two partitions, and what is said to them.
const REFUSED: &[(&[&str], &str)] = &[
    (
        &[
            "topics",
            "alter",
            "orders",
            "--partitions",
            "1",
            "--set",
            "retention.ms=1",
        ],
        "orders has 2 partitions already",
    ),
    (
        &[
            "topics",
            "alter",
            "orders",
            "--partitions",
            "4",
            "--set",
            "nonsense=1",
        ],
        "a topic has no such setting",
    ),
    (&["topics", "alter", "orders"], "what is to change?"),
    (
        &["topics", "alter", "gone", "--partitions", "3"],
        "there is no topic gone",
    ),
    (
        &["topics", "describe", "orders", "--set", "a=b"],
        "mqd topics describe takes no --set",
    ),
    (&["topics", "delete-records", "orders"], "which records?"),
    (
        &["topics", "delete-records", "orders", "--before", "1"],
        "choose one with --partition",
    ),
    (
        &[
            "topics",
            "delete-records",
            "orders",
            "--before",
            "9",
            "--partition",
            "0",
        ],
        "orders-0 ends below offset 9",
    ),
    (
        &["topics", "delete-records", "orders", "--before", "soon"],
        "--before takes beginning, end, an offset",
    ),
    (&["consume", "orders", "--follow", "--to-end"], "choose one"),
];

#[test]
fn what_cannot_be_altered_is_said_in_words_and_nothing_is() {
    let mqd = with_orders();
    for (words, wanted) in REFUSED {
        let said = refused(&mqd, words);
        assert!(said.contains(wanted), "{words:?}: {said}");
    }
    let described = ok(&mqd, &["topics", "describe", "orders"], "");
    assert_eq!(described.lines().count(), 3, "{described}");
    assert_eq!(
        ok(
            &mqd,
            &["topics", "delete-records", "orders", "--before", "end"],
            ""
        ),
        "partition  first offset\n        0             3\n        1             1\n"
    );
}

/// A group that never had a member: committed by the command itself.
#[test]
fn a_group_is_reset_described_and_deleted() {
    let mqd = with_orders();
    assert_eq!(ok(&mqd, &["groups", "list"], ""), "");
    let reset = |to: &str, more: &[&str]| {
        let words = ["groups", "reset", "shop", "--topic", "orders", "--to", to];
        ok(&mqd, &[&words, more].concat(), "")
    };
    let dry = reset("2", &[]);
    assert_eq!(
        dry,
        "topic   partition  committed  new\n\
         orders          0          -    2\n\
         orders          1          -    1\n\
         nothing is changed yet: add --execute to commit the new offsets\n"
    );
    assert_eq!(ok(&mqd, &["groups", "list"], ""), "");
    reset("2", &["--execute"]);
    assert_eq!(ok(&mqd, &["groups", "list"], ""), "shop  Empty\n");
    assert_eq!(
        ok(&mqd, &["groups", "describe", "shop"], ""),
        "shop has no members (Empty)\n\
         topic   partition  committed  next  lag  member\n\
         orders          0          2     3    1\n\
         orders          1          1     1    0\n"
    );
    for (to, committed) in [
        ("beginning", 0),
        ("end", 3),
        ("@0", 0),
        ("@99999999999999", 3),
    ] {
        reset(to, &["--partition", "0", "--execute"]);
        let described = ok(&mqd, &["groups", "describe", "shop"], "");
        let wanted = format!("orders          0          {committed}     3");
        assert!(described.contains(&wanted), "{to}: {described}");
    }
    let all = [
        "groups",
        "reset",
        "shop",
        "--all-topics",
        "--to",
        "beginning",
    ];
    let all = ok(&mqd, &all, "");
    assert!(all.contains("orders          1          1    0"), "{all}");
    let said = ok(&mqd, &["groups", "delete", "shop"], "");
    assert_eq!(said, "deleted the group shop\n");
    assert_eq!(ok(&mqd, &["groups", "list"], ""), "");
}

#[test]
fn what_groups_cannot_do_is_said_in_words() {
    let mqd = with_orders();
    let cases: [(&[&str], &str); 9] = [
        (&["groups"], "what about the groups?"),
        (&["groups", "describe"], "which group?"),
        (&["groups", "describe", "gone"], "there is no group gone"),
        (&["groups", "delete", "gone"], "there is no group gone"),
        (&["groups", "reset", "g", "--topic", "orders"], "where to?"),
        (
            &["groups", "reset", "g", "--to", "end"],
            "either --topic TOPIC [--partition N] or --all-topics",
        ),
        (
            &["groups", "reset", "g", "--to", "end", "--all-topics"],
            "the group g has committed nothing",
        ),
        (
            &["groups", "reset", "g", "--to", "end", "--topic", "gone"],
            "there is no topic gone",
        ),
        (
            &["groups", "delete", "g", "--execute"],
            "only `mqd groups reset` takes such options",
        ),
    ];
    for (words, wanted) in cases {
        let said = refused(&mqd, words);
        assert!(said.contains(wanted), "{words:?}: {said}");
    }
}

#[test]
fn keys_and_headers_are_printed() {
    let mqd = mqd().start().unwrap();
    ok(
        &mqd,
        &["produce", "pairs", "--key-separator", ":"],
        "a:1\n2\n",
    );
    let consume = |more: &[&str]| {
        let words = [&["consume", "pairs", "--to-end"], more].concat();
        ok(&mqd, &words, "")
    };
    assert_eq!(consume(&["--keys"]), "a\t1\n\t2\n");
    assert_eq!(consume(&["--headers", "--keys"]), "\ta\t1\n\t\t2\n");
    let said = refused(&mqd, &["consume", "pairs", "--keys", "--format", "%s"]);
    assert!(said.contains("put %k and %h into it"), "{said}");
    assert_eq!(
        ok(&mqd, &["consume", "pairs", "--follow", "--count", "2"], ""),
        "1\n2\n"
    );
}

/// Each record is printed once, whoever of the group comes; the offset behind the last
/// one that was printed is committed, in the middle of a batch too.
#[test]
fn a_group_goes_on_where_it_was() {
    let mqd = mqd()
        .set("group.initial.rebalance.delay.ms", "0")
        .start()
        .unwrap();
    let lines: String = (0..100).map(|number| format!("{number}\n")).collect();
    ok(&mqd, &["produce", "numbers"], &lines);
    let consume = |count: &str| {
        let words = ["consume", "numbers", "--group", "g", "--count", count];
        ok(&mqd, &words, "")
    };
    let printed = [consume("30"), consume("1"), consume("69")].concat();
    assert!(printed == lines, "{printed}");
    let described = ok(&mqd, &["groups", "describe", "g"], "");
    assert!(described.contains("100   100    0"), "{described}");
    ok(
        &mqd,
        &[
            "groups",
            "reset",
            "g",
            "--topic",
            "numbers",
            "--to",
            "98",
            "--execute",
        ],
        "",
    );
    assert_eq!(consume("2"), "98\n99\n");
    for (more, wanted) in [
        (["--from", "5"], "mqd groups reset"),
        (["--partition", "0"], "leave --partition and --to-end out"),
    ] {
        let words = [&["consume", "numbers", "--group", "g"], &more[..]].concat();
        let said = refused(&mqd, &words);
        assert!(said.contains(wanted), "{said}");
    }
}
