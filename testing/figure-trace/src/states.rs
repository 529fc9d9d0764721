//! All that can follow on a story, as the states of a trace.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// A story that goes on in steps, of which the reader chooses the next one. It ends after a
/// few, whichever are chosen.
pub trait Story {
    /// The name of a step.
    type Step: AsRef<str>;

    /// What can happen now.
    fn moves(&self) -> Vec<Self::Step>;
    /// One of the [moves](Story::moves) happens.
    fn make(&mut self, step: &str);
    /// What the figure shows now.
    fn is(&self) -> Value;
}

/// The states of one or more stories; those that look and go on alike are one.
#[derive(Debug, Default)]
pub struct States {
    names: BTreeMap<String, String>,
    states: Map<String, Value>,
}

impl States {
    /// Adds all that can follow on the story that begins so, and returns the name of its
    /// first state.
    pub fn of<S: Story>(&mut self, begin: impl Fn() -> S) -> String {
        self.after(&begin, &mut Vec::new())
    }

    /// The name of the state in which these steps end.
    fn after<S: Story>(&mut self, begin: &impl Fn() -> S, steps: &mut Vec<S::Step>) -> String {
        let mut story = begin();
        for step in &*steps {
            story.make(step.as_ref());
        }
        let mut moves = Map::new();
        for step in story.moves() {
            let name = step.as_ref().to_owned();
            steps.push(step);
            let next = self.after(begin, steps);
            moves.insert(name, json!(next));
            steps.pop();
        }
        self.add(&story.is(), &moves)
    }

    /// Adds a state, from which moves lead to others, and returns its name.
    pub fn add(&mut self, is: &Value, moves: &Map<String, Value>) -> String {
        let state = json!({ "is": is, "moves": moves });
        let count = self.names.len();
        let name = self.names.entry(state.to_string());
        let name = name.or_insert_with(|| count.to_string()).clone();
        self.states.insert(name.clone(), state);
        name
    }

    /// Returns all states by their names, as a trace has them.
    #[must_use]
    pub fn by_name(self) -> Map<String, Value> {
        self.states
    }
}
