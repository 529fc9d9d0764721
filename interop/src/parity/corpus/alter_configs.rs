//! AlterConfigs and IncrementalAlterConfigs.

use kafka_protocol::messages::alter_configs_request::{AlterConfigsResource, AlterableConfig};
use kafka_protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource as IncrementalResource, AlterableConfig as IncrementalConfig,
};
use kafka_protocol::messages::{AlterConfigsRequest, IncrementalAlterConfigsRequest};

use super::operations::a_moment;
use crate::parity::batch::Batch;
use crate::parity::exchange::{Exchange, Step};
use crate::requests::{create, create_plain, describe, produce, set, text, topic};

const TOPIC: i8 = 2;
const BROKER: i8 = 4;

const SET: i8 = 0;
const DELETE: i8 = 1;
const APPEND: i8 = 2;
const SUBTRACT: i8 = 3;

pub(super) fn all() -> Vec<Exchange> {
    vec![
        settings(),
        settings_refused(),
        settings_of_unknown(),
        settings_of_a_broker(),
        lists(),
        all_settings(),
        all_settings_refused(),
    ]
}

/// Name, operation and value.
type Change<'a> = (&'a str, i8, Option<&'a str>);

fn resource(kind: i8, resource_name: &str, changes: &[Change<'_>]) -> IncrementalResource {
    let changes = changes.iter().map(|(config, operation, value)| {
        IncrementalConfig::default()
            .with_name(text(config))
            .with_config_operation(*operation)
            .with_value(value.map(text))
    });
    IncrementalResource::default()
        .with_resource_type(kind)
        .with_resource_name(text(resource_name))
        .with_configs(changes.collect())
}

fn change_all(resources: Vec<IncrementalResource>, validate_only: bool) -> Step {
    let request = IncrementalAlterConfigsRequest::default()
        .with_resources(resources)
        .with_validate_only(validate_only);
    Step::new(1, &request)
}

fn change(kind: i8, resource_name: &str, changes: &[Change<'_>]) -> Step {
    change_all(vec![resource(kind, resource_name, changes)], false)
}

fn settings() -> Exchange {
    let shown = || {
        let keys = ["retention.bytes", "max.message.bytes"];
        describe(&[(TOPIC, "altered", Some(&keys))])
    };
    let larger: &[Change<'_>] = &[
        ("retention.bytes", SET, Some(" 5000 ")),
        ("max.message.bytes", SET, Some("100")),
    ];
    Exchange::new(
        "altered",
        "IncrementalAlterConfigs: checked, set, taken back; the next batch is held to it.",
        vec![
            create_plain(&["altered"]),
            change_all(vec![resource(TOPIC, "altered", larger)], true),
            shown(),
            change(TOPIC, "altered", larger),
            a_moment("altered"),
            shown(),
            produce(
                "altered",
                &Batch::of(&["as long as it need be to be too long"]),
            ),
            change(TOPIC, "altered", &[("max.message.bytes", DELETE, None)]),
            a_moment("altered"),
            shown(),
            change(TOPIC, "altered", &[("nonsense", DELETE, Some("1"))]),
            change(TOPIC, "altered", &[]),
            change_all(vec![], false),
        ],
    )
}

fn settings_refused() -> Exchange {
    let right: Change<'_> = ("retention.bytes", SET, Some("1"));
    let to = |changes: &[Change<'_>]| change(TOPIC, "altered-not", changes);
    Exchange::new(
        "altered-not",
        "IncrementalAlterConfigs with names and values that are none, operations that do not fit, and a name twice: nothing is changed.",
        vec![
            create_plain(&["altered-not"]),
            to(&[right, ("nonsense", SET, Some("1"))]),
            to(&[right, ("", SET, Some("1"))]),
            to(&[right, ("retention.ms", SET, Some("soon"))]),
            to(&[right, ("retention.ms", SET, Some("-5"))]),
            to(&[right, ("retention.ms", SET, Some(""))]),
            to(&[right, ("retention.ms", SET, None)]),
            to(&[right, ("retention.ms", APPEND, Some("5"))]),
            to(&[right, ("retention.ms", SUBTRACT, Some("5"))]),
            to(&[right, ("nonsense", APPEND, Some("5"))]),
            to(&[right, ("retention.ms", 4, Some("5"))]),
            to(&[right, ("retention.ms", -1, Some("5"))]),
            to(&[right, right]),
            describe(&[(TOPIC, "altered-not", Some(&["retention.bytes"]))]),
        ],
    )
}

fn settings_of_unknown() -> Exchange {
    let right: &[Change<'_>] = &[("retention.bytes", SET, Some("1"))];
    let nonsense: &[Change<'_>] = &[("nonsense", SET, Some("1"))];
    let no_value: &[Change<'_>] = &[("retention.bytes", SET, None)];
    Exchange::new(
        "altered-nowhere",
        "IncrementalAlterConfigs of topics that are not there, of one twice, and of types that there are not.",
        vec![
            create_plain(&["altered-twice", "altered-beside"]),
            change(TOPIC, "altered-nowhere", right),
            change(TOPIC, "altered-nowhere", nonsense),
            change(TOPIC, "altered-nowhere", no_value),
            change(TOPIC, "altered-nowhere", &[]),
            change(TOPIC, "not a name", right),
            change(TOPIC, "", right),
            change_all(
                vec![
                    resource(TOPIC, "altered-twice", right),
                    resource(TOPIC, "altered-beside", right),
                    resource(TOPIC, "altered-twice", right),
                ],
                false,
            ),
            change(0, "1", right),
            change(1, "1", right),
            change(77, "1", right),
            describe(&[(TOPIC, "altered-twice", Some(&["retention.bytes"]))]),
            describe(&[(TOPIC, "altered-beside", Some(&["retention.bytes"]))]),
        ],
    )
}

fn settings_of_a_broker() -> Exchange {
    let fixed: &[Change<'_>] = &[("node.id", SET, Some("3"))];
    Exchange::new(
        "altered-broker",
        "IncrementalAlterConfigs of a broker: what is given at its start, nothing, and other brokers.",
        vec![
            change(BROKER, "1", fixed),
            change(BROKER, "", fixed),
            change(BROKER, "1", &[("node.id", DELETE, None)]),
            change(BROKER, "1", &[]),
            change(BROKER, "2", fixed),
            change(BROKER, "x", fixed),
        ],
    )
}

fn lists() -> Exchange {
    let mut steps = vec![create_plain(&["altered-list"])];
    for (operation, value) in [
        (APPEND, Some("compact")),
        (APPEND, Some("compact,compact")),
        (SUBTRACT, Some("delete")),
        (SUBTRACT, Some("delete")),
        (APPEND, Some("nonsense")),
        (APPEND, None),
        (SET, Some("delete,compact")),
        (SUBTRACT, Some("compact,delete")),
        (APPEND, Some("")),
        (SET, Some(" delete , compact ")),
        (DELETE, None),
    ] {
        let changes = [("cleanup.policy", operation, value)];
        steps.push(change(TOPIC, "altered-list", &changes));
        steps.push(a_moment("altered-list"));
        let keys = ["cleanup.policy"];
        steps.push(describe(&[(TOPIC, "altered-list", Some(&keys))]));
    }
    Exchange::new(
        "altered-list",
        "IncrementalAlterConfigs of a list: added to, taken from, set, and taken back.",
        steps,
    )
}

/// Type, name, and its settings from now on.
type Replaced<'a> = (i8, &'a str, &'a [(&'a str, Option<&'a str>)]);

fn replace(resources: &[Replaced<'_>], validate_only: bool) -> Step {
    let config = |(config, value): &(&str, Option<&str>)| {
        AlterableConfig::default()
            .with_name(text(config))
            .with_value(value.map(text))
    };
    let resources = resources.iter().map(|(kind, resource_name, configs)| {
        AlterConfigsResource::default()
            .with_resource_type(*kind)
            .with_resource_name(text(resource_name))
            .with_configs(configs.iter().map(config).collect())
    });
    let request = AlterConfigsRequest::default()
        .with_resources(resources.collect())
        .with_validate_only(validate_only);
    Step::new(2, &request)
}

fn all_settings() -> Exchange {
    let shown = || {
        let keys = ["retention.bytes", "max.message.bytes"];
        describe(&[(TOPIC, "replaced", Some(&keys))])
    };
    Exchange::new(
        "replaced",
        "AlterConfigs: what is not named goes back to the broker's.",
        vec![
            create(vec![set(
                topic("replaced", 1, 1),
                &[("max.message.bytes", Some("2000"))],
            )]),
            replace(
                &[(TOPIC, "replaced", &[("retention.bytes", Some("9"))])],
                true,
            ),
            shown(),
            replace(
                &[(TOPIC, "replaced", &[("retention.bytes", Some("9"))])],
                false,
            ),
            a_moment("replaced"),
            shown(),
            replace(&[(TOPIC, "replaced", &[])], false),
            a_moment("replaced"),
            shown(),
            replace(&[], false),
        ],
    )
}

fn all_settings_refused() -> Exchange {
    let to = |configs: &[(&str, Option<&str>)]| replace(&[(TOPIC, "replaced-not", configs)], false);
    Exchange::new(
        "replaced-not",
        "AlterConfigs with what cannot be, of what is not there, and of a broker.",
        vec![
            create_plain(&["replaced-not"]),
            to(&[("retention.bytes", None)]),
            to(&[("retention.bytes", Some("x"))]),
            to(&[("nonsense", Some("x"))]),
            to(&[
                ("retention.bytes", Some("1")),
                ("retention.bytes", Some("2")),
            ]),
            replace(&[(TOPIC, "replaced-nowhere", &[])], false),
            replace(&[(TOPIC, "not a name", &[])], false),
            replace(&[(BROKER, "1", &[("node.id", Some("3"))])], false),
            replace(&[(BROKER, "1", &[])], false),
            replace(&[(BROKER, "2", &[])], false),
            replace(&[(8, "1", &[])], false),
            replace(&[(0, "1", &[])], false),
            describe(&[(TOPIC, "replaced-not", Some(&["retention.bytes"]))]),
        ],
    )
}
