//! The settings of a topic, under Kafka's names: the one place that knows them.

use std::time::Duration;

use log_storage::LogConfig;

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
}

/// One row of the table.
struct TopicSetting {
    name: &'static str,
    /// The setting of the broker that holds for topics without their own.
    broker: &'static str,
    /// What the value can be, in words.
    expected: &'static str,
    /// Puts a value in its place; `None` if it cannot be.
    set: fn(&mut LogConfig, &str) -> Option<()>,
    /// The value as text.
    show: fn(&LogConfig) -> String,
}

const AT_LEAST_0: &str = "a whole number, at least 0";
const AT_LEAST_1: &str = "a whole number, at least 1";
const AT_LEAST_61: &str = "a whole number, at least 61, the size of a batch's header";
const AT_LEAST_1024: &str = "a whole number, at least 1024";
const OR_UNLIMITED: &str = "a whole number, at least 0, or -1 for no limit";

const SETTINGS: &[TopicSetting] = &[
    TopicSetting {
        name: "cleanup.policy",
        broker: "log.cleanup.policy",
        expected: "delete",
        set: |_, value| (value == "delete").then_some(()),
        show: |_| "delete".to_owned(),
    },
    TopicSetting {
        name: "compression.type",
        broker: "compression.type",
        expected: "producer: a batch stays as it was sent",
        set: |_, value| (value == "producer").then_some(()),
        show: |_| "producer".to_owned(),
    },
    TopicSetting {
        name: "index.interval.bytes",
        broker: "log.index.interval.bytes",
        expected: AT_LEAST_0,
        set: |config, value| {
            config.index_interval_bytes = parse_i32(value, 0)?;
            Some(())
        },
        show: |config| config.index_interval_bytes.to_string(),
    },
    TopicSetting {
        name: "max.message.bytes",
        broker: "message.max.bytes",
        expected: AT_LEAST_61,
        set: |config, value| {
            config.batch_size_max = parse_i32(value, 61).and_then(|size| size.try_into().ok())?;
            Some(())
        },
        show: |config| config.batch_size_max.to_string(),
    },
    TopicSetting {
        name: "message.timestamp.type",
        broker: "log.message.timestamp.type",
        expected: "CreateTime: records keep their producer's timestamps",
        set: |_, value| (value == "CreateTime").then_some(()),
        show: |_| "CreateTime".to_owned(),
    },
    TopicSetting {
        name: "retention.bytes",
        broker: "log.retention.bytes",
        expected: OR_UNLIMITED,
        set: |config, value| {
            config.retention.bytes = parse_or_unlimited(value)?;
            Some(())
        },
        show: |config| show_or_unlimited(config.retention.bytes),
    },
    TopicSetting {
        name: "retention.ms",
        broker: "log.retention.ms",
        expected: OR_UNLIMITED,
        set: |config, value| {
            config.retention.age = parse_or_unlimited(value)?.map(Duration::from_millis);
            Some(())
        },
        show: |config| show_or_unlimited(config.retention.age.map(to_millis)),
    },
    TopicSetting {
        name: "segment.bytes",
        broker: "log.segment.bytes",
        expected: AT_LEAST_1024,
        set: |config, value| {
            config.segment_bytes = parse_i32(value, 1024)?;
            Some(())
        },
        show: |config| config.segment_bytes.to_string(),
    },
    TopicSetting {
        name: "segment.ms",
        broker: "log.roll.ms",
        expected: AT_LEAST_1,
        set: |config, value| {
            let millis = parse_or_unlimited(value)?.filter(|millis| *millis > 0)?;
            config.segment_age = Duration::from_millis(millis);
            Some(())
        },
        show: |config| to_millis(config.segment_age).to_string(),
    },
];

/// Changes one setting.
///
/// # Errors
/// When there is no such setting, or it cannot have that value.
pub fn set_topic_setting(
    config: &mut LogConfig,
    name: &str,
    value: &str,
) -> Result<(), SettingError> {
    let setting = SETTINGS
        .iter()
        .find(|setting| setting.name == name)
        .ok_or(SettingError::Unknown)?;
    (setting.set)(config, value.trim()).ok_or(SettingError::Value {
        expected: setting.expected,
    })
}

/// All settings of a topic, name and value, by name.
#[must_use]
pub fn topic_settings(config: &LogConfig) -> Vec<(&'static str, String)> {
    SETTINGS
        .iter()
        .map(|setting| (setting.name, (setting.show)(config)))
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
