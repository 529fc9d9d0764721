//! The table of settings.

use std::time::Duration;

use log_storage::Cleanup;

use super::value::{Advertised, Kind, Unit, Value};
use super::{Given, Setting};

macro_rules! optional {
    () => {
        None
    };
    ($value:literal) => {
        Some($value)
    };
}

macro_rules! settings {
    ($(
        #[doc = $doc:literal]
        $field:ident : $type:ty = $default:literal, $kind:expr, $name:literal $(, topic $topic:literal)?;
    )*) => {
        /// The settings of a broker, each with its type.
        #[derive(Debug, Clone)]
        pub struct Settings {
            $( #[doc = $doc] pub $field: $type, )*
            pub(super) given: Given,
        }

        impl Default for Settings {
            /// # Panics
            /// Never: a test holds every default against its own row.
            fn default() -> Settings {
                Settings {
                    $( $field: Value::parse($kind, $default).expect("a default fits its row"), )*
                    given: Given::new(),
                }
            }
        }

        /// All settings, in the order of the book.
        pub const TABLE: &[Setting] = &[ $( Setting {
            name: $name,
            topic_name: optional!($($topic)?),
            kind: $kind,
            default: $default,
            doc: $doc.trim_ascii(),
            store: |settings, text| {
                settings.$field = Value::parse($kind, text)?;
                Some(())
            },
        }, )* ];
    };
}

const fn number(min: i64, max: i64) -> Kind {
    Kind::Number {
        unit: Unit::One,
        min,
        max,
    }
}

const fn bytes(min: i64, max: i64) -> Kind {
    Kind::Number {
        unit: Unit::Bytes,
        min,
        max,
    }
}

const fn millis(min: i64) -> Kind {
    Kind::Number {
        unit: Unit::Millis,
        min,
        // About 292,000 years in nanoseconds would not fit; a century does.
        max: 3_155_760_000_000,
    }
}

/// A number of minutes, of which a [`Duration`] is made.
const fn minutes(min: i64) -> Kind {
    Kind::Number {
        unit: Unit::Minutes,
        min,
        max: 52_596_000,
    }
}

/// For what is only compared, up to Kafka's largest number, which is no limit.
const fn any_millis(min: i64) -> Kind {
    Kind::Number {
        unit: Unit::Millis,
        min,
        max: i64::MAX,
    }
}

/// Kafka's lengths are `i32`.
const LENGTH_MAX: i64 = 2_147_483_647;
/// So that an answer with its header is below the longest frame, 2 GiB.
const ANSWER_MAX: i64 = 1_073_741_824;

settings! {
    /// The number by which clients know this broker.
    node_id: i32 = "1", number(0, LENGTH_MAX), "node.id";
    /// Where clients are told to connect to; needed when `--listen` has an address that no client can connect to, such as 0.0.0.0.
    advertised_listeners: Option<Advertised> = "", Kind::Address, "advertised.listeners";
    /// How many partitions a topic gets if the request that creates it does not say.
    num_partitions: u32 = "1", number(1, 10_000), "num.partitions";
    /// Whether a topic that does not exist is created when a client asks for it.
    auto_create_topics_enable: bool = "true", Kind::Flag, "auto.create.topics.enable";
    /// A segment file is closed, and a new one is begun, before it grows above this size.
    log_segment_bytes: u32 = "1073741824", bytes(1024, LENGTH_MAX), "log.segment.bytes", topic "segment.bytes";
    /// A segment file is closed, and a new one is begun, when this time has passed since this process first wrote to it.
    log_roll_ms: Duration = "604800000", millis(1), "log.roll.ms", topic "segment.ms";
    /// How many bytes of batches are between two entries of an index.
    log_index_interval_bytes: u32 = "4096", bytes(0, LENGTH_MAX), "log.index.interval.bytes", topic "index.interval.bytes";
    /// The largest batch that a producer may send; a compressed batch counts with its compressed size.
    message_max_bytes: usize = "1048588", bytes(61, ANSWER_MAX), "message.max.bytes", topic "max.message.bytes";
    /// How far a record's timestamp may be ahead of the broker's clock; a batch with one that is further ahead is refused.
    log_message_timestamp_after_max_ms: Duration = "3600000", millis(0), "log.message.timestamp.after.max.ms", topic "message.timestamp.after.max.ms";
    /// A closed segment is deleted when its newest record is older than this.
    log_retention_ms: Option<Duration> = "604800000", Kind::Limit { unit: Unit::Millis }, "log.retention.ms", topic "retention.ms";
    /// The oldest closed segment of a partition is deleted if the other segments together still have at least this size.
    log_retention_bytes: Option<u64> = "-1", Kind::Limit { unit: Unit::Bytes }, "log.retention.bytes", topic "retention.bytes";
    /// How a log gets rid of old records: `delete` deletes old segments, `compact` keeps of the records with one key the newest.
    log_cleanup_policy: Cleanup = "delete", Kind::CleanupPolicy, "log.cleanup.policy", topic "cleanup.policy";
    /// Whether compacted topics are compacted.
    log_cleaner_enable: bool = "true", Kind::Flag, "log.cleaner.enable";
    /// How long the cleaner waits when no log is to be compacted.
    log_cleaner_backoff_ms: Duration = "15000", millis(1), "log.cleaner.backoff.ms";
    /// How much memory the cleaner may take to remember keys. Its table has a power of two of places, 25 bytes each, and fills seven eighths of them, so a key takes 29 to 57 bytes, and 37 with the default. A pass goes as far as the table reaches.
    log_cleaner_dedupe_buffer_size: usize = "134217728", bytes(1024, 1_099_511_627_776), "log.cleaner.dedupe.buffer.size";
    /// A log is compacted when more than this part of its bytes was never compacted.
    log_cleaner_min_cleanable_ratio: f64 = "0.5", Kind::Ratio, "log.cleaner.min.cleanable.ratio", topic "min.cleanable.dirty.ratio";
    /// A record of a compacted log stays at least for so long, as its timestamp says.
    log_cleaner_min_compaction_lag_ms: Duration = "0", millis(0), "log.cleaner.min.compaction.lag.ms", topic "min.compaction.lag.ms";
    /// A record that is older than this is compacted, however little of the log was never compacted; and a segment file is closed for it.
    log_cleaner_max_compaction_lag_ms: Duration = "9223372036854775807", any_millis(1), "log.cleaner.max.compaction.lag.ms", topic "max.compaction.lag.ms";
    /// How long a record without a value stays in a compacted log, from when nothing older with its key is left.
    log_cleaner_delete_retention_ms: Duration = "86400000", millis(0), "log.cleaner.delete.retention.ms", topic "delete.retention.ms";
    /// How often the broker looks for segments to delete by the two limits above.
    log_retention_check_interval_ms: Duration = "300000", millis(1), "log.retention.check.interval.ms";
    /// How often the broker saves, for each log, up to which offset it is known to be on disk; a start after a crash checks only the batches from there on.
    log_flush_offset_checkpoint_interval_ms: Duration = "60000", millis(1), "log.flush.offset.checkpoint.interval.ms";
    /// The longest request; a connection that announces a longer one is closed.
    socket_request_max_bytes: usize = "104857600", bytes(1024, LENGTH_MAX), "socket.request.max.bytes";
    /// How much memory the requests of all connections together may hold; further requests wait unread.
    queued_max_request_bytes: u32 = "268435456", bytes(1024, LENGTH_MAX), "queued.max.request.bytes";
    /// A connection that sends nothing for this long, and waits for no answer, is closed.
    connections_max_idle_ms: Duration = "600000", millis(1), "connections.max.idle.ms";
    /// How many connections are served at a time; a further one is closed at once.
    max_connections: usize = "10000", number(1, LENGTH_MAX), "max.connections";
    /// The most bytes of records in the answer to one fetch, even if the client asks for more; a first batch that is larger is returned whole.
    fetch_max_bytes: u32 = "57671680", bytes(1024, ANSWER_MAX), "fetch.max.bytes";
    /// How many threads sync logs to disk; as many others read from disk what is not in memory, and as many open the logs at a start.
    num_io_threads: usize = "8", number(1, 512), "num.io.threads";
    /// The most partitions that one topic may have.
    partitions_max: u32 = "10000", number(1, 100_000), "mqd.topic.partitions.max";
    /// The most partitions of all topics together; fewer if the process may open too few files for them.
    partitions_total_max: usize = "20000", number(1, 1_000_000), "mqd.partitions.max";
    /// How many closed segments of all partitions together are kept open for reading, with their indexes in memory; fewer if the process may open too few files for them.
    loaded_segments_max: usize = "1000", number(1, 1_000_000), "mqd.loaded.segments.max";
    /// How large the records of a compressed batch may be when they are open, which the broker does to check them; a larger batch is refused. Two batches are open at a time.
    batch_opened_bytes_max: usize = "33554432", bytes(1024, ANSWER_MAX), "mqd.batch.opened.bytes.max";
    /// How many partitions the topic `__consumer_offsets` gets, when it is made for the first group.
    offsets_topic_num_partitions: u32 = "50", number(1, 10_000), "offsets.topic.num.partitions";
    /// The size of a segment file of `__consumer_offsets`, when the topic is made.
    offsets_topic_segment_bytes: u32 = "104857600", bytes(1024, LENGTH_MAX), "offsets.topic.segment.bytes";
    /// How long offsets are kept after the last member has left the group, or after they were committed if nobody ever joins.
    offsets_retention_minutes: Duration = "10080", minutes(1), "offsets.retention.minutes";
    /// How often the broker looks for offsets to delete, and for empty groups without offsets.
    offsets_retention_check_interval_ms: Duration = "600000", millis(1), "offsets.retention.check.interval.ms";
    /// How long a commit, or the shares of a group, may wait for the disk.
    offsets_commit_timeout_ms: Duration = "5000", millis(1), "offsets.commit.timeout.ms";
    /// The longest text that a consumer may keep with an offset, in characters as Java counts them.
    offset_metadata_max_bytes: usize = "4096", number(0, 32_767), "offset.metadata.max.bytes";
    /// How long a group that was empty waits for more members, each time that one has come.
    group_initial_rebalance_delay_ms: Duration = "3000", millis(0), "group.initial.rebalance.delay.ms";
    /// The shortest session timeout that a member may ask for.
    group_min_session_timeout_ms: Duration = "6000", millis(0), "group.min.session.timeout.ms";
    /// The longest session timeout that a member may ask for.
    group_max_session_timeout_ms: Duration = "1800000", millis(0), "group.max.session.timeout.ms";
    /// The most members of a group.
    group_max_size: usize = "10000", number(1, 1_000_000), "group.max.size";
    /// The most groups, those without members included.
    groups_max: usize = "10000", number(1, 10_000_000), "mqd.groups.max";
    /// The most memory that members and offsets of all groups together may take.
    groups_memory_max_bytes: usize = "268435456", bytes(1024, ANSWER_MAX), "mqd.groups.memory.max.bytes";
    /// How many partitions the topic `__transaction_state` gets, when it is made for the first transactional id.
    transaction_state_log_num_partitions: u32 = "50", number(1, 10_000), "transaction.state.log.num.partitions";
    /// The size of a segment file of `__transaction_state`, when the topic is made.
    transaction_state_log_segment_bytes: u32 = "104857600", bytes(1024, LENGTH_MAX), "transaction.state.log.segment.bytes";
    /// The longest time that a producer may ask for its transactions to be open.
    transaction_max_timeout_ms: Duration = "900000", millis(1), "transaction.max.timeout.ms";
    /// How long a transactional id is kept after its last transaction has ended.
    transactional_id_expiration_ms: Duration = "604800000", millis(1), "transactional.id.expiration.ms";
    /// The most partitions of one transaction.
    transaction_partitions_max: usize = "4000", number(1, 4_000), "mqd.transaction.partitions.max";
    /// The most transactional ids.
    transactional_ids_max: usize = "100000", number(1, 10_000_000), "mqd.transactional.ids.max";
    /// The most memory that all transactional ids together may take.
    transactions_memory_max_bytes: usize = "268435456", bytes(1024, ANSWER_MAX), "mqd.transactions.memory.max.bytes";
    /// A partition forgets a producer that is silent for this long: it recognises no batch that the producer sends again.
    producer_id_expiration_ms: Duration = "86400000", millis(1), "producer.id.expiration.ms";
    /// How often the broker looks for producers to forget.
    producer_id_expiration_check_interval_ms: Duration = "600000", millis(1), "producer.id.expiration.check.interval.ms";
    /// How many producers all partitions together remember, a producer counted once for each partition. For one more, the one is forgotten that is silent for the longest time. A producer with an open transaction is never forgotten; such producers take half of the room at most, and a partition beyond that is added to no transaction.
    producers_max: usize = "100000", number(1, 100_000_000), "mqd.producers.max";
    /// How many requests of one connection may wait for their answers; further ones stay unread.
    pending_max: usize = "128", number(1, 10_000), "mqd.connection.pending.max";
    /// The longest time that a fetch waits for records, even if the client asks for more.
    fetch_wait_max_ms: Duration = "60000", millis(0), "mqd.fetch.wait.max.ms";
    /// How many partitions all fetches together may wait for, a partition counted once for each fetch; a fetch beyond that is answered at once with what there is.
    waiting_partitions_max: usize = "500000", number(1, 100_000_000), "mqd.fetch.waiting.partitions.max";
    /// A connection is closed when half a request has arrived and nothing more comes for this long, or when the client takes no byte of an answer for this long.
    transfer_timeout_ms: Duration = "30000", millis(1), "mqd.transfer.timeout.ms";
    /// How long requests in progress may go on after SIGTERM or Ctrl-C.
    drain_ms: Duration = "5000", millis(0), "mqd.drain.ms";
}
