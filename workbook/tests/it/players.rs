//! The moving figures: what is on the page and what their traces say.
//!
//! `book/theme/player.js` says what a figure consists of.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;
use workbook::chapter::Workspace;

use crate::fixture::this_tree;

/// A moving figure of a page.
struct Figure {
    /// The page's name, and the number of the figure on it.
    name: String,
    html: String,
    trace: Value,
}

/// All moving figures, and the names of their traces.
fn figures(workspace: &Workspace) -> Vec<(Figure, String)> {
    let mut figures = Vec::new();
    let mut pages: Vec<_> = fs::read_dir(workspace.path("book/src"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension() == Some("md".as_ref()))
        .collect();
    pages.sort();
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        let name = page.file_name().unwrap().to_string_lossy().into_owned();
        let starts = text.split("<figure class=\"player\"").skip(1);
        for (number, rest) in starts.enumerate() {
            let html = rest.split_once("</figure>").unwrap().0.to_owned();
            let file = between(&html, "{{#include traces/", "}}")
                .unwrap()
                .to_owned();
            let trace = fs::read_to_string(workspace.path("book/src/traces").join(&file)).unwrap();
            let figure = Figure {
                name: format!("{name}, moving figure {}", number + 1),
                html,
                trace: with_always(serde_json::from_str(&trace).unwrap()),
            };
            figures.push((figure, file));
        }
    }
    figures
}

/// A trace in which each state has what all states have.
fn with_always(mut trace: Value) -> Value {
    let always = trace["always"].take();
    for state in trace["states"].as_object_mut().unwrap().values_mut() {
        for part in ["is", "moves"] {
            for (key, value) in always[part].as_object().into_iter().flatten() {
                let state = state[part].as_object_mut().unwrap();
                state.entry(key.as_str()).or_insert_with(|| value.clone());
            }
        }
    }
    trace
}

/// What is between the first `before` and the next `after`.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    Some(rest.split_once(after)?.0)
}

/// The values of an attribute, wherever it has one.
fn values<'a>(html: &'a str, attribute: &str) -> Vec<&'a str> {
    let before = format!("{attribute}=\"");
    let rests = html.split(before.as_str()).skip(1);
    rests.map(|rest| rest.split('"').next().unwrap()).collect()
}

/// As the player shows a value.
fn shown(value: &Value) -> String {
    match value {
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(", "),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

impl Figure {
    fn states(&self) -> impl Iterator<Item = &Value> {
        self.trace["states"].as_object().unwrap().values()
    }

    /// What the key is in some state, in a step or in an item of a list.
    fn values_of(&self, key: &str) -> BTreeSet<String> {
        let Some(key) = key.strip_prefix('.') else {
            return self
                .states()
                .filter_map(|state| state["is"].get(key))
                .map(shown)
                .collect();
        };
        if key == "move" {
            return self.moves();
        }
        let lists = self
            .states()
            .flat_map(|state| state["is"].as_object().unwrap().values());
        let items = lists.filter_map(Value::as_array).flatten();
        let of_items = items.filter_map(|item| item.get(key)).map(shown);
        let mut values: BTreeSet<_> = of_items.collect();
        values.extend(self.values_of(key));
        values
    }

    fn moves(&self) -> BTreeSet<String> {
        let moves = self
            .states()
            .flat_map(|state| state["moves"].as_object().unwrap().keys());
        moves.cloned().collect()
    }

    /// Walks the steps of a table, and compares what it says of each.
    fn walk(&self, table: &str) {
        let start = table.split('"').next().unwrap();
        let mut at = self.trace["starts"][start].as_str().unwrap_or_else(|| {
            panic!(
                "{}: a table begins at `{start}`, which is no start",
                self.name
            )
        });
        for row in table.split("<tr data-move=\"").skip(1) {
            let row = row.split("</tr>").next().unwrap();
            let (step, cells) = row.split_once('"').unwrap();
            let next = &self.trace["states"][at]["moves"][step];
            at = next
                .as_str()
                .unwrap_or_else(|| panic!("{}: at {at} there is no {step}", self.name));
            for cell in cells.split("<td").skip(1) {
                let Some(key) = between(cell, "data-key=\"", "\"") else {
                    continue;
                };
                let is = shown(&self.trace["states"][at]["is"][key]);
                let said = between(cell, "data-value=\"", "\"").or(between(cell, ">", "</td>"));
                assert_eq!(
                    said,
                    Some(is.as_str()),
                    "{}: {key} after {step}: {row}",
                    self.name
                );
            }
        }
    }
}

#[test]
fn the_tables_of_the_moving_figures_say_what_their_traces_say() {
    for (figure, _) in figures(&this_tree()) {
        let (_, strip) = figure.html.split_once("<div class=\"strip\">").unwrap();
        let tables: Vec<_> = strip.split("<table data-start=\"").skip(1).collect();
        assert!(!tables.is_empty(), "{}: no table of steps", figure.name);
        for table in tables {
            figure.walk(table);
        }
    }
}

#[test]
fn what_a_moving_figure_shows_is_in_its_trace() {
    for (figure, _) in figures(&this_tree()) {
        let name = &figure.name;
        let (html, _) = figure.html.split_once("<div class=\"strip\">").unwrap();
        let bound = ["data-text", "data-is", "data-at", "data-press"];
        let bound = bound.iter().flat_map(|attribute| values(html, attribute));
        for key in bound.flat_map(str::split_whitespace) {
            assert!(
                !figure.values_of(key).is_empty(),
                "{name}: no state has `{key}`"
            );
        }
        for mark in values(html, "data-mark") {
            let (key, wanted) = mark.split_once('=').unwrap();
            let all = figure.values_of(key);
            let is_there = match wanted.strip_prefix('.') {
                Some(_) => !all.is_disjoint(&figure.values_of(wanted)),
                None => all.contains(wanted),
            };
            assert!(is_there, "{name}: `{key}` is never `{wanted}`");
        }
        for when in values(html, "data-when") {
            let (key, wanted) = when.split_once('=').unwrap();
            let all = figure.values_of(key);
            for wanted in wanted.split('|') {
                assert!(all.contains(wanted), "{name}: `{key}` is never `{wanted}`");
            }
        }
        let buttons: BTreeSet<_> = values(html, "data-move")
            .into_iter()
            .map(str::to_owned)
            .collect();
        let pressed = values(html, "data-press").into_iter();
        let buttons: BTreeSet<_> = pressed
            .flat_map(|key| figure.values_of(key))
            .chain(buttons)
            .collect();
        let mut moves = figure.moves();
        // The player has a button of its own for it.
        moves.remove("next");
        assert_eq!(buttons, moves, "{name}: the buttons and the moves");
    }
}

#[test]
fn every_trace_is_on_a_page() {
    let workspace = this_tree();
    let shown: BTreeSet<_> = figures(&workspace)
        .into_iter()
        .map(|(_, file)| file)
        .collect();
    let kept: BTreeSet<_> = fs::read_dir(workspace.path("book/src/traces"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(shown, kept);
}
