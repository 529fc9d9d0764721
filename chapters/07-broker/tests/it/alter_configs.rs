//! AlterConfigs and IncrementalAlterConfigs: settings of topics that exist.

use std::collections::BTreeMap;

use broker::api;
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    AlterConfigsRequest, AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResource, IncrementallyAlterableConfig,
};

use crate::admin::{describe, resource as described_as};
use crate::support::{Broker, batch, name, open_topics, overrides};

const TOPIC: i8 = 2;
const BROKER: i8 = 4;

const SET: i8 = 0;
const DELETE: i8 = 1;
const APPEND: i8 = 2;
const SUBTRACT: i8 = 3;

/// Name, operation and value.
type Change<'a> = (&'a str, i8, Option<&'a str>);

fn resource(
    resource_type: i8,
    name: &str,
    changes: &[Change<'_>],
) -> IncrementalAlterConfigsResource {
    let config = |(name, config_operation, value): &Change<'_>| IncrementallyAlterableConfig {
        name: (*name).to_owned(),
        config_operation: *config_operation,
        value: value.map(str::to_owned),
    };
    IncrementalAlterConfigsResource {
        resource_type,
        resource_name: name.to_owned(),
        configs: changes.iter().map(config).collect(),
    }
}

async fn change(
    broker: &Broker,
    resources: Vec<IncrementalAlterConfigsResource>,
    validate_only: bool,
) -> Vec<(String, ErrorCode)> {
    let request = IncrementalAlterConfigsRequest {
        resources,
        validate_only,
    };
    let response = api::incremental_alter_configs(broker, request).await;
    let responses = response.responses.into_iter();
    responses
        .map(|one| {
            assert_eq!(
                one.error_message.is_some(),
                one.error_code != ErrorCode::NONE
            );
            (one.resource_name, one.error_code)
        })
        .collect()
}

/// What is said of one topic, if it is only checked and if it is changed.
async fn codes(broker: &Broker, topic: &str, changes: &[Change<'_>]) -> [ErrorCode; 2] {
    let wanted = || vec![resource(TOPIC, topic, changes)];
    let checked = change(broker, wanted(), true).await[0].1;
    let done = change(broker, wanted(), false).await[0].1;
    [checked, done]
}

pub(crate) async fn set(broker: &Broker, topic: &str, name: &str, value: &str) -> ErrorCode {
    let wanted = vec![resource(TOPIC, topic, &[(name, SET, Some(value))])];
    change(broker, wanted, false).await[0].1
}

fn of(broker: &Broker, topic: &str) -> BTreeMap<String, String> {
    let topic = broker.topics.get(&name(topic)).unwrap();
    topic.config.overrides.clone()
}

#[tokio::test]
async fn single_settings_change_and_stay_after_a_crash() {
    let broker = Broker::start();
    broker
        .create_with("t", 2, &[("retention.ms", "1"), ("segment.ms", "5000")])
        .await;
    let changes: &[Change<'_>] = &[
        ("retention.ms", SET, Some(" 1000 ")),
        ("retention.bytes", SET, Some("77")),
        ("segment.ms", DELETE, None),
        ("index.interval.bytes", DELETE, Some("ignored")),
        ("nonsense", DELETE, None),
    ];
    assert_eq!(codes(&broker, "t", changes).await, [ErrorCode::NONE; 2]);
    let topics = open_topics(&broker.disk.crash());
    let after = topics.get(&name("t")).unwrap();
    for topic in [broker.topics.get(&name("t")).unwrap(), after] {
        assert_eq!(
            topic.config.overrides,
            overrides(&[("retention.bytes", "77"), ("retention.ms", " 1000 ")])
        );
        let mut config = broker.topics.new_config();
        config.set("retention.ms", "1000").unwrap();
        config.set("retention.bytes", "77").unwrap();
        assert_eq!(topic.config.settings, config.settings);
        for partition in &topic.partitions {
            assert_eq!(partition.settings(), config.settings);
        }
    }
}

/// As Kafka answers. Nothing of a resource is changed if one of its settings cannot be.
#[tokio::test]
async fn it_says_what_is_wrong_with_each() {
    let broker = Broker::with_topic().await;
    let config = ErrorCode::INVALID_CONFIG;
    let request = ErrorCode::INVALID_REQUEST;
    let server = ErrorCode::UNKNOWN_SERVER_ERROR;
    let unknown = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
    let no_name = ErrorCode::INVALID_TOPIC_EXCEPTION;
    let right: Change<'_> = ("retention.ms", SET, Some("1"));
    let nonsense: Change<'_> = ("nonsense", SET, Some("1"));
    let no_value: Change<'_> = ("retention.ms", SET, None);
    let cases: &[(&str, &[Change<'_>], ErrorCode)] = &[
        ("t", &[nonsense, right], config),
        ("t", &[("", SET, Some("1"))], config),
        ("t", &[("retention.ms", SET, Some("soon"))], config),
        ("t", &[("retention.ms", SET, Some("-5"))], config),
        ("t", &[("retention.ms", SET, Some(""))], config),
        ("t", &[("retention.ms", APPEND, Some("5"))], config),
        ("t", &[("nonsense", SUBTRACT, Some("5"))], config),
        ("t", &[("retention.ms", 4, Some("5"))], server),
        ("t", &[("retention.ms", -1, Some("5"))], server),
        ("t", &[no_value], request),
        ("t", &[right, right], request),
        ("u", &[right], unknown),
        ("u", &[nonsense], config),
        ("u", &[no_value], request),
        ("u", &[], unknown),
        ("not a name", &[right], no_name),
        ("", &[], request),
    ];
    for (topic, changes, code) in cases {
        let answered = codes(&broker, topic, changes).await;
        assert_eq!(answered, [*code; 2], "{topic}: {changes:?}");
    }
    assert!(of(&broker, "t").is_empty());
    assert_eq!(codes(&broker, "t", &[]).await, [ErrorCode::NONE; 2]);
}

/// As Kafka changes them: what is there already is not added again, and a list can
/// become empty.
#[tokio::test]
async fn lists_grow_and_shrink() {
    let broker = Broker::with_topic().await;
    let fine = ErrorCode::NONE;
    let steps: &[(i8, &str, ErrorCode, &str)] = &[
        (APPEND, "compact", fine, "delete,compact"),
        (APPEND, "compact,compact", fine, "delete,compact"),
        (SUBTRACT, "delete", fine, "compact"),
        (SUBTRACT, "delete", fine, "compact"),
        (APPEND, "nonsense", ErrorCode::INVALID_CONFIG, "compact"),
        (SET, " delete , compact ", fine, "delete,compact"),
        (SUBTRACT, "compact, delete", fine, ""),
        (APPEND, "", fine, ""),
        (DELETE, "", fine, "delete"),
    ];
    for (operation, value, code, after) in steps {
        let wanted = vec![resource(
            TOPIC,
            "t",
            &[("cleanup.policy", *operation, Some(value))],
        )];
        let answer = change(&broker, wanted, false).await;
        assert_eq!(answer[0].1, *code, "{operation}: {value}");
        let keys = ["cleanup.policy"];
        let described = describe(&broker, vec![described_as(2, "t", Some(&keys))]);
        let policy = described.results[0].configs[0].value.as_deref();
        assert_eq!(policy, Some(*after), "{operation}: {value}");
    }
}

/// A broker's settings are given at its start.
#[tokio::test]
async fn a_broker_says_what_cannot_change() {
    let broker = Broker::start();
    let refused = ErrorCode::INVALID_REQUEST;
    let fine = ErrorCode::NONE;
    let wanted: &[Change<'_>] = &[("log.retention.ms", SET, Some("1"))];
    let back: &[Change<'_>] = &[("log.retention.ms", DELETE, None)];
    for (id, changes, code) in [
        ("3", wanted, refused),
        ("", wanted, refused),
        ("4", back, refused),
        ("x", &[], refused),
        ("3", back, fine),
        ("", &[], fine),
    ] {
        let answer = change(&broker, vec![resource(BROKER, id, changes)], false).await;
        assert_eq!(answer[0].1, code, "{id:?}: {changes:?}");
    }
    for other in [0, 1, 8, 16, 32, 77] {
        let answer = change(&broker, vec![resource(other, "3", wanted)], true).await;
        assert_eq!(answer[0].1, refused, "{other}");
    }
}

/// All topics of a request are stored at once: the file is replaced once.
#[tokio::test]
async fn many_topics_cost_one_replacement() {
    let broker = Broker::start();
    for number in 0..20 {
        broker.create(&format!("t{number}"), 1).await;
    }
    let wanted: &[Change<'_>] = &[("retention.ms", SET, Some("1"))];
    let one = vec![resource(TOPIC, "t0", wanted)];
    let before = broker.disk.operations();
    change(&broker, one, false).await;
    let cost = broker.disk.operations() - before;
    let mut many: Vec<_> = (1..20)
        .map(|number| resource(TOPIC, &format!("t{number}"), wanted))
        .collect();
    many.push(resource(TOPIC, "gone", wanted));
    let before = broker.disk.operations();
    let answers = change(&broker, many.clone(), false).await;
    assert_eq!(broker.disk.operations() - before, cost);
    let fine = answers.iter().filter(|(_, code)| *code == ErrorCode::NONE);
    assert_eq!(fine.count(), 19);
    assert_eq!(answers[19].1, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    let before = broker.disk.operations();
    change(&broker, many, false).await;
    assert_eq!(
        broker.disk.operations(),
        before,
        "nothing is left to change"
    );
    assert_eq!(of(&broker, "t19"), overrides(&[("retention.ms", "1")]));
}

#[tokio::test]
async fn a_resource_that_comes_twice_is_refused_each_time() {
    let broker = Broker::with_topic().await;
    broker.create("u", 1).await;
    let wanted: &[Change<'_>] = &[("retention.ms", SET, Some("1"))];
    let resources = ["t", "u", "t"].map(|topic| resource(TOPIC, topic, wanted));
    let answers = change(&broker, resources.to_vec(), false).await;
    let codes: Vec<ErrorCode> = answers.into_iter().map(|(_, code)| code).collect();
    let twice = ErrorCode::INVALID_REQUEST;
    assert_eq!(codes, [twice, ErrorCode::NONE, twice]);
    assert!(of(&broker, "t").is_empty());
    assert!(!of(&broker, "u").is_empty());
}

/// A disk that is full changes nothing, and says so.
#[tokio::test]
async fn what_cannot_be_stored_does_not_take_effect() {
    let broker = Broker::with_topic().await;
    let present = broker.partition("t", 0).settings();
    broker.disk.fail_at(broker.disk.operations());
    let code = set(&broker, "t", "max.message.bytes", "100").await;
    assert_eq!(code, ErrorCode::KAFKA_STORAGE_ERROR);
    assert_eq!(broker.partition("t", 0).settings(), present);
    assert!(of(&broker, "t").is_empty());
    let code = set(&broker, "t", "max.message.bytes", "100").await;
    assert_eq!(code, ErrorCode::NONE);
}

/// The older request: what it does not name goes back to the broker's.
#[tokio::test]
async fn the_older_request_replaces_all_settings() {
    let broker = Broker::start();
    broker
        .create_with("t", 1, &[("retention.ms", "1"), ("segment.ms", "5000")])
        .await;
    let ask = async |configs: &[(&str, Option<&str>)], validate_only| {
        let config = |(name, value): &(&str, Option<&str>)| AlterableConfig {
            name: (*name).to_owned(),
            value: value.map(str::to_owned),
        };
        let request = AlterConfigsRequest {
            resources: vec![AlterConfigsResource {
                resource_type: TOPIC,
                resource_name: "t".to_owned(),
                configs: configs.iter().map(config).collect(),
            }],
            validate_only,
        };
        api::alter_configs(&broker, request).await.responses[0].error_code
    };
    let fine = ErrorCode::NONE;
    assert_eq!(ask(&[("retention.bytes", Some("9"))], true).await, fine);
    assert_eq!(of(&broker, "t").len(), 2);
    assert_eq!(ask(&[("retention.bytes", Some("9"))], false).await, fine);
    assert_eq!(of(&broker, "t"), overrides(&[("retention.bytes", "9")]));
    for (value, code) in [
        (None, ErrorCode::INVALID_REQUEST),
        (Some("x"), ErrorCode::INVALID_CONFIG),
    ] {
        assert_eq!(ask(&[("retention.bytes", value)], false).await, code);
    }
    assert_eq!(ask(&[], false).await, fine);
    assert!(of(&broker, "t").is_empty());
}

/// The next record, the next roll, the next look at what is old.
#[tokio::test]
async fn settings_take_effect_at_once() {
    let broker = Broker::with_topic().await;
    let long = "x".repeat(600);
    assert_eq!(
        broker.produce(1, "t", batch(&[&long])).await.error_code,
        ErrorCode::NONE
    );
    assert_eq!(
        set(&broker, "t", "max.message.bytes", "100").await,
        ErrorCode::NONE
    );
    assert_eq!(
        broker.produce(1, "t", batch(&[&long])).await.error_code,
        ErrorCode::MESSAGE_TOO_LARGE
    );
    let more = [
        ("max.message.bytes", "5000"),
        ("segment.bytes", "1024"),
        ("retention.bytes", "1"),
    ];
    for (name, value) in more {
        assert_eq!(set(&broker, "t", name, value).await, ErrorCode::NONE);
    }
    for _ in 0..3 {
        broker.write(-1, "t", &[&long]).await;
    }
    let failed = broker.topics.apply_retention(broker.clock().wall()).await;
    assert!(failed.is_empty());
    let ends = broker.partition("t", 0).ends().unwrap();
    assert_eq!((ends.log_start.0, ends.log_end.0), (3, 4));
}
