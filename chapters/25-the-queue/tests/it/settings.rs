//! The table of settings, and what is said when one is wrong.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use mqd::settings::{Advertised, Kind, SettingError, Settings, Source, TABLE, help, page};
use tempfile::TempDir;

use crate::support::{run, stderr};

fn set(name: &str, value: &str) -> Result<Settings, SettingError> {
    let mut settings = Settings::default();
    settings.set(name, value, Source::Flag)?;
    Ok(settings)
}

#[test]
fn every_default_fits_its_own_row() {
    for row in TABLE {
        assert!(
            set(row.name, row.default).is_ok(),
            "{}={}",
            row.name,
            row.default
        );
    }
}

#[test]
fn every_name_is_in_the_table_once() {
    let names: BTreeSet<&str> = TABLE.iter().map(|row| row.name).collect();
    assert_eq!(names.len(), TABLE.len());
}

#[test]
fn values_are_read_by_type() {
    assert_eq!(set("num.partitions", "12").unwrap().num_partitions, 12);
    assert!(
        !set("auto.create.topics.enable", "false")
            .unwrap()
            .auto_create_topics_enable
    );
    let roll = set("log.roll.ms", "1500").unwrap().log_roll_ms;
    assert_eq!(roll, Duration::from_millis(1500));
    assert_eq!(
        set("log.retention.ms", "-1").unwrap().log_retention_ms,
        None
    );
    let kept = set("log.retention.bytes", "0").unwrap().log_retention_bytes;
    assert_eq!(kept, Some(0));
}

#[test]
fn an_advertised_address_may_be_kafkas_form_and_may_lack_a_port() {
    let advertised = |value| {
        set("advertised.listeners", value)
            .unwrap()
            .advertised_listeners
    };
    let address = |host: &str, port| {
        Some(Advertised {
            host: host.to_owned(),
            port,
        })
    };
    assert_eq!(
        advertised("queue.example:9092"),
        address("queue.example", Some(9092))
    );
    assert_eq!(
        advertised("PLAINTEXT://10.0.0.7:1"),
        address("10.0.0.7", Some(1))
    );
    assert_eq!(advertised("queue"), address("queue", None));
    assert_eq!(advertised("[::1]:5"), address("::1", Some(5)));
}

#[test]
fn values_that_cannot_be_are_refused_with_what_can() {
    let wrong = [
        ("num.partitions", "0"),
        ("num.partitions", "ten"),
        ("num.partitions", "99999999999999999999"),
        ("log.segment.bytes", "4294967296"),
        ("log.retention.ms", "-2"),
        ("auto.create.topics.enable", "yes"),
        ("advertised.listeners", "queue:0"),
        ("advertised.listeners", "SSL://queue:9092"),
        ("advertised.listeners", ":9092"),
        ("advertised.listeners", "a b"),
    ];
    for (name, value) in wrong {
        let message = set(name, value).unwrap_err().to_string();
        assert!(
            message.contains(&format!("`{value}` is no value for `{name}`: give ")),
            "{message}"
        );
    }
    let message = set("num.partitions", "0").unwrap_err().to_string();
    assert!(
        message.ends_with("give a number from 1 to 10000"),
        "{message}"
    );
}

#[test]
fn a_slip_in_a_name_is_answered_with_the_right_one() {
    let message = set("log.segment.byte", "4096").unwrap_err().to_string();
    assert!(
        message.contains("did you mean `log.segment.bytes`?"),
        "{message}"
    );
    let message = set("zookeeper.connect", "localhost")
        .unwrap_err()
        .to_string();
    assert!(!message.contains("did you mean"), "{message}");
    assert!(message.contains("mqd --help-settings"), "{message}");
}

#[test]
fn a_file_is_lines_of_name_and_value_with_comments() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("mqd.properties");
    fs::write(&path, "# ours\n\n num.partitions = 3 \r\nnode.id=7").unwrap();
    let mut settings = Settings::default();
    settings.read_file(&path).unwrap();
    assert_eq!((settings.num_partitions, settings.node_id), (3, 7));
    let (_, value, source) = settings
        .rows()
        .find(|(row, _, _)| row.name == "node.id")
        .unwrap();
    assert_eq!((value, source), ("7", &Source::File { path, line: 4 }));
}

#[test]
fn a_wrong_line_of_a_file_is_named() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("mqd.properties");
    fs::write(&path, "node.id=1\nnode.id\n").unwrap();
    let message = Settings::default()
        .read_file(&path)
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("mqd.properties, line 2: `node.id` is not of the form"),
        "{message}"
    );
}

#[test]
fn the_process_ends_with_code_2_and_says_where_the_mistake_is() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    let data = data.to_str().unwrap();
    let config = dir.path().join("c");
    fs::write(&config, "num.partitions=none\n").unwrap();
    let config = config.to_str().unwrap();
    let cases: [(&[&str], &str); 7] = [
        (
            &["--data-dir", data, "--set", "a.b=1"],
            "--set a.b=1: there is no setting `a.b`",
        ),
        (
            &["--data-dir", data, "--set", "node.id=x"],
            "`x` is no value for `node.id`: give a number",
        ),
        (
            &["--data-dir", data, "--config", config],
            "c, line 1: `none` is no value",
        ),
        (
            &["--data-dir", data, "--config", "/nowhere"],
            "cannot read /nowhere",
        ),
        (&["--data-dir", data, "--liste", "x"], "--liste"),
        (&[], "mqd --data-dir DIR"),
        (&["serve"], "there is no command serve"),
    ];
    for (arguments, wanted) in cases {
        let output = run(arguments);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(wanted), "{arguments:?}: {said}");
    }
    assert!(!Path::new(data).exists(), "nothing was begun");
}

#[test]
fn the_flag_wins_over_the_file() {
    let dir = TempDir::new().unwrap();
    let config = dir.path().join("c");
    fs::write(&config, "node.id=1\n").unwrap();
    let words = ["--data-dir", "d", "--set", "node.id=2", "--config"];
    let words = words.map(Into::into).into_iter().chain([config.into()]);
    let mqd::Command::Serve(serve) = mqd::parse(words).unwrap() else {
        panic!("that is a command to serve");
    };
    assert_eq!(serve.settings.node_id, 2);
}

#[test]
fn the_books_page_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../book/src/settings.md");
    let in_book = fs::read_to_string(path).unwrap();
    assert!(
        in_book == page(),
        "make it again: cargo run -q -p mqd -- --settings-page > book/src/settings.md"
    );
}

#[test]
fn the_help_has_every_setting_and_short_lines() {
    let help = help();
    for row in TABLE {
        assert!(
            help.contains(&format!("\n{}={}\n", row.name, row.default)),
            "{}",
            row.name
        );
    }
    assert!(help.lines().all(|line| line.len() <= 90), "{help}");
    let limit = TABLE
        .iter()
        .find(|row| matches!(row.kind, Kind::Limit { .. }));
    assert!(help.contains(&limit.unwrap().kind.to_string()));
}
