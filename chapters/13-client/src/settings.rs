//! How a client behaves.

use std::time::Duration;

/// The settings of a client. The names in the comments are those of Kafka's.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What the client calls itself in every request: `client.id`.
    pub client_id: String,
    /// How long a call without a deadline of its own may take: finding the broker,
    /// connecting and the answer together.
    pub patience: Duration,
    /// How long one attempt to connect may take: `socket.connection.setup.timeout.ms`.
    pub connect_patience: Duration,
    /// The longest time that an answer about topics and coordinators is believed:
    /// `metadata.max.age.ms`.
    pub metadata_max_age: Duration,
    /// The pause after the first failure, before jitter: `retry.backoff.ms`.
    pub backoff_first: Duration,
    /// The longest pause between two attempts: `retry.backoff.max.ms`.
    pub backoff_max: Duration,
}

impl Default for Settings {
    /// Kafka's defaults: 30 s a call, 10 s to connect, 5 min for metadata, 100 ms to 1 s between attempts.
    fn default() -> Settings {
        Settings {
            client_id: "client".to_owned(),
            patience: Duration::from_secs(30),
            connect_patience: Duration::from_secs(10),
            metadata_max_age: Duration::from_secs(300),
            backoff_first: Duration::from_millis(100),
            backoff_max: Duration::from_secs(1),
        }
    }
}
