//! Tries every feature with every family of clients, and compares with what is known.
//!
//! See `interop/families`.

use std::path::PathBuf;

use anyhow::{Result, bail, ensure};
use interop::families::{Broker, FAMILIES, FEATURES, Known, try_all};

const USAGE: &str = "families MQD|kafka [--bless DATE] [FAMILY|FEATURE]...
families --table";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments == ["--table"] {
        print!("{}", Known::read()?.table());
        return Ok(());
    }
    let Some((which, rest)) = arguments.split_first() else {
        bail!("{USAGE}");
    };
    let (date, chosen) = match rest {
        [flag, date, chosen @ ..] if flag == "--bless" => (Some(date.clone()), chosen),
        chosen => (None, chosen),
    };
    let known = |word: &&String| {
        let mut names = FAMILIES.iter().map(|family| family.name);
        let mut features = FEATURES.iter();
        names.any(|name| name.starts_with(word.as_str()))
            || features.any(|feature| feature.starts_with(word.as_str()))
    };
    if let Some(word) = chosen.iter().find(|word| !known(word)) {
        let names: Vec<&str> = FAMILIES.iter().map(|family| family.name).collect();
        let (names, features) = (names.join(", "), FEATURES.join(", "));
        bail!("no family or feature begins with {word}.\nFamilies: {names}\nFeatures: {features}");
    }
    let families = chosen_of(chosen, FAMILIES, |family| family.name);
    let features = chosen_of(chosen, &FEATURES, |feature| feature);
    let binary = PathBuf::from(which);
    let start = || match which.as_str() {
        "kafka" => Broker::kafka(),
        _ => Broker::mqd(&binary),
    };
    let seen = try_all(start, &families, &features)?;
    if let Some(date) = date {
        let families = seen;
        return Known { date, families }.write();
    }
    let differences = Known::read()?.differences(&seen);
    ensure!(
        differences.is_empty(),
        "not as interop/families.json says:\n{differences}"
    );
    Ok(())
}

/// Those whose names begin with a chosen word, or all when none does.
fn chosen_of<T: Copy>(chosen: &[String], all: &[T], name: impl Fn(&T) -> &str) -> Vec<T> {
    let is_chosen = |one: &&T| {
        chosen
            .iter()
            .any(|word| name(one).starts_with(word.as_str()))
    };
    let found: Vec<T> = all.iter().filter(is_chosen).copied().collect();
    if found.is_empty() {
        all.to_vec()
    } else {
        found
    }
}
