//! Text of a web page, in which nothing from outside is markup.

use std::fmt::{self, Display, Write};

/// Markup is only what is in the program.
#[derive(Debug, Default)]
pub(crate) struct Html(String);

impl Html {
    /// Appends markup as it is.
    pub(crate) fn markup(&mut self, markup: &'static str) -> &mut Html {
        self.0 += markup;
        self
    }

    /// Appends text, or the value of an attribute in double quotes; what would be markup is escaped.
    pub(crate) fn text(&mut self, text: impl Display) -> &mut Html {
        // Writing to a string cannot fail.
        let _ = write!(Escaped(&mut self.0), "{text}");
        self
    }

    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

struct Escaped<'a>(&'a mut String);

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            match character {
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '&' => self.0.push_str("&amp;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                character => self.0.push(character),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_no_markup() {
        let mut html = Html::default();
        html.markup("<p title=\"")
            .text("\"><b>'&amp;")
            .markup("\">");
        let wanted = "<p title=\"&quot;&gt;&lt;b&gt;&#39;&amp;amp;\">";
        assert_eq!(html.into_string(), wanted);
    }
}
