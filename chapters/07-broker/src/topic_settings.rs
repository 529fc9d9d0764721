//! The settings of a topic, under Kafka's names: the one place that knows them.

use std::time::Duration;

use log_storage::{Cleanup, LogConfig};

/// What a topic says about its records and segments.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TopicSettings {
    /// What its logs use.
    pub log: LogConfig,
    /// `message.timestamp.after.max.ms`: how far a record's timestamp may be ahead of the broker's clock.
    pub timestamp_after_max: Duration,
}

impl Default for TopicSettings {
    /// Kafka's defaults.
    fn default() -> TopicSettings {
        TopicSettings {
            log: LogConfig::default(),
            timestamp_after_max: Duration::from_hours(1),
        }
    }
}

/// Why a topic cannot have a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// There is none of that name.
    #[error("a topic has no such setting")]
    Unknown,
    /// It cannot have that value.
    #[error("the value must be {expected}")]
    Value {
        /// What it can be.
        expected: &'static str,
    },
    /// A record would have to stay longer than it may stay uncompacted.
    #[error("min.compaction.lag.ms must not be above max.compaction.lag.ms")]
    Lags,
}

impl TopicSettings {
    /// Whether the values fit each other.
    ///
    /// # Errors
    /// [`SettingError::Lags`].
    pub fn check(&self) -> Result<(), SettingError> {
        let compaction = self.log.compaction;
        if compaction.min_lag > compaction.max_lag {
            return Err(SettingError::Lags);
        }
        Ok(())
    }
}

/// One row of the table.
struct TopicSetting {
    name: &'static str,
    /// The setting of the broker that holds for topics without their own.
    broker: &'static str,
    /// What the value can be, in words.
    expected: &'static str,
    value: Value,
}

/// What a row does with its value.
enum Value {
    /// The broker does this and nothing else; asking for it is no mistake.
    Only(&'static str),
    /// A topic keeps a value of its own.
    Kept {
        /// Puts a value in its place; `None` if it cannot be.
        set: fn(&mut TopicSettings, &str) -> Option<()>,
        /// The value as text.
        show: fn(&TopicSettings) -> String,
    },
}

const AT_LEAST_0: &str = "a whole number, at least 0";
const AT_LEAST_1: &str = "a whole number, at least 1";
const BATCH_SIZE: &str =
    "a whole number from 61, the size of a batch's header, to 1073741824, 1 GiB";
/// An answer with one such batch must be below 2 GiB, the longest frame, in bytes.
const BATCH_SIZE_MAX: u32 = 1024 * 1024 * 1024;
const AT_LEAST_1024: &str = "a whole number, at least 1024";
const CLEANUP_POLICY: &str = "delete, compact, both with a comma in between, or nothing";
const OR_UNLIMITED: &str = "a whole number, at least 0, or -1 for no limit";

const SETTINGS: &[TopicSetting] = &[
    TopicSetting {
        name: "cleanup.policy",
        broker: "log.cleanup.policy",
        expected: CLEANUP_POLICY,
        value: Value::Kept {
            set: |settings, value| {
                settings.log.cleanup = parse_cleanup_policy(value)?;
                Some(())
            },
            show: |settings| show_cleanup_policy(settings.log.cleanup),
        },
    },
    TopicSetting {
        name: "compression.type",
        broker: "compression.type",
        expected: "producer: a batch stays as it was sent",
        value: Value::Only("producer"),
    },
    TopicSetting {
        name: "delete.retention.ms",
        broker: "log.cleaner.delete.retention.ms",
        expected: AT_LEAST_0,
        value: Value::Kept {
            set: |settings, value| {
                settings.log.compaction.delete_retention = parse_millis(value, 0)?;
                Some(())
            },
            show: |settings| to_millis(settings.log.compaction.delete_retention).to_string(),
        },
    },
    TopicSetting {
        name: "index.interval.bytes",
        broker: "log.index.interval.bytes",
        expected: AT_LEAST_0,
        value: Value::Kept {
            set: |settings, value| {
                settings.log.index_interval_bytes = parse_i32(value, 0)?;
                Some(())
            },
            show: |settings| settings.log.index_interval_bytes.to_string(),
        },
    },
    TopicSetting {
        name: "max.compaction.lag.ms",
        broker: "log.cleaner.max.compaction.lag.ms",
        expected: AT_LEAST_1,
        value: Value::Kept {
            set: |settings, value| {
                settings.log.compaction.max_lag = parse_millis(value, 1)?;
                Some(())
            },
            show: |settings| to_millis(settings.log.compaction.max_lag).to_string(),
        },
    },
    TopicSetting {
        name: "max.message.bytes",
        broker: "message.max.bytes",
        expected: BATCH_SIZE,
        value: Value::Kept {
            set: |settings, value| {
                let size = parse_i32(value, 61).filter(|size| *size <= BATCH_SIZE_MAX)?;
                settings.log.batch_size_max = size.try_into().ok()?;
                Some(())
            },
            show: |settings| settings.log.batch_size_max.to_string(),
        },
    },
    TopicSetting {
        name: "message.timestamp.after.max.ms",
        broker: "log.message.timestamp.after.max.ms",
        expected: AT_LEAST_0,
        value: Value::Kept {
            set: |settings, value| {
                let millis = value.parse::<i64>().ok()?;
                settings.timestamp_after_max = Duration::from_millis(u64::try_from(millis).ok()?);
                Some(())
            },
            show: |settings| to_millis(settings.timestamp_after_max).to_string(),
        },
    },
    TopicSetting {
        name: "message.timestamp.type",
        broker: "log.message.timestamp.type",
        expected: "CreateTime: records keep their producer's timestamps",
        value: Value::Only("CreateTime"),
    },
    TopicSetting {
        name: "min.cleanable.dirty.ratio",
        broker: "log.cleaner.min.cleanable.ratio",
        expected: "a number from 0 to 1",
        value: Value::Kept {
            set: |settings, value| {
                let ratio: f64 = value.parse().ok()?;
                settings.log.compaction.min_dirty_ratio =
                    (0.0..=1.0).contains(&ratio).then_some(ratio)?;
                Some(())
            },
            show: |settings| format!("{:?}", settings.log.compaction.min_dirty_ratio),
        },
    },
    TopicSetting {
        name: "min.compaction.lag.ms",
        broker: "log.cleaner.min.compaction.lag.ms",
        expected: AT_LEAST_0,
        value: Value::Kept {
            set: |settings, value| {
                settings.log.compaction.min_lag = parse_millis(value, 0)?;
                Some(())
            },
            show: |settings| to_millis(settings.log.compaction.min_lag).to_string(),
        },
    },
    TopicSetting {
        name: "min.insync.replicas",
        broker: "min.insync.replicas",
        expected: "1, the only replica",
        value: Value::Only("1"),
    },
    TopicSetting {
        name: "preallocate",
        broker: "log.preallocate",
        expected: "false",
        value: Value::Only("false"),
    },
    TopicSetting {
        name: "remote.storage.enable",
        broker: "remote.log.storage.system.enable",
        expected: "false: there is no remote storage",
        value: Value::Only("false"),
    },
    TopicSetting {
        name: "retention.bytes",
        broker: "log.retention.bytes",
        expected: OR_UNLIMITED,
        value: Value::Kept {
            set: |settings, value| {
                settings.log.retention.bytes = parse_or_unlimited(value)?;
                Some(())
            },
            show: |settings| show_or_unlimited(settings.log.retention.bytes),
        },
    },
    TopicSetting {
        name: "retention.ms",
        broker: "log.retention.ms",
        expected: OR_UNLIMITED,
        value: Value::Kept {
            set: |settings, value| {
                settings.log.retention.age = parse_or_unlimited(value)?.map(Duration::from_millis);
                Some(())
            },
            show: |settings| show_or_unlimited(settings.log.retention.age.map(to_millis)),
        },
    },
    TopicSetting {
        name: "segment.bytes",
        broker: "log.segment.bytes",
        expected: AT_LEAST_1024,
        value: Value::Kept {
            set: |settings, value| {
                settings.log.segment_bytes = parse_i32(value, 1024)?;
                Some(())
            },
            show: |settings| settings.log.segment_bytes.to_string(),
        },
    },
    TopicSetting {
        name: "segment.jitter.ms",
        broker: "log.roll.jitter.ms",
        expected: "0",
        value: Value::Only("0"),
    },
    TopicSetting {
        name: "segment.ms",
        broker: "log.roll.ms",
        expected: AT_LEAST_1,
        value: Value::Kept {
            set: |settings, value| {
                let millis = parse_or_unlimited(value)?.filter(|millis| *millis > 0)?;
                settings.log.segment_age = Duration::from_millis(millis);
                Some(())
            },
            show: |settings| to_millis(settings.log.segment_age).to_string(),
        },
    },
    TopicSetting {
        name: "unclean.leader.election.enable",
        broker: "unclean.leader.election.enable",
        expected: "false",
        value: Value::Only("false"),
    },
];

/// Changes one setting.
///
/// # Errors
/// When there is no such setting, or it cannot have that value.
pub fn set_topic_setting(
    settings: &mut TopicSettings,
    name: &str,
    value: &str,
) -> Result<(), SettingError> {
    let setting = SETTINGS
        .iter()
        .find(|setting| setting.name == name)
        .ok_or(SettingError::Unknown)?;
    let value = value.trim();
    let taken = match setting.value {
        Value::Only(only) => (value == only).then_some(()),
        Value::Kept { set, .. } => set(settings, value),
    };
    taken.ok_or(SettingError::Value {
        expected: setting.expected,
    })
}

/// All settings of a topic, name and value, by name.
#[must_use]
pub fn topic_settings(settings: &TopicSettings) -> Vec<(&'static str, String)> {
    SETTINGS
        .iter()
        .map(|setting| {
            let value = match setting.value {
                Value::Only(only) => only.to_owned(),
                Value::Kept { show, .. } => show(settings),
            };
            (setting.name, value)
        })
        .collect()
}

/// The broker's setting that a topic without its own follows.
pub(crate) fn broker_name(name: &str) -> Option<&'static str> {
    let mut settings = SETTINGS.iter();
    settings
        .find(|setting| setting.name == name)
        .map(|setting| setting.broker)
}

/// Kafka's type of these settings: what is above `i32::MAX` is no value.
fn parse_i32(value: &str, least: i32) -> Option<u32> {
    let number: i32 = value.parse().ok()?;
    (number >= least).then(|| number.unsigned_abs())
}

fn parse_millis(value: &str, least: u64) -> Option<Duration> {
    let millis = u64::try_from(value.parse::<i64>().ok()?).ok()?;
    (millis >= least).then(|| Duration::from_millis(millis))
}

/// The value of `cleanup.policy`: `delete`, `compact`, both with a comma in between, or
/// neither.
#[must_use]
pub fn parse_cleanup_policy(value: &str) -> Option<Cleanup> {
    let mut cleanup = Cleanup {
        delete: false,
        compact: false,
    };
    if value.trim().is_empty() {
        return Some(cleanup);
    }
    for policy in value.split(',') {
        let one = match policy.trim() {
            "delete" => &mut cleanup.delete,
            "compact" => &mut cleanup.compact,
            _ => return None,
        };
        *one = true;
    }
    Some(cleanup)
}

fn show_cleanup_policy(cleanup: Cleanup) -> String {
    let policies = [(cleanup.compact, "compact"), (cleanup.delete, "delete")];
    let policies = policies.iter().filter(|(is_set, _)| *is_set);
    let names: Vec<&str> = policies.map(|(_, name)| *name).collect();
    names.join(",")
}

/// `Some(None)` is -1: no limit.
fn parse_or_unlimited(value: &str) -> Option<Option<u64>> {
    match value.parse::<i64>().ok()? {
        -1 => Some(None),
        number => u64::try_from(number).ok().map(Some),
    }
}

fn show_or_unlimited(value: Option<u64>) -> String {
    value.map_or("-1".to_owned(), |value| value.to_string())
}

fn to_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
