//! The form of a chapter's page, and what stands on pages and elsewhere too.

use std::fs;

use workbook::chapter::{Chapter, Workspace};
use workbook::tasks::{self, Task};

use crate::fixture::this_tree;

/// The sections of a page, in this order; in brackets what not every page needs.
const SECTIONS: [&str; 10] = [
    "The problem, seen",
    "Predict",
    "The idea",
    "How this crate does it",
    "Your part",
    "Break it",
    "(What it costs)",
    "What real systems do",
    "Questions",
    "Read the real thing",
];
/// Words that somebody reads in a minute who wants to understand them.
const WORDS_A_MINUTE: usize = 180;
/// By how many minutes the header may be beside the count: it is a round number.
const READING_SLACK: usize = 4;

fn page(workspace: &Workspace, chapter: &Chapter) -> String {
    fs::read_to_string(workspace.path(chapter.page())).unwrap()
}

/// The lines between the title and the first blank line behind it, as one.
fn header(page: &str) -> String {
    let lines = page.lines().skip(2).take_while(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" ")
}

/// The number before ` minutes`, behind `label`.
fn minutes_behind(text: &str, label: &str) -> usize {
    let (_, behind) = text.split_once(label).unwrap();
    behind.split(' ').next().unwrap().parse().unwrap()
}

fn starred(task: &Task) -> String {
    match task.stars {
        0 => task.id.to_string(),
        stars => format!("{} {}", task.id, "★".repeat(stars.into())),
    }
}

#[test]
fn every_page_has_the_sections_in_their_order() {
    let workspace = this_tree();
    for chapter in workspace.chapters().unwrap() {
        let page = page(&workspace, &chapter);
        let found: Vec<_> = page
            .lines()
            .filter_map(|line| line.strip_prefix("## "))
            .collect();
        let wanted = SECTIONS.iter().filter_map(|section| {
            let optional = section.trim_matches(['(', ')']);
            (optional == *section || found.contains(&optional)).then_some(optional)
        });
        assert_eq!(found, wanted.collect::<Vec<_>>(), "{}", chapter.folder);
    }
}

#[test]
fn every_page_has_the_stars_and_minutes_of_its_tasks() {
    let workspace = this_tree();
    for chapter in workspace.chapters().unwrap() {
        let page = page(&workspace, &chapter);
        let header = header(&page);
        for task in tasks::tasks(&workspace, &chapter).unwrap() {
            let (starred, minutes) = (starred(&task), task.minutes);
            let wanted = format!("{starred} ({minutes} minutes)");
            assert!(header.contains(&wanted), "{}: {wanted}", chapter.folder);
            let item = format!("- **{starred} ");
            let item = page.lines().find(|line| line.starts_with(&item));
            let item = item.unwrap_or_else(|| panic!("{}: no item", task.id));
            assert!(
                item.contains(&format!("{minutes} minutes)")),
                "{}: {item}",
                chapter.folder
            );
        }
    }
}

/// What a reader reads: the words outside of code and folded text, and a minute for
/// each figure, table, piece of code and output.
fn reading_minutes(page: &str) -> usize {
    let (mut words, mut to_look_at) = (0, 0);
    let (mut in_code, mut in_details, mut in_table) = (false, false, false);
    for line in page.lines() {
        let trimmed = line.trim_start();
        if trimmed.starts_with("```") {
            in_code = !in_code;
            let is_command = trimmed.starts_with("```sh");
            to_look_at += usize::from(in_code && !in_details && !is_command);
        }
        in_details |= trimmed.starts_with("<details>");
        let is_row = trimmed.starts_with('|');
        if !in_code && !in_details {
            words += line.split_whitespace().count();
            to_look_at += usize::from(trimmed.starts_with("![") || is_row && !in_table);
        }
        in_details &= !trimmed.ends_with("</details>");
        in_table = is_row;
    }
    words / WORDS_A_MINUTE + to_look_at
}

#[test]
fn every_page_says_how_long_it_takes_to_read() {
    let workspace = this_tree();
    for chapter in workspace.chapters().unwrap() {
        let page = page(&workspace, &chapter);
        let said = minutes_behind(&header(&page), "Reading: ");
        let counted = reading_minutes(&page);
        assert!(
            said.abs_diff(counted) <= READING_SLACK,
            "{}: the page says {said} minutes, counted are {counted}",
            chapter.folder
        );
    }
}

/// `1.1 ★, 1.2` or `4.1 to 4.4`: the minutes of them all.
fn sum(text: &str, tasks: &[Task]) -> u32 {
    let ids: Vec<String> = tasks.iter().map(|task| task.id.to_string()).collect();
    let at = |id: &str| ids.iter().position(|known| known == id.trim()).unwrap();
    let minutes = |at: usize| tasks[at].minutes;
    match text.split_once(" to ") {
        Some((first, last)) => (at(first)..=at(last)).map(minutes).sum(),
        None => {
            let named = text.split(',').map(|id| id.trim_end_matches(['★', ' ']));
            named.map(at).map(minutes).sum()
        }
    }
}

#[test]
fn the_evenings_add_up() {
    let workspace = this_tree();
    let roads = fs::read_to_string(workspace.path("book/src/roads.md")).unwrap();
    let mut tasks_all = Vec::new();
    for chapter in workspace.chapters().unwrap() {
        tasks_all.extend(tasks::tasks(&workspace, &chapter).unwrap());
        let name = chapter.page();
        let name = name.file_name().unwrap().to_str().unwrap();
        let mut rows = roads.lines().filter(|line| line.starts_with('|'));
        let row = rows.find(|line| line.contains(name)).unwrap();
        let reading: usize = row.split('|').nth(3).unwrap().trim().parse().unwrap();
        let said = minutes_behind(&header(&page(&workspace, &chapter)), "Reading: ");
        assert_eq!(reading, said, "{row}");
    }
    let mut evenings = 0;
    for row in roads.lines() {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let [_, evening, _, _, named, minutes, _] = cells[..] else {
            continue;
        };
        if evening.parse::<u32>().is_ok() && !minutes.is_empty() {
            assert_eq!(minutes, sum(named, &tasks_all).to_string(), "{row}");
            evenings += 1;
        }
    }
    assert_eq!(evenings, 9, "rows with tasks");
}

#[test]
fn the_printed_message_says_the_line_of_the_hole() {
    let workspace = this_tree();
    let file = "05-record-batch/src/assign.rs";
    // Up to its first hole a stub is the solution, so the line is the same.
    let solution = fs::read_to_string(workspace.path("solutions").join(file)).unwrap();
    let title = solution.lines().position(|line| line.contains("// task"));
    let hole = title.unwrap() + 2;
    let page = fs::read_to_string(workspace.path("book/src/exercises.md")).unwrap();
    let wanted = format!("exercises/{file}:{hole}:5");
    assert!(page.contains(&wanted), "exercises.md: {wanted}");
}

#[test]
fn the_editors_page_has_the_settings_that_are_there() {
    let workspace = this_tree();
    let settings = fs::read_to_string(workspace.path(".vscode/settings.json")).unwrap();
    let page = fs::read_to_string(workspace.path("book/src/editors.md")).unwrap();
    let settings = settings.lines().filter_map(|line| {
        let (name, value) = line.trim().trim_end_matches(',').split_once(": ")?;
        let name = name.trim_matches('"');
        name.starts_with("rust-analyzer.").then_some((name, value))
    });
    let mut found = 0;
    for (name, value) in settings {
        let row = format!("| `{name}` | `{value}` |");
        assert!(page.contains(&row), "editors.md: {row}");
        let last = name.rsplit('.').next().unwrap();
        let item = format!("\"{last}\": {value}");
        assert!(page.contains(&item), "editors.md: {item}");
        found += 1;
    }
    assert_eq!(found, page.matches("| `rust-analyzer.").count());
}

#[test]
fn the_readme_has_every_chapter() {
    let workspace = this_tree();
    let readme = fs::read_to_string(workspace.path("README.md")).unwrap();
    for group in ["chapters", "mini-projects"] {
        for entry in fs::read_dir(workspace.path(group)).unwrap() {
            let link = format!("({group}/{})", entry.unwrap().file_name().display());
            assert!(readme.contains(&link), "README.md: {link}");
        }
    }
}
