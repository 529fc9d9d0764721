//! What is sold, and to whom.

use std::collections::HashMap;

use anyhow::{Context as _, Result, ensure};

use super::Refused;

/// The pieces of each item. Pure: the same orders in the same sequence have the same results.
#[derive(Debug, Default)]
pub struct Stock(HashMap<String, Item>);

#[derive(Debug)]
struct Item {
    pieces: u32,
    /// By user, which piece. Never more than there are.
    sold: HashMap<String, u32>,
}

impl Stock {
    /// Sells a piece of `item`; to a user that has one, the same again.
    ///
    /// # Errors
    /// If there is no such item, or no piece is left.
    pub fn sell(&mut self, user: &str, item: &str) -> Result<u32, Refused> {
        let item = self.0.get_mut(item).ok_or(Refused::UnknownItem)?;
        if let Some(piece) = item.sold.get(user) {
            return Ok(*piece);
        }
        let sold = u32::try_from(item.sold.len()).unwrap_or(u32::MAX);
        if sold >= item.pieces {
            return Err(Refused::SoldOut);
        }
        item.sold.insert(user.to_owned(), sold + 1);
        Ok(sold + 1)
    }
}

/// Returns the stock that words such as `phone=3` describe.
///
/// # Errors
/// If a word has another form, or an item comes twice.
pub fn parse_stock(words: &[String]) -> Result<Stock> {
    let item = |word: &String| {
        let (name, pieces) = word.split_once('=')?;
        let item = Item {
            pieces: pieces.parse().ok()?,
            sold: HashMap::new(),
        };
        (!name.is_empty()).then(|| (name.to_owned(), item))
    };
    let mut stock = Stock::default();
    for word in words {
        let (name, item) =
            item(word).with_context(|| format!("{word} is not of the form phone=3"))?;
        let before = stock.0.insert(name, item);
        ensure!(before.is_none(), "{word} names an item for the second time");
    }
    Ok(stock)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_sold_once_and_a_user_gets_one() {
        let mut stock = parse_stock(&["phone=2".to_owned(), "book=0".to_owned()]).ok();
        let stock = stock.as_mut().expect("the words are right");
        assert_eq!(stock.sell("Mei", "phone"), Ok(1));
        assert_eq!(stock.sell("Mei", "phone"), Ok(1));
        assert_eq!(stock.sell("Bo", "phone"), Ok(2));
        assert_eq!(stock.sell("Li", "phone"), Err(Refused::SoldOut));
        assert_eq!(stock.sell("Bo", "phone"), Ok(2));
        assert_eq!(stock.sell("Mei", "book"), Err(Refused::SoldOut));
        assert_eq!(stock.sell("Mei", "car"), Err(Refused::UnknownItem));
    }

    #[test]
    fn a_stock_is_items_and_numbers() {
        for word in ["phone", "phone=", "phone=-1", "phone=x", "=3"] {
            assert!(parse_stock(&[word.to_owned()]).is_err(), "{word}");
        }
        let twice = ["phone=1", "book=1", "phone=2"].map(str::to_owned);
        let refused = parse_stock(&twice).err().map(|error| error.to_string());
        let wanted = "phone=2 names an item for the second time";
        assert_eq!(refused.as_deref(), Some(wanted));
    }
}
