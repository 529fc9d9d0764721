//! What a message says, read off its `Debug` text, so that two types with the
//! same fields can be compared without writing every field down once more.

/// A field and its values: one, or those of a list of numbers.
pub(crate) type Leaf = (String, Vec<String>);

/// The fields of `text` that have values of their own, in order, without the
/// names of types. Left out are records (their bytes are compared) and empty lists.
pub(crate) fn leaves(text: &str) -> Vec<Leaf> {
    let mut leaves: Vec<Leaf> = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let size = token_size(rest);
        let (token, behind) = rest.split_at(size);
        let is_word = first.is_alphabetic() || first == '_';
        if is_word && behind.starts_with(':') {
            leaves.push((token.to_owned(), Vec::new()));
        } else if !is_word || ["true", "false", "None"].contains(&token) {
            let is_value = is_word || first == '"' || first == '-' || first.is_ascii_digit();
            if let (true, Some((_, values))) = (is_value, leaves.last_mut()) {
                values.push(token.to_owned());
            }
        }
        rest = behind;
    }
    leaves.retain(|(name, values)| {
        !values.is_empty() && !["records", "chunks"].contains(&name.as_str())
    });
    leaves
}

/// How long the word, the number or the string is that `text` begins with.
fn token_size(text: &str) -> usize {
    let mut chars = text.char_indices();
    let Some((_, first)) = chars.next() else {
        return 0;
    };
    if first == '"' {
        let mut escaped = false;
        for (at, letter) in chars {
            match letter {
                '"' if !escaped => return at + 1,
                _ => escaped = letter == '\\' && !escaped,
            }
        }
        return text.len();
    }
    let in_token = |letter: char| letter.is_alphanumeric() || letter == '_';
    if !in_token(first) && first != '-' {
        return first.len_utf8();
    }
    chars
        .find(|(_, letter)| !in_token(*letter))
        .map_or(text.len(), |(at, _)| at)
}

#[test]
fn leaves_are_names_and_values() {
    let text = r#"A { b: Some("x: \"1\""), c: [1, -2], d: B { e: None, f: true }, g: [], h: CORRUPT (2) }"#;
    let expected = [
        ("b", vec![r#""x: \"1\"""#]),
        ("c", vec!["1", "-2"]),
        ("e", vec!["None"]),
        ("f", vec!["true"]),
        ("h", vec!["2"]),
    ];
    let expected = expected.map(|(name, values)| {
        let values = values.into_iter().map(str::to_owned).collect();
        (name.to_owned(), values)
    });
    assert_eq!(leaves(text), expected);
}
