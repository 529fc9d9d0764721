//! What of an answer is compared.
//!
//! - Fields of replication and of later versions than the corpus asks for go, and so do
//!   topic ids of zeros.
//! - `error_message` and `documentation` go: each broker has its own words.
//! - Ports, cluster ids, topic ids, fetch session ids and new producer ids become a word that says
//!   whether there was one.
//! - Member ids are the names that the exchange gives them. An id without a name stays.
//! - Where all topics or groups are asked for, those that are not called after the exchange go.
//! - Producer ids are the numbers that the exchange gives them. The times of markers and
//!   transactions become a word.
//! - The path of a log directory and the size of its volume become a word.
//! - Lists are sorted, except in Fetch: Kafka's order comes from hash maps.
//! - Settings are keyed by their names.
//! - `log_start_offset` of a refused produce goes; no `aborted_transactions` are
//!   an empty list; of ApiVersions, only the error is compared.
//! - Records are their batches, field by field; a last batch that `max_bytes` has cut goes.

use kafka_protocol::messages::ApiKey;
use serde_json::{Map, Value, json};

use super::batch;
use super::fields::unhex;

/// Every marker is later: a day behind the records of the exchanges.
const OLDEST_MARKER: i64 = batch::TIMESTAMP + 86_400_000;

/// `value` with what the two brokers may differ in taken out.
pub(crate) fn normalise(api: ApiKey, value: Value) -> Value {
    match value {
        Value::Object(entries) => Value::Object(object(api, entries)),
        Value::Array(items) => {
            let mut items: Vec<Value> =
                items.into_iter().map(|item| normalise(api, item)).collect();
            if api != ApiKey::Fetch {
                items.sort_by_cached_key(sort_key);
            }
            Value::Array(items)
        }
        other => other,
    }
}

/// Takes topics and groups that are not called after `exchange` out of an answer about all.
pub(crate) fn keep_own(api: ApiKey, exchange: &str, request: &Value, answer: &mut Value) {
    let all = request["topics"].is_null();
    match api {
        ApiKey::ListGroups => keep(&mut answer["groups"], "group_id", exchange),
        ApiKey::ListTransactions => {
            keep(
                &mut answer["transaction_states"],
                "transactional_id",
                exchange,
            );
        }
        ApiKey::Metadata if all => keep(&mut answer["topics"], "name", exchange),
        ApiKey::DescribeLogDirs if all => {
            for folder in answer["results"].as_array_mut().into_iter().flatten() {
                keep(&mut folder["topics"], "name", exchange);
            }
        }
        _ => {}
    }
}

fn keep(list: &mut Value, name: &str, exchange: &str) {
    if let Value::Array(items) = list {
        items.retain(|item| {
            let called = item[name].as_str();
            called.is_some_and(|called| called.starts_with(exchange))
        });
    }
}

fn object(api: ApiKey, entries: Map<String, Value>) -> Map<String, Value> {
    let refused = entries.get("error_code").is_some_and(|code| *code != 0);
    let mut normal = Map::new();
    for (name, value) in entries {
        let value = match (name.as_str(), &value) {
            ("current_leader" | "snapshot_id" | "node_endpoints", _) => continue,
            ("diverging_epoch", _) if value["epoch"] == -1 => continue,
            ("topic_id", Value::String(id)) if !id.contains(|digit| !"0-".contains(digit)) => {
                continue;
            }
            ("error_message" | "documentation" | "config_documentation", _) => continue,
            ("log_start_offset", _) if api == ApiKey::Produce && refused => continue,
            (other, _) if api == ApiKey::ApiVersions && other != "error_code" => continue,
            ("port", _) => json!("(a port)"),
            ("session_id", Value::Number(id)) if id.as_i64() != Some(0) => json!("(an id)"),
            ("cluster_id", Value::String(_)) => json!("(an id)"),
            ("topic_id", Value::String(_)) => json!("(an id)"),
            ("producer_id", Value::Number(id))
                if api == ApiKey::InitProducerId && id.as_i64() >= Some(0) =>
            {
                json!("(an id)")
            }
            ("transaction_start_time_ms", Value::Number(time)) if time.as_i64() > Some(0) => {
                json!("(a time)")
            }
            // A marker's; the records of the exchanges are older.
            ("last_timestamp", Value::Number(time)) if time.as_i64() > Some(OLDEST_MARKER) => {
                json!("(a time)")
            }
            ("timestamp", Value::Number(time))
                if api == ApiKey::ListOffsets && time.as_i64() > Some(OLDEST_MARKER) =>
            {
                json!("(a time)")
            }
            ("log_dir", _) => json!("(a path)"),
            ("total_bytes" | "usable_bytes", Value::Number(size)) if size.as_i64() > Some(0) => {
                json!("(a size)")
            }
            ("aborted_transactions", Value::Null) => json!([]),
            ("records", Value::String(hex)) => batch::read(&unhex(hex).unwrap_or_default()),
            ("records", Value::Null) if api == ApiKey::Fetch => json!([]),
            ("configs", Value::Array(configs)) => by_name(api, configs),
            _ => normalise(api, value),
        };
        normal.insert(name, value);
    }
    normal
}

fn by_name(api: ApiKey, configs: &[Value]) -> Value {
    let keyed = configs.iter().map(|config| {
        let name = config["name"].as_str().unwrap_or_default().to_owned();
        (name, normalise(api, config.clone()))
    });
    Value::Object(keyed.collect())
}

/// A number sorts by its value among the like.
fn sort_key(value: &Value) -> (String, i64) {
    let text = [
        "name",
        "topic",
        "resource_name",
        "group_id",
        "key",
        "member_id",
        "transactional_id",
        "producer_id",
    ]
    .iter()
    .find_map(|name| value[*name].as_str());
    let number = ["partition_index", "partition", "index", "node_id"]
        .iter()
        .find_map(|name| value[*name].as_i64());
    (text.unwrap_or_default().to_owned(), number.unwrap_or(0))
}
