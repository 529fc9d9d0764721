//! Every feature with every family of clients, as `interop/families.json` says. With
//! `FAMILIES_HALF` 0 or 1 in the environment, every second feature.

use std::env;

use anyhow::Context as _;
use interop::families::{Broker, FAMILIES, FEATURES, Known, try_all};
use interop::mqd_binary;

#[test]
fn all_families_can_do_what_they_could() -> anyhow::Result<()> {
    let binary = mqd_binary();
    let features = match env::var("FAMILIES_HALF") {
        Ok(half) => {
            let first = half.parse().ok().filter(|first| *first < 2);
            let first = first.context("FAMILIES_HALF is 0 or 1")?;
            FEATURES.into_iter().skip(first).step_by(2).collect()
        }
        Err(_) => FEATURES.to_vec(),
    };
    let seen = try_all(|| Broker::mqd(&binary), FAMILIES, &features)?;
    let differences = Known::read()?.differences(&seen);
    assert!(
        differences.is_empty(),
        "not as interop/families.json says:\n{differences}"
    );
    Ok(())
}

#[test]
fn the_readme_has_the_table() -> anyhow::Result<()> {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md"))?;
    let table = Known::read()?.table();
    assert!(
        readme.contains(&table),
        "put this into README.md, from `interop/families --table`:\n{table}"
    );
    Ok(())
}
