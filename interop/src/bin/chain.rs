//! A chain of consumer groups whose members and broker are killed: see `interop/chain`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail, ensure};
use interop::chain::{Chain, Member, Mode, be_member, run};

const USAGE: &str = "\
interop/chain [--records N] [--seconds N] [--seed N] [--assignor NAME] [--mode after|before|rewind]
              [--clients own|librdkafka] [--mqd PATH]

Produces N numbers [1000000] in about N seconds [60] into a topic. A group copies them into a
second topic, and another group from there into a third. Members (processes) join, leave and
are killed, and mqd is killed every few seconds and started again on its data. What is killed
when follows from the seed [1] and is printed. Then the three topics are read, and held
against what happened. Ends with 0 if every law holds; interop/src/chain.rs says which.

  --assignor    of the members: range, roundrobin, sticky or cooperative-sticky [range]
  --mode        when members commit: after copying, which must hold [after]; before it,
                which loses records; or back (rewind), which the observer must see
  --clients     what the members are: processes of the workbook's own producer and
                consumer [own], or of confluent-kafka
";

fn main() -> Result<ExitCode> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|word| word == "member") {
        let member = member(&arguments.split_off(1))?;
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().build()?;
        runtime.block_on(be_member(member))?;
        return Ok(ExitCode::SUCCESS);
    }
    if arguments.iter().any(|word| word == "--help") {
        print!("{USAGE}");
        return Ok(ExitCode::SUCCESS);
    }
    let verdict = run(&chain(&arguments)?)?;
    println!("{verdict}");
    Ok(match verdict.holds() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

fn chain(arguments: &[String]) -> Result<Chain> {
    let mut chain = Chain {
        mqd: PathBuf::from("target/release/mqd"),
        member: own()?,
        records: 1_000_000,
        seconds: 60,
        seed: 1,
        assignor: "range".to_owned(),
        mode: Mode::CommitAfter,
    };
    for pair in arguments.chunks(2) {
        let [flag, value] = pair else {
            bail!("{} has no value", pair[0]);
        };
        match flag.as_str() {
            "--mqd" => chain.mqd = PathBuf::from(value),
            "--records" => chain.records = value.parse()?,
            "--seconds" => chain.seconds = value.parse()?,
            "--seed" => chain.seed = value.parse()?,
            "--assignor" => chain.assignor.clone_from(value),
            "--mode" => chain.mode = Mode::of_word(value).context("after, before or rewind")?,
            "--clients" if value == "own" => {}
            "--clients" if value == "librdkafka" => chain.member = librdkafka()?,
            _ => bail!("{flag} {value}: see --help"),
        }
    }
    Ok(chain)
}

fn own() -> Result<Vec<PathBuf>> {
    Ok(vec![std::env::current_exe()?, PathBuf::from("member")])
}

fn librdkafka() -> Result<Vec<PathBuf>> {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let python = "../target/interop/python/confluent-kafka-2.16.1/bin/python";
    let all = vec![here.join(python), here.join("clients/chain_member.py")];
    let is_there = all.iter().all(|path| path.exists());
    ensure!(is_there, "{all:?} are not there: run `interop/install`");
    Ok(all)
}

fn member(arguments: &[String]) -> Result<Member> {
    let value = |flag: &str| {
        let at = arguments.iter().position(|word| word == flag);
        let value = at.and_then(|at| arguments.get(at + 1));
        value.cloned().with_context(|| format!("{flag} is missing"))
    };
    Ok(Member {
        bootstrap: value("--bootstrap")?,
        group: value("--group")?,
        from: value("--from")?,
        to: value("--to")?,
        name: value("--name")?,
        assignor: value("--assignor")?,
        mode: Mode::of_word(&value("--mode")?).context("a mode")?,
    })
}
