//! How many bytes a record of an access log costs: as JSON, and in batches of
//! 1, 10, 100 and 1,000 records.

use message_model::Timestamp;
use record_batch::{BatchBuilder, Header, RecordToSend};

const RECORDS: usize = 1000;

fn main() {
    let lines: Vec<String> = (0..RECORDS).map(line).collect();
    let payload: usize = lines.iter().map(|line| line.len() + ip(line).len()).sum();
    println!("{RECORDS} records; key and value alone have {payload} bytes.\n");
    println!("{:<24}{:>9}{:>22}", "", "bytes", "overhead per record");
    show("JSON, one per line", json(&lines), payload);
    for per_batch in [1, 10, 100, 1000] {
        let bytes = lines.chunks(per_batch).map(batch_size).sum();
        show(&format!("batches of {per_batch}"), bytes, payload);
    }
}

/// An access-log line of a made-up visitor.
fn line(number: usize) -> String {
    let host = number * 7 % 250;
    let size = number * 31 % 5000;
    format!(
        "192.0.2.{host} - - [17/May/2015:10:05:{:02} +0000] \"GET /page/{number} HTTP/1.1\" 200 {size}",
        number / 20
    )
}

fn ip(line: &str) -> &str {
    line.split(' ').next().unwrap_or_default()
}

fn timestamp(number: usize) -> i64 {
    1_431_857_100_000 + i64::try_from(number).unwrap_or(0) * 50
}

fn json(lines: &[String]) -> usize {
    let of_one = |(number, line): (usize, &String)| {
        let record = serde_json::json!({
            "offset": number,
            "timestamp": timestamp(number),
            "key": ip(line),
            "value": line,
            "headers": { "line": number.to_string() },
        });
        record.to_string().len() + 1
    };
    lines.iter().enumerate().map(of_one).sum()
}

fn batch_size(lines: &[String]) -> usize {
    let mut builder = BatchBuilder::new();
    for (number, line) in lines.iter().enumerate() {
        builder.push(&RecordToSend {
            timestamp: Timestamp(timestamp(number)),
            key: Some(ip(line).as_bytes()),
            value: Some(line.as_bytes()),
            headers: vec![Header {
                key: "line",
                value: Some(number.to_string().as_bytes()),
            }],
        });
    }
    builder.size()
}

fn show(name: &str, bytes: usize, payload: usize) {
    let tenths = (bytes - payload) * 10 / RECORDS;
    println!("{name:<24}{bytes:>9}{:>20}.{}", tenths / 10, tenths % 10);
}
