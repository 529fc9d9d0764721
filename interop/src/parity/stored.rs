//! What Kafka answered, in files: one for each part of the corpus.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::exchange::{Course, Exchange, Step};
use super::fields::{hex, unhex};

/// What the files' names end with.
const SUFFIX: &str = ".exchanges.json";

/// An exchange with Kafka's answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Judged {
    /// The exchange's name.
    pub name: String,
    /// What it asks.
    pub about: String,
    /// Its requests and their answers.
    pub steps: Vec<JudgedStep>,
}

/// A request and Kafka's answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JudgedStep {
    /// The number of the API.
    pub api: i16,
    /// Its version.
    pub version: i16,
    /// What it has to do with the other steps.
    #[serde(flatten)]
    pub course: Course,
    /// The request's fields.
    pub request: Value,
    /// The request's bytes, without the length in front.
    pub hex: String,
    /// Whether there is an answer to wait for.
    pub answered: bool,
    /// Kafka's answer, normalised.
    pub kafka: Value,
}

impl Judged {
    /// `exchange` with the answers to its steps.
    #[must_use]
    pub fn new(exchange: &Exchange, answers: Vec<Value>) -> Judged {
        let steps = exchange.steps.iter().zip(answers);
        Judged {
            name: exchange.name.to_owned(),
            about: exchange.about.to_owned(),
            steps: steps
                .map(|(step, kafka)| JudgedStep {
                    api: step.api,
                    version: step.version,
                    course: step.course.clone(),
                    request: step.fields.clone(),
                    hex: hex(&step.frame),
                    answered: step.answered,
                    kafka,
                })
                .collect(),
        }
    }

    /// `FILE/NAME`, for an exchange of the file at `path`.
    #[must_use]
    pub fn full_name(&self, path: &Path) -> String {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        format!("{}/{}", file.trim_end_matches(SUFFIX), self.name)
    }

    /// The requests, to be sent again.
    ///
    /// # Errors
    /// When the hex is none.
    pub fn requests(&self) -> Result<Vec<Step>> {
        let steps = self.steps.iter().map(|step| {
            Ok(Step {
                api: step.api,
                version: step.version,
                fields: step.request.clone(),
                frame: unhex(&step.hex).context("hex")?,
                answered: step.answered,
                course: step.course.clone(),
            })
        });
        steps.collect()
    }
}

/// The stored files, in the order of their names.
///
/// # Errors
/// When the folder cannot be listed.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).context("listing the stored answers")? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(SUFFIX) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The exchanges of one file.
///
/// # Errors
/// When it cannot be read.
pub fn read(path: &Path) -> Result<Vec<Judged>> {
    let text = fs::read_to_string(path)?;
    serde_json::from_str(&text).with_context(|| path.display().to_string())
}

/// Replaces the file.
///
/// # Errors
/// When it cannot be written.
pub fn write(path: &Path, judged: &[Judged]) -> Result<()> {
    // A line for each request and for each answer: what changes can be seen.
    let exchanges = judged.iter().map(|exchange| {
        let steps = exchange.steps.iter().map(|step| {
            let text = serde_json::to_string(step)?;
            let text = text.replace(",\"hex\":", ",\n    \"hex\":");
            Ok(text.replace(",\"kafka\":", ",\n    \"kafka\":"))
        });
        let steps = steps.collect::<Result<Vec<String>>>()?;
        Ok(format!(
            "{{\"name\": {}, \"about\": {}, \"steps\": [\n  {}\n]}}",
            serde_json::to_string(&exchange.name)?,
            serde_json::to_string(&exchange.about)?,
            steps.join(",\n  ")
        ))
    });
    let exchanges = exchanges.collect::<Result<Vec<String>>>()?;
    let text = format!("[\n{}\n]\n", exchanges.join(",\n\n"));
    fs::write(path, text).with_context(|| path.display().to_string())
}
