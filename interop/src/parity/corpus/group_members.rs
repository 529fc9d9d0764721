//! SyncGroup, Heartbeat and LeaveGroup, of a group with one member.

use kafka_protocol::messages::LeaveGroupRequest;
use kafka_protocol::messages::leave_group_request::MemberIdentity;

use crate::group_requests::{
    beat, beating, describe_groups, find, first, group, join, join_as, leave, leave_all, stable,
    sync, syncing,
};
use crate::parity::exchange::{Exchange, Step};
use crate::requests::text;

pub(super) fn all() -> Vec<Exchange> {
    vec![
        sync_versions(),
        sync_strangers(),
        sync_shares(),
        sync_protocols(),
        sync_fenced(),
        beat_versions(),
        beat_strangers(),
        leave_versions(),
        leave_strangers(),
        leave_several(),
        leave_instances(),
    ]
}

fn sync_versions() -> Exchange {
    let mut steps = Vec::new();
    for version in 0..=5 {
        let id = format!("sync-versions-{version}");
        let (short, member) = (format!("m{version}"), format!("{{m{version}}}"));
        steps.extend(first(&id, &short));
        let mut request = syncing(&id, 1, &member, &[(&member, "share")]);
        if version >= 5 {
            request = request
                .with_protocol_type(Some(text("consumer")))
                .with_protocol_name(Some(text("range")));
        }
        steps.push(Step::new(version, &request));
        steps.push(Step::new(version, &request));
    }
    Exchange::new(
        "sync-versions",
        "SyncGroup 0 to 5 by the leader, and once more.",
        steps,
    )
}

fn sync_strangers() -> Exchange {
    let id = "sync-strangers";
    Exchange::new(
        id,
        "SyncGroup into no group, an unknown one, by unknown members, and of other generations.",
        [
            vec![
                find(id),
                sync("", 1, "x", &[]),
                sync(id, 1, "x", &[]),
                sync(id, 0, "", &[]),
            ],
            first(id, "a"),
            vec![
                sync(id, 1, "x", &[]),
                sync(id, 1, "", &[]),
                sync(id, 0, "{a}", &[]),
                sync(id, 2, "{a}", &[("{a}", "s")]),
                sync(id, -1, "{a}", &[]),
                sync(id, 1, "{a}", &[("{a}", "s")]),
                sync(id, 2, "{a}", &[]),
                sync(id, 1, "x", &[]),
                sync("", 1, "{a}", &[]),
            ],
        ]
        .concat(),
    )
}

fn sync_shares() -> Exchange {
    let id = "sync-shares";
    Exchange::new(
        id,
        "The leader brings a share for a stranger, a share twice, none for itself, and other shares later.",
        [
            first(id, "a"),
            vec![
                sync(
                    id,
                    1,
                    "{a}",
                    &[("x", "no one's"), ("{a}", "first"), ("{a}", "second")],
                ),
                sync(id, 1, "{a}", &[("{a}", "later")]),
                join(id, "{a}"),
                sync(id, 2, "{a}", &[]),
                describe_groups(&[id]),
            ],
        ]
        .concat(),
    )
}

fn sync_protocols() -> Exchange {
    let id = "sync-protocols";
    let with = |kind: Option<&str>, protocol: Option<&str>| {
        let request = syncing(id, 1, "{a}", &[("{a}", "s")])
            .with_protocol_type(kind.map(text))
            .with_protocol_name(protocol.map(text));
        Step::new(5, &request)
    };
    Exchange::new(
        id,
        "SyncGroup 5 names the kind and the protocol of its generation, or another one, or none.",
        [
            first(id, "a"),
            vec![
                with(Some("connect"), Some("range")),
                with(Some("consumer"), Some("roundrobin")),
                with(Some(""), Some("")),
                with(None, Some("roundrobin")),
                with(None, None),
                with(Some("consumer"), Some("range")),
                with(Some("connect"), Some("range")),
            ],
        ]
        .concat(),
    )
}

fn sync_fenced() -> Exchange {
    let id = "sync-instances";
    let with = |member: &str, instance: &str| {
        let request = syncing(id, 1, member, &[("{a}", "s")]);
        Step::new(3, &request.with_group_instance_id(Some(text(instance))))
    };
    Exchange::new(
        id,
        "SyncGroup and Heartbeat of a static member, with names that do not fit.",
        vec![
            find(id),
            join_as(id, "", "i").names("a"),
            with("x", "i"),
            with("{a}", "j"),
            with("x", "j"),
            with("", "i"),
            with("{a}", "i"),
            beat_as(id, 1, "x", "i"),
            beat_as(id, 1, "{a}", "j"),
            beat_as(id, 1, "", "i"),
            beat_as(id, 2, "x", "i"),
            beat_as(id, 2, "{a}", "i"),
            beat_as(id, 1, "{a}", "i"),
        ],
    )
}

fn beat_as(id: &str, generation: i32, member: &str, instance: &str) -> Step {
    let request = beating(id, generation, member);
    Step::new(4, &request.with_group_instance_id(Some(text(instance))))
}

fn beat_versions() -> Exchange {
    let id = "beat-versions";
    let beats = (0..=4).map(|version| Step::new(version, &beating(id, 1, "{a}")));
    Exchange::new(
        id,
        "Heartbeat 0 to 4.",
        [stable(id, "a"), beats.collect()].concat(),
    )
}

fn beat_strangers() -> Exchange {
    let id = "beat-strangers";
    Exchange::new(
        id,
        "Heartbeat into no group, an unknown one, by unknown members, of other generations, and before the first share.",
        [
            vec![
                find(id),
                beat("", 1, "x"),
                beat(id, 1, "x"),
                beat(id, -1, ""),
            ],
            first(id, "a"),
            vec![
                beat(id, 1, "{a}"),
                beat(id, 0, "{a}"),
                beat(id, 2, "{a}"),
                beat(id, 1, "x"),
                sync(id, 1, "{a}", &[("{a}", "s")]),
                beat(id, 1, "x"),
                beat(id, 1, ""),
                beat(id, 0, "{a}"),
                beat(id, 2, "{a}"),
                beat(id, -1, "{a}"),
                beat(id, 2, "x"),
            ],
        ]
        .concat(),
    )
}

fn leave_versions() -> Exchange {
    let mut steps = Vec::new();
    for version in 0..=4 {
        let id = format!("leave-versions-{version}");
        let (short, member) = (format!("m{version}"), format!("{{m{version}}}"));
        let request = LeaveGroupRequest::default().with_group_id(group(&id));
        let request = match version {
            ..3 => request.with_member_id(text(&member)),
            _ => request.with_members(vec![
                MemberIdentity::default().with_member_id(text(&member)),
            ]),
        };
        steps.extend(stable(&id, &short));
        steps.push(Step::new(version, &request));
        steps.push(Step::new(version, &request));
        steps.push(describe_groups(&[&id]));
    }
    Exchange::new("leave-versions", "LeaveGroup 0 to 4, and once more.", steps)
}

fn leave_strangers() -> Exchange {
    let id = "leave-strangers";
    Exchange::new(
        id,
        "LeaveGroup of no group, of an unknown one, and by unknown members.",
        [
            vec![
                find(id),
                leave("", "x"),
                leave(id, "x"),
                leave(id, ""),
                leave_all("", &[("x", None)]),
                leave_all(id, &[("x", None), ("", Some("i"))]),
                leave_all(id, &[]),
            ],
            stable(id, "a"),
            vec![leave(id, "x"), leave(id, ""), beat(id, 1, "{a}")],
        ]
        .concat(),
    )
}

fn leave_several() -> Exchange {
    let id = "leave-several";
    Exchange::new(
        id,
        "LeaveGroup 3 of nobody, of strangers beside a member, and of a member twice.",
        [
            stable(id, "a"),
            vec![
                leave_all(id, &[]),
                leave_all(id, &[("x", None), ("", None)]),
                beat(id, 1, "{a}"),
                leave_all(id, &[("x", None), ("{a}", None), ("{a}", None)]),
                beat(id, 1, "{a}"),
                describe_groups(&[id]),
            ],
        ]
        .concat(),
    )
}

fn leave_instances() -> Exchange {
    let id = "leave-instances";
    Exchange::new(
        id,
        "A static member leaves by its instance id, if its member id fits or is empty.",
        vec![
            find(id),
            join_as(id, "", "i").names("a"),
            sync(id, 1, "{a}", &[("{a}", "s")]),
            leave_all(id, &[("x", Some("i"))]),
            leave_all(id, &[("{a}", Some("j"))]),
            leave_all(id, &[("", Some("j"))]),
            beat(id, 1, "{a}"),
            leave_all(id, &[("", Some("i"))]),
            describe_groups(&[id]),
            join_as(id, "", "i").names("b"),
            leave_all(id, &[("{b}", Some("i"))]),
            join_as(id, "", "i").names("c"),
            leave_all(id, &[("{c}", None)]),
            describe_groups(&[id]),
        ],
    )
}
