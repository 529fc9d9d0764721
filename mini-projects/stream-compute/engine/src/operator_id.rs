//! The names of operators.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The name of an operator, given by the job, and the name of its state in a checkpoint. So
/// state is found again after the job was changed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct OperatorId(Arc<str>);

impl From<&str> for OperatorId {
    fn from(name: &str) -> OperatorId {
        OperatorId(name.into())
    }
}

impl From<String> for OperatorId {
    fn from(name: String) -> OperatorId {
        OperatorId(name.into())
    }
}

impl From<OperatorId> for String {
    fn from(id: OperatorId) -> String {
        id.0.as_ref().to_owned()
    }
}

impl fmt::Display for OperatorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
