//! The service that greets.

use serde::{Deserialize, Serialize};

/// Greets.
#[rpc::service]
pub trait HelloService {
    /// Returns a greeting for `name`.
    #[rpc(idempotent)]
    async fn hello(&self, name: String) -> Result<String, HelloError>;
    /// Returns a greeting for each of `names`.
    fn hello_all(&self, names: Vec<String>) -> impl Stream<Item = String>;
}

/// Why nobody is greeted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum HelloError {
    /// The name is empty.
    NoName,
}

impl std::fmt::Display for HelloError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the name is empty")
    }
}
