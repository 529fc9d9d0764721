//! As much of HTML as it takes to find links and anchors.

/// What a page links to, and what can be linked to in it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    /// Values of `href` and `src`.
    pub(super) links: Vec<String>,
    /// Values of `id`, and of `name` in `<a>`.
    pub(super) anchors: Vec<String>,
}

/// Reads the attributes of every tag. Text, comments and scripts have none.
pub(super) fn parse(text: &str) -> Page {
    let mut page = Page::default();
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = behind(comment, "-->");
            continue;
        }
        let name_end = rest
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(rest.len());
        let (name, attributes) = rest.split_at(name_end);
        rest = attributes;
        if name.is_empty() {
            continue;
        }
        while let Some((attribute, value, next)) = next_attribute(rest) {
            match attribute {
                "href" | "src" => page.links.push(unescape(value)),
                "id" => page.anchors.push(unescape(value)),
                "name" if name == "a" => page.anchors.push(unescape(value)),
                _ => {}
            }
            rest = next;
        }
        if name == "script" || name == "style" {
            rest = behind(rest, &format!("</{name}"));
        }
    }
    page
}

fn behind<'a>(text: &'a str, end: &str) -> &'a str {
    text.find(end).map_or("", |at| &text[at + end.len()..])
}

/// The next attribute of the tag that `text` is in: its name, value, and what follows.
fn next_attribute(text: &str) -> Option<(&str, &str, &str)> {
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
    if text.is_empty() || text.starts_with('>') {
        return None;
    }
    let end = text.find(|c: char| c.is_whitespace() || "=>/".contains(c))?;
    let (name, rest) = text.split_at(end);
    if name.is_empty() {
        return None;
    }
    let Some(value) = rest.trim_start().strip_prefix('=') else {
        return Some((name, "", rest));
    };
    let value = value.trim_start();
    match value.chars().next()? {
        quote @ ('"' | '\'') => {
            let (value, rest) = value[1..].split_once(quote)?;
            Some((name, value, rest))
        }
        _ => {
            let end = value.find(|c: char| c.is_whitespace() || c == '>')?;
            let (value, rest) = value.split_at(end);
            Some((name, value, rest))
        }
    }
}

fn unescape(value: &str) -> String {
    value
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&#x27;", "'")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}
