//! Rows with a heading, in columns.

use std::fmt::Write as _;

/// Rows in columns; what is a number in a column is on its right side.
#[derive(Debug)]
pub(super) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    pub(super) fn new(heading: &[&str]) -> Table {
        let heading = heading.iter().map(|&name| name.to_owned());
        Table {
            rows: vec![heading.collect()],
        }
    }

    pub(super) fn push(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }

    /// The table, one line a row.
    pub(super) fn lines(&self) -> String {
        let columns = self.rows[0].len();
        let cells = |column: usize| self.rows.iter().filter_map(move |row| row.get(column));
        let widths: Vec<usize> = (0..columns)
            .map(|column| {
                let widths = cells(column).map(|cell| cell.chars().count());
                widths.max().unwrap_or(0)
            })
            .collect();
        let is_number = |cell: &String| cell == "-" || cell.parse::<i64>().is_ok();
        let right: Vec<bool> = (0..columns)
            .map(|column| cells(column).skip(1).all(is_number))
            .collect();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate() {
                let gap = if column == 0 { "" } else { "  " };
                let width = widths[column];
                let _ = match right[column] {
                    true => write!(line, "{gap}{cell:>width$}"),
                    false => write!(line, "{gap}{cell:<width$}"),
                };
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn columns_are_as_wide_as_they_must_be() {
        let mut table = Table::new(&["topic", "lag", "member"]);
        let owned = |row: [&str; 3]| row.map(str::to_owned).to_vec();
        table.push(owned(["a", "1000", "x"]));
        table.push(owned(["longer", "-", ""]));
        let expected = "topic    lag  member\n\
                        a       1000  x\n\
                        longer     -\n";
        assert_eq!(table.lines(), expected);
    }
}
