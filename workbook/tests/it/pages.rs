//! The form of a chapter's page, and what is both on pages and elsewhere.

use std::fs;

use workbook::chapter::{Chapter, Workspace};
use workbook::tasks::{self, Task};

use crate::fixture::{taught, this_tree};

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
/// Words that a reader takes in in a minute, to understand them.
const WORDS_A_MINUTE: usize = 180;
/// By how many minutes the header may be beside the count: it is a round number.
const READING_SLACK: usize = 4;

/// Name and text of the pages of a chapter, its own first. Others begin with its number.
fn pages(workspace: &Workspace, chapter: &Chapter) -> Vec<(String, String)> {
    let prefix = format!("{}-", chapter.number());
    let own = format!("{}.md", chapter.folder);
    let folder = fs::read_dir(workspace.path("book/src")).unwrap();
    let names = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names
        .filter(|name| name.starts_with(&prefix) && name.ends_with(".md"))
        .collect();
    names.sort_by_key(|name| (*name != own, name.clone()));
    let read = |name: &String| fs::read_to_string(workspace.path("book/src").join(name)).unwrap();
    names
        .iter()
        .map(|name| (name.clone(), read(name)))
        .collect()
}

/// What begins the header of an evening. A page may have two; each has all sections.
const HEADER: &str = "\n*Reading: ";

/// The evenings of a page, each from its header on.
fn evenings(page: &str) -> impl Iterator<Item = &str> {
    page.split(HEADER).skip(1)
}

/// The headers of the evenings: the lines before the first blank line of each.
fn headers(page: &str) -> String {
    let headers = evenings(page).map(|evening| evening.split("\n\n").next().unwrap());
    headers.collect::<Vec<_>>().join(" ").replace('\n', " ")
}

/// The minutes that the header of an evening says.
fn minutes(evening: &str) -> usize {
    evening.split(' ').next().unwrap().parse().unwrap()
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
        for (name, page) in pages(&workspace, &chapter) {
            assert!(page.contains(HEADER), "{name}: no header");
            evenings(&page).for_each(|evening| check_sections(&name, evening));
        }
    }
}

fn check_sections(name: &str, evening: &str) {
    let found: Vec<_> = evening
        .lines()
        .filter_map(|line| line.strip_prefix("## ")?.split(" {#").next())
        .collect();
    let wanted = SECTIONS.iter().filter_map(|section| {
        let optional = section.trim_matches(['(', ')']);
        (optional == *section || found.contains(&optional)).then_some(optional)
    });
    assert_eq!(found, wanted.collect::<Vec<_>>(), "{name}");
}

/// So that a link, and the same page in another language, do not depend on its words.
#[test]
fn every_heading_has_an_id() {
    let folder = this_tree().path("book/src");
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension() != Some("md".as_ref()) {
            continue;
        }
        let page = fs::read_to_string(&path).unwrap();
        let mut in_code = false;
        for line in page.lines() {
            in_code ^= line.trim_start().starts_with("```");
            let is_heading = line.starts_with("## ") || line.starts_with("### ");
            let has_id = line.ends_with('}') && line.contains(" {#");
            assert!(in_code || !is_heading || has_id, "{path:?}: {line}");
        }
    }
}

#[test]
fn every_page_has_the_stars_and_minutes_of_its_tasks() {
    let workspace = this_tree();
    for chapter in taught(&workspace) {
        let pages = pages(&workspace, &chapter);
        let page: String = pages.into_iter().map(|(_, page)| page).collect();
        let headers = headers(&page);
        for task in tasks::tasks(&workspace, &chapter).unwrap() {
            let (starred, minutes) = (starred(&task), task.minutes);
            let wanted = format!("{starred} ({minutes} minutes)");
            assert!(headers.contains(&wanted), "{}: {wanted}", chapter.folder);
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

/// Wherever a task is named with stars, on any page.
#[test]
fn a_task_has_its_own_stars_everywhere() {
    let workspace = this_tree();
    let chapters = workspace.chapters().unwrap();
    let of = |chapter: &Chapter| tasks::tasks(&workspace, chapter).unwrap();
    let tasks: Vec<Task> = chapters.iter().flat_map(of).collect();
    for entry in fs::read_dir(workspace.path("book/src")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        let page = fs::read_to_string(&path).unwrap().replace('*', "");
        for task in &tasks {
            let id = task.id.to_string();
            for (at, _) in page.match_indices(&id) {
                let is_longer =
                    page[..at].ends_with(|c: char| c.is_ascii_digit() || ".p".contains(c));
                let behind = page[at + id.len()..].trim_start_matches(' ');
                let stars = behind.chars().take_while(|c| *c == '★').count();
                let is_right = is_longer || stars == 0 || stars == usize::from(task.stars);
                assert!(is_right, "{}: {id} with {stars} stars", path.display());
            }
        }
    }
}

/// What a reader reads: the words outside of code and folded text, two minutes for each
/// moving figure, and a minute for
/// each figure, table, piece of code and output.
fn reading_minutes(page: &str) -> usize {
    let (mut words, mut to_look_at) = (0, 0);
    let (mut in_code, mut in_details, mut in_table) = (false, false, false);
    let mut in_player = false;
    for line in page.lines() {
        let trimmed = line.trim_start();
        if trimmed.starts_with("<figure class=\"player\"") {
            in_player = true;
            to_look_at += 2;
        }
        if in_player {
            in_player = trimmed != "</figure>";
            continue;
        }
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
        for (name, page) in pages(&workspace, &chapter) {
            for evening in evenings(&page) {
                let said = minutes(evening);
                let counted = reading_minutes(evening);
                assert!(
                    said.abs_diff(counted) <= READING_SLACK,
                    "{name} says {said} minutes, counted are {counted}"
                );
            }
        }
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
        for (name, page) in pages(&workspace, &chapter) {
            let mut rows = roads.lines().filter(|line| line.starts_with('|'));
            for evening in evenings(&page) {
                let row = rows.find(|line| line.contains(&name)).unwrap();
                let reading: usize = row.split('|').nth(3).unwrap().trim().parse().unwrap();
                assert_eq!(reading, minutes(evening), "{row}");
            }
        }
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
    assert!(evenings >= 9, "{evenings} rows with tasks");
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
    let summary = fs::read_to_string(workspace.path("book/src/SUMMARY.md")).unwrap();
    for group in ["chapters", "mini-projects"] {
        for entry in fs::read_dir(workspace.path(group)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let link = format!("({group}/{name})");
            // A case study is in the README from its first page on.
            let is_due = group == "chapters" || summary.contains(&format!("-{name}.md)"));
            assert!(!is_due || readme.contains(&link), "README.md: {link}");
        }
    }
}

#[test]
fn the_page_of_a_task_has_it_in_your_part() {
    let workspace = this_tree();
    for chapter in taught(&workspace) {
        for task in tasks::tasks(&workspace, &chapter).unwrap() {
            let page = fs::read_to_string(workspace.path(&task.page)).unwrap();
            let (_, part) = page.split_once("\n## Your part").unwrap();
            let wanted = format!("**{} ", task.id);
            assert!(part.contains(&wanted), "{}: {wanted}", task.page.display());
        }
    }
}
