//! The windows once more, the slow way: a list of panes, and no timers.

use super::part::{Added, Window};

/// How the windows of a history are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    pub(super) size: i64,
    /// `None`: sessions, with the size as their gap.
    pub(super) step: Option<i64>,
    pub(super) lateness: i64,
}

#[derive(Debug, Clone)]
struct Known {
    key: char,
    start: i64,
    end: i64,
    times: Vec<i64>,
    rows: u32,
    changed: bool,
}

impl Known {
    fn text(&self, content: &str) -> String {
        let (key, start, end, rows) = (self.key, self.start, self.end, self.rows);
        format!("{key}, {start}..{end}, revision {rows}: {content}")
    }
}

#[derive(Debug)]
pub(super) struct Model {
    rule: Rule,
    panes: Vec<Known>,
}

impl Model {
    pub(super) fn new(rule: Rule) -> Model {
        let panes = Vec::new();
        Model { rule, panes }
    }

    /// The windows of a record by itself.
    fn windows(&self, time: i64) -> Vec<(i64, i64)> {
        let Rule { size, step, .. } = self.rule;
        let Some(step) = step else {
            return vec![(time, time + size)];
        };
        let all = (time - size + 1..=time).filter(|start| start.rem_euclid(step) == 0);
        all.map(|start| (start, start + size)).collect()
    }

    /// Adds a record. Returns what becomes of it, and the rows that are withdrawn.
    pub(super) fn add(&mut self, watermark: i64, key: char, time: i64) -> (Added, Vec<String>) {
        let mut added = Added::default();
        let mut withdrawn = Vec::new();
        for (mut start, mut end) in self.windows(time) {
            let is_session = self.rule.step.is_none();
            let (parts, others): (Vec<_>, Vec<_>) = self.panes.drain(..).partition(|pane| {
                let joins = is_session && pane.start < end && start < pane.end;
                pane.key == key && (joins || (pane.start, pane.end) == (start, end))
            });
            self.panes = others;
            for part in &parts {
                (start, end) = (start.min(part.start), end.max(part.end));
            }
            if end.saturating_add(self.rule.lateness) <= watermark {
                self.panes.extend(parts);
                added.missed += 1;
                continue;
            }
            let mut whole = Known {
                key,
                start,
                end,
                times: vec![time],
                rows: 0,
                changed: true,
            };
            for part in parts {
                if (part.start, part.end) == (start, end) {
                    whole.rows = part.rows;
                } else if part.rows > 0 {
                    withdrawn.push((part.start, part.text("withdrawn")));
                }
                whole.times.extend(part.times);
            }
            self.panes.push(whole);
            added.counted += 1;
        }
        withdrawn.sort();
        let withdrawn = withdrawn.into_iter().map(|(_, text)| text).collect();
        (added, withdrawn)
    }

    /// The rows at a watermark, sorted as text.
    pub(super) fn advance(&mut self, watermark: i64) -> Vec<String> {
        let mut rows = Vec::new();
        for pane in &mut self.panes {
            if pane.changed && pane.end <= watermark {
                pane.times.sort_unstable();
                rows.push(pane.text(&format!("{:?}", pane.times)));
                pane.rows += 1;
                pane.changed = false;
            }
        }
        let lateness = self.rule.lateness;
        let is_open = |pane: &Known| pane.end.saturating_add(lateness) > watermark;
        self.panes.retain(is_open);
        rows.sort();
        rows
    }

    /// The windows that are open, by key and window: `a, 0..10`.
    pub(super) fn open(&self) -> Vec<String> {
        let mut panes: Vec<_> = self.panes.iter().collect();
        panes.sort_by_key(|pane| (pane.key, pane.start, pane.end));
        let panes = panes.into_iter();
        panes
            .map(|pane| format!("{}, {}..{}", pane.key, pane.start, pane.end))
            .collect()
    }

    /// The first watermark above this one at which there is something to emit, or to forget.
    pub(super) fn next(&self, watermark: i64) -> Option<i64> {
        let due = |pane: &Known| {
            let closes = pane.end.saturating_add(self.rule.lateness);
            let next = if pane.changed { pane.end } else { closes };
            next.max(watermark.saturating_add(1))
        };
        self.panes.iter().map(due).min()
    }
}

/// The sessions of all records at once, sorted as text: what the rows must come to.
pub(super) fn sessions(gap: i64, records: &[(char, i64)]) -> Vec<String> {
    let mut records = records.to_vec();
    records.sort_unstable();
    let mut sessions: Vec<(char, Window, Vec<i64>)> = Vec::new();
    for (key, time) in records {
        let own = super::shown::window(time, time + gap);
        match sessions.last_mut() {
            Some((of, window, times)) if *of == key && time < window.end.0 => {
                window.end = own.end;
                times.push(time);
            }
            _ => sessions.push((key, own, vec![time])),
        }
    }
    let text = |(key, window, times): (char, Window, Vec<i64>)| {
        format!("{key}, {}: {times:?}", super::shown::shown(window))
    };
    sessions.into_iter().map(text).collect()
}
