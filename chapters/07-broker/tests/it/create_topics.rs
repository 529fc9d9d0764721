//! CreateTopics: what is refused, with which code, and in which order it is looked at.

use broker::api;
use networking::Peer;
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig, CreateTopicsRequest,
    CreateTopicsResponse,
};

use crate::support::{Broker, name};

pub(crate) fn creatable(name: &str) -> CreatableTopic {
    CreatableTopic {
        name: name.to_owned(),
        num_partitions: 2,
        replication_factor: 1,
        ..CreatableTopic::default()
    }
}

fn with_config(name: &str, value: Option<&str>) -> CreatableTopic {
    CreatableTopic {
        configs: vec![CreatableTopicConfig {
            name: name.to_owned(),
            value: value.map(str::to_owned),
        }],
        ..creatable("configured")
    }
}

/// A topic whose partitions are assigned by hand: which one to which brokers.
fn assigned(topic: &str, assignments: &[(i32, &[i32])]) -> CreatableTopic {
    let assignment = |(partition_index, brokers): &(i32, &[i32])| CreatableReplicaAssignment {
        partition_index: *partition_index,
        broker_ids: brokers.to_vec(),
    };
    CreatableTopic {
        num_partitions: -1,
        replication_factor: -1,
        assignments: assignments.iter().map(assignment).collect(),
        ..creatable(topic)
    }
}

pub(crate) async fn create_topics(
    broker: &Broker,
    topics: Vec<CreatableTopic>,
    validate_only: bool,
) -> CreateTopicsResponse {
    let request = CreateTopicsRequest {
        topics,
        timeout_ms: 30_000,
        validate_only,
    };
    api::create_topics(broker, &Peer::default(), 5, request).await
}

/// What is said of one topic, if it is only checked and if it is created.
async fn codes(broker: &Broker, topic: CreatableTopic) -> [ErrorCode; 2] {
    let mut codes = [ErrorCode::NONE; 2];
    for (code, validate_only) in codes.iter_mut().zip([true, false]) {
        let response = create_topics(broker, vec![topic.clone()], validate_only).await;
        assert_eq!(response.topics.len(), 1);
        *code = response.topics[0].error_code;
    }
    codes
}

#[tokio::test]
async fn it_says_what_is_wrong_with_each() {
    let broker = Broker::with_topic().await;
    let partitions = |count| CreatableTopic {
        num_partitions: count,
        ..creatable("u")
    };
    let copies = |count| CreatableTopic {
        replication_factor: count,
        ..creatable("copies")
    };
    let cases = [
        (creatable("new"), ErrorCode::NONE),
        (creatable("t"), ErrorCode::TOPIC_ALREADY_EXISTS),
        (creatable("not a name"), ErrorCode::INVALID_TOPIC_EXCEPTION),
        (partitions(0), ErrorCode::INVALID_PARTITIONS),
        (partitions(-2), ErrorCode::INVALID_PARTITIONS),
        (partitions(101), ErrorCode::INVALID_PARTITIONS),
        (copies(2), ErrorCode::INVALID_REPLICATION_FACTOR),
        (copies(0), ErrorCode::INVALID_REPLICATION_FACTOR),
        (
            with_config("retention.ms", Some("soon")),
            ErrorCode::INVALID_CONFIG,
        ),
        (with_config("retention.ms", None), ErrorCode::INVALID_CONFIG),
        (
            with_config("retention.hours", Some("1")),
            ErrorCode::INVALID_CONFIG,
        ),
        (with_config("retention.ms", Some("1")), ErrorCode::NONE),
    ];
    for (topic, code) in cases {
        assert_eq!(codes(&broker, topic.clone()).await, [code; 2], "{topic:?}");
    }
    assert_eq!(broker.topics.all().len(), 3);
}

/// `-1` is the broker's default for either number: two partitions here, one copy.
#[tokio::test]
async fn minus_one_is_the_default() {
    let broker = Broker::start();
    for (topic, num_partitions, replication_factor, partitions) in
        [("a", -1, -1, 2), ("b", -1, 1, 2), ("c", 5, -1, 5)]
    {
        let wanted = CreatableTopic {
            num_partitions,
            replication_factor,
            ..creatable(topic)
        };
        assert_eq!(codes(&broker, wanted).await, [ErrorCode::NONE; 2]);
        let created = broker.topics.get(&name(topic)).unwrap();
        assert_eq!(created.partitions.len(), partitions, "{topic}");
    }
}

#[tokio::test]
async fn partitions_may_be_assigned_to_this_broker_by_hand() {
    let broker = Broker::start();
    let fine = [
        assigned("a", &[(0, &[3])]),
        assigned("b", &[(2, &[3]), (0, &[3]), (1, &[3])]),
    ];
    for (topic, partitions) in fine.into_iter().zip([1, 3]) {
        let name = name(&topic.name);
        assert_eq!(codes(&broker, topic).await, [ErrorCode::NONE; 2]);
        let created = broker.topics.get(&name).unwrap();
        assert_eq!(created.partitions.len(), partitions);
    }
    let wrong: [&[(i32, &[i32])]; 6] = [
        &[(0, &[4])],
        &[(0, &[3, 4])],
        &[(0, &[])],
        &[(1, &[3])],
        &[(0, &[3]), (2, &[3])],
        &[(0, &[3]), (0, &[3])],
    ];
    for assignments in wrong {
        let got = codes(&broker, assigned("wrong", assignments)).await;
        let code = ErrorCode::INVALID_REPLICA_ASSIGNMENT;
        assert_eq!(got, [code; 2], "{assignments:?}");
    }
    for (num_partitions, replication_factor) in [(1, -1), (-1, 1), (1, 1)] {
        let both = CreatableTopic {
            num_partitions,
            replication_factor,
            ..assigned("both", &[(0, &[3])])
        };
        assert_eq!(codes(&broker, both).await, [ErrorCode::INVALID_REQUEST; 2]);
    }
}

/// For the sake of programs that create a topic unless it exists.
#[tokio::test]
async fn that_a_topic_exists_is_said_before_all_else() {
    let broker = Broker::with_topic().await;
    let wrong = [
        CreatableTopic {
            num_partitions: 0,
            ..creatable("t")
        },
        CreatableTopic {
            replication_factor: 7,
            ..creatable("t")
        },
        CreatableTopic {
            name: "t".to_owned(),
            ..with_config("no.such", Some("1"))
        },
        assigned("t", &[(5, &[5])]),
    ];
    for topic in wrong {
        let got = codes(&broker, topic.clone()).await;
        assert_eq!(got, [ErrorCode::TOPIC_ALREADY_EXISTS; 2], "{topic:?}");
    }
    // Of a new one, the number of partitions comes before that of copies, and both
    // before the settings.
    let wrong = |num_partitions, replication_factor| CreatableTopic {
        num_partitions,
        replication_factor,
        ..with_config("no.such", Some("1"))
    };
    let got = codes(&broker, wrong(0, 7)).await;
    assert_eq!(got, [ErrorCode::INVALID_PARTITIONS; 2]);
    let got = codes(&broker, wrong(1, 7)).await;
    assert_eq!(got, [ErrorCode::INVALID_REPLICATION_FACTOR; 2]);
}

/// A client that asks for what happens anyway makes no mistake.
#[tokio::test]
async fn settings_that_ask_for_what_is_done_anyway_are_fine() {
    let broker = Broker::start();
    let anyway = [
        ("cleanup.policy", "delete"),
        ("compression.type", "producer"),
        ("message.timestamp.type", "CreateTime"),
        ("min.insync.replicas", "1"),
        ("preallocate", "false"),
        ("remote.storage.enable", "false"),
        ("segment.jitter.ms", "0"),
        ("unclean.leader.election.enable", "false"),
    ];
    for (index, (setting, value)) in anyway.into_iter().enumerate() {
        let topic = CreatableTopic {
            name: format!("t{index}"),
            ..with_config(setting, Some(value))
        };
        let got = codes(&broker, topic).await;
        assert_eq!(got, [ErrorCode::NONE; 2], "{setting}={value}");
    }
    let other = [
        ("cleanup.policy", "burn"),
        ("compression.type", "zstd"),
        ("message.timestamp.type", "LogAppendTime"),
        ("min.insync.replicas", "2"),
        ("preallocate", "true"),
        ("remote.storage.enable", "true"),
        ("segment.jitter.ms", "1"),
        ("unclean.leader.election.enable", "true"),
    ];
    for (setting, value) in other {
        let topic = with_config(setting, Some(value));
        let got = codes(&broker, topic).await;
        assert_eq!(got, [ErrorCode::INVALID_CONFIG; 2], "{setting}={value}");
    }
}

#[tokio::test]
async fn a_topic_that_is_only_checked_is_not_created() {
    let broker = Broker::start();
    let response = create_topics(&broker, vec![creatable("a")], true).await;
    assert_eq!(response.topics[0].error_code, ErrorCode::NONE);
    assert!(broker.topics.all().is_empty());
    assert!(
        !broker
            .disk
            .files()
            .iter()
            .any(|(path, _)| path.ends_with("topics.json"))
    );
}

/// What a client sent is cut before it is logged; what it hears is whole.
#[tokio::test]
async fn a_refusal_says_which_setting_it_is_about() {
    let broker = Broker::start();
    let topic = with_config("retention.ms", Some("soon"));
    let response = create_topics(&broker, vec![topic], false).await;
    let reason = response.topics[0].error_message.as_deref().unwrap();
    assert!(reason.starts_with("retention.ms=soon: "), "{reason}");
}

/// Code and reason of one topic: the same whether it is only checked or created.
async fn refusal(broker: &Broker, topic: CreatableTopic) -> (ErrorCode, String) {
    let mut refusals = Vec::new();
    for validate_only in [true, false] {
        let response = create_topics(broker, vec![topic.clone()], validate_only).await;
        let refused = response.topics.into_iter().next().unwrap();
        refusals.push((refused.error_code, refused.error_message.unwrap()));
    }
    assert_eq!(refusals[0], refusals[1]);
    refusals.remove(0)
}

/// The first one in the request that is wrong, also if a later one of the same name is right.
#[tokio::test]
async fn of_several_wrong_settings_the_first_is_named() {
    let broker = Broker::start();
    let configs = |settings: &[(&str, &str)]| {
        let config = |(name, value): &(&str, &str)| CreatableTopicConfig {
            name: (*name).to_owned(),
            value: Some((*value).to_owned()),
        };
        settings.iter().map(config).collect()
    };
    let with = |settings: &[(&str, &str)]| CreatableTopic {
        configs: configs(settings),
        ..creatable("configured")
    };
    let cases = [
        (with(&[("segment.ms", "0"), ("a", "b")]), "segment.ms=0: "),
        (with(&[("a", "b"), ("segment.ms", "0")]), "a=b: "),
        (
            with(&[("segment.ms", "0"), ("segment.ms", "1")]),
            "segment.ms=0: ",
        ),
        // Assigned partitions are counted last.
        (
            CreatableTopic {
                configs: configs(&[("a", "b")]),
                ..assigned("many", &hundred_and_one())
            },
            "a=b: ",
        ),
    ];
    for (topic, start) in cases {
        let (code, reason) = refusal(&broker, topic.clone()).await;
        assert_eq!(code, ErrorCode::INVALID_CONFIG);
        assert!(reason.starts_with(start), "{reason}");
    }
    let (code, reason) = refusal(&broker, assigned("many", &hundred_and_one())).await;
    assert_eq!(code, ErrorCode::INVALID_PARTITIONS);
    assert_eq!(reason, "the topic can have between 1 and 100 partitions");
    // Of two that are right the last one counts.
    let twice = with(&[("retention.ms", "1"), ("retention.ms", "2")]);
    assert_eq!(codes(&broker, twice).await, [ErrorCode::NONE; 2]);
    let created = broker.topics.get(&name("configured")).unwrap();
    let set = created.config.overrides.iter();
    assert!(set.eq([(&"retention.ms".to_owned(), &"2".to_owned())]));
}

/// One more than a topic may have here.
fn hundred_and_one() -> Vec<(i32, &'static [i32])> {
    (0..101).map(|index| (index, [3].as_slice())).collect()
}
