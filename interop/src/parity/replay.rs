//! The stored exchanges are sent to mqd.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::ask::ask;
use super::difference::{Deliberate, Difference, compare};
use super::stored::Judged;

/// One field of an answer that is not as Kafka's.
#[derive(Debug, Clone)]
pub struct Replayed {
    /// `FILE/NAME` of the exchange.
    pub exchange: String,
    /// What the exchange asks.
    pub about: String,
    /// The number of the step, from 0.
    pub step: usize,
    /// The field.
    pub difference: Difference,
    /// Why it is meant; `None` is a bug.
    pub because: Option<String>,
}

/// Sends `exchanges` of the file at `path` to the broker at `address`, and returns where its
/// answers are not Kafka's.
///
/// # Errors
/// When the broker cannot be asked.
pub fn replay(
    address: SocketAddr,
    path: &Path,
    exchanges: &[Judged],
    meant: &[Deliberate],
) -> Result<Vec<Replayed>> {
    let mut found = Vec::new();
    for judged in exchanges {
        let name = judged.full_name(path);
        let answers = ask(address, &judged.name, &judged.requests()?);
        let answers = answers.with_context(|| name.clone())?;
        for (step, (stored, answer)) in judged.steps.iter().zip(&answers).enumerate() {
            for difference in compare(&stored.kafka, answer) {
                let because = meant
                    .iter()
                    .find(|meant| meant.covers(&name, step, &difference));
                found.push(Replayed {
                    exchange: name.clone(),
                    about: judged.about.clone(),
                    step,
                    because: because.map(|meant| meant.because.clone()),
                    difference,
                });
            }
        }
    }
    Ok(found)
}
