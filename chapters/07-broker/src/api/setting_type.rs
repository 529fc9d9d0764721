//! Of which type a setting is, as tools show it.

/// Kafka's types of settings; the numbers are the wire's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SettingType {
    Boolean = 1,
    String = 2,
    Int = 3,
    Long = 5,
    Double = 6,
    List = 7,
}

const BOOLEANS: &[&str] = &[
    "auto.create.topics.enable",
    "delete.topic.enable",
    "log.cleaner.enable",
    "log.preallocate",
    "preallocate",
    "remote.log.storage.system.enable",
    "remote.storage.enable",
    "unclean.leader.election.enable",
];

const INTS: &[&str] = &[
    "compression.zstd.level",
    "fetch.max.bytes",
    "group.initial.rebalance.delay.ms",
    "group.max.session.timeout.ms",
    "group.max.size",
    "group.min.session.timeout.ms",
    "index.interval.bytes",
    "log.flush.offset.checkpoint.interval.ms",
    "log.index.interval.bytes",
    "log.segment.bytes",
    "max.connections",
    "max.message.bytes",
    "message.max.bytes",
    "min.insync.replicas",
    "node.id",
    "num.io.threads",
    "num.partitions",
    "offset.metadata.max.bytes",
    "offsets.retention.minutes",
    "offsets.topic.num.partitions",
    "segment.bytes",
    "segment.index.bytes",
    "socket.request.max.bytes",
];

const LONGS: &[&str] = &[
    "connections.max.idle.ms",
    "delete.retention.ms",
    "file.delete.delay.ms",
    "flush.messages",
    "flush.ms",
    "log.cleaner.backoff.ms",
    "log.cleaner.delete.retention.ms",
    "log.cleaner.max.compaction.lag.ms",
    "log.cleaner.min.compaction.lag.ms",
    "log.message.timestamp.after.max.ms",
    "log.message.timestamp.before.max.ms",
    "log.retention.bytes",
    "log.retention.check.interval.ms",
    "log.retention.ms",
    "log.roll.jitter.ms",
    "log.roll.ms",
    "max.compaction.lag.ms",
    "message.timestamp.after.max.ms",
    "message.timestamp.before.max.ms",
    "min.compaction.lag.ms",
    "offsets.retention.check.interval.ms",
    "queued.max.request.bytes",
    "retention.bytes",
    "retention.ms",
    "segment.jitter.ms",
    "segment.ms",
];

const DOUBLES: &[&str] = &[
    "log.cleaner.min.cleanable.ratio",
    "min.cleanable.dirty.ratio",
];

const LISTS: &[&str] = &[
    "advertised.listeners",
    "cleanup.policy",
    "listeners",
    "log.cleanup.policy",
];

/// The type that Kafka gives a setting of a topic or of a broker. One that is not
/// here is text, as is Kafka's answer to it; `mqd`'s own are numbers.
pub(super) fn setting_type(name: &str) -> SettingType {
    let kinds = [
        (BOOLEANS, SettingType::Boolean),
        (INTS, SettingType::Int),
        (LONGS, SettingType::Long),
        (DOUBLES, SettingType::Double),
        (LISTS, SettingType::List),
    ];
    if name.starts_with("mqd.") {
        return SettingType::Long;
    }
    let found = kinds.iter().find(|(names, _)| names.contains(&name));
    found.map_or(SettingType::String, |(_, kind)| *kind)
}

/// The values of a list.
pub(super) fn list_items(list: &str) -> impl Iterator<Item = &str> {
    let items = list.split(',').map(str::trim);
    items.filter(|item| !item.is_empty())
}
