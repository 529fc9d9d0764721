//! What happened, held against what the topics hold.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::time::Duration;

use anyhow::{Context as _, Result};
use client::{Client, FetchLimits, OffsetSpec};
use message_model::{Offset, PartitionIndex, TopicName, TopicPartition};

use super::copies::number;
use super::run::{KEYS, PARTITIONS};
use super::running::{Killed, Line};
use super::{Chain, Copied, GROUPS, Said, TOPICS};

/// How long after a crash the group may still be busy with it, in milliseconds: the
/// session timeout of the members, and their next poll and commit.
const AFTERMATH_MS: i64 = 6_000;
/// How many findings of a kind are kept.
const FINDINGS_MAX: usize = 5;

/// A time without a broker, in milliseconds of the wall clock.
#[derive(Debug)]
pub(crate) struct Outage {
    pub(crate) killed: i64,
    pub(crate) ready: i64,
    /// Where the logs ended meanwhile, by topic and partition.
    pub(crate) ends: BTreeMap<(usize, i32), i64>,
}

/// All that was seen of the chain while it ran.
#[derive(Debug, Default)]
pub(crate) struct Evidence {
    pub(crate) acknowledged: u64,
    pub(crate) outages: Vec<Outage>,
    pub(crate) killed: Vec<Killed>,
    pub(crate) left: usize,
    pub(crate) joined: usize,
    pub(crate) said: Vec<Line>,
    pub(crate) observed: u64,
    pub(crate) went_back: Vec<String>,
}

/// Why a record is there again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Cause {
    /// The same copy twice: the broker was killed between the two, so its producer had no answer.
    SentAgain,
    /// The member that had made the first copy was killed before it could commit.
    ItsMemberKilled,
    /// The broker was killed before the commit, or the member was put out of the group meanwhile.
    BrokerKilled,
    /// Another member was killed: the rebalance after it.
    OtherMemberKilled,
}

/// What the audit found.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Of the numbers.
    pub acknowledged: u64,
    counts: Vec<(&'static str, u64)>,
    repeats: BTreeMap<(usize, Cause), u64>,
    /// Acknowledged numbers that a topic lacks.
    pub lost: u64,
    /// How often a committed offset was lower than before, or a member began below one.
    pub went_back: u64,
    /// Repeats without a crash.
    pub unexplained: u64,
    /// First copies of a key that are not in order.
    pub out_of_order: u64,
    findings: Vec<String>,
}

impl Verdict {
    /// Returns whether every law holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.lost + self.went_back + self.unexplained + self.out_of_order == 0
    }

    fn find(&mut self, count: u64, finding: impl FnOnce() -> String) {
        if usize::try_from(count).is_ok_and(|count| count <= FINDINGS_MAX) {
            self.findings.push(finding());
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} numbers were acknowledged", self.acknowledged)?;
        for (what, count) in &self.counts {
            writeln!(f, "{count} {what}")?;
        }
        for ((topic, cause), count) in &self.repeats {
            let topic = TOPICS[*topic];
            let why = match cause {
                Cause::SentAgain => "sent again by their producer after a kill of mqd",
                Cause::ItsMemberKilled => "copied again: their member was killed",
                Cause::BrokerKilled => "copied again: mqd was killed",
                Cause::OtherMemberKilled => "copied again: a rebalance after another member's kill",
            };
            writeln!(f, "{count} repeats in {topic} {why}")?;
        }
        writeln!(
            f,
            "{} lost, {} offsets went back, {} repeats unexplained, {} out of order",
            self.lost, self.went_back, self.unexplained, self.out_of_order
        )?;
        for finding in &self.findings {
            writeln!(f, "  {finding}")?;
        }
        f.write_str(if self.holds() { "all holds" } else { "BROKEN" })
    }
}

/// A record of a topic.
struct Found {
    offset: i64,
    number: u64,
    copied: Option<Copied>,
}

/// Reads the topics, and returns what they and the evidence say together.
pub(crate) async fn audit(client: &Client, chain: &Chain, evidence: Evidence) -> Result<Verdict> {
    let mut verdict = Verdict {
        acknowledged: evidence.acknowledged,
        ..Verdict::default()
    };
    for (index, topic) in TOPICS.iter().enumerate() {
        let mut seen = vec![false; usize::try_from(chain.records)?];
        for partition in 0..PARTITIONS {
            let found = read(client, topic, partition).await?;
            let place = (index, partition.cast_signed());
            judge_order(&mut verdict, place, &found, &mut seen)?;
            judge_repeats(&mut verdict, &evidence, place, &found);
        }
        for (number, _) in seen.iter().enumerate().filter(|(_, seen)| !**seen) {
            verdict.lost += 1;
            let count = verdict.lost;
            verdict.find(count, || format!("{topic} lacks {number}"));
        }
    }
    verdict.lost += chain.records - evidence.acknowledged;
    judge_offsets(&mut verdict, &evidence);
    let is = |test: fn(&Said) -> bool| evidence.said.iter().filter(|line| test(&line.said)).count();
    verdict.counts = [
        ("times mqd was killed", evidence.outages.len()),
        ("members were killed", evidence.killed.len()),
        ("members left", evidence.left),
        ("members joined later", evidence.joined),
        (
            "commits of members were answered",
            is(|said| matches!(said, Said::Commit { .. })),
        ),
        (
            "commits or polls were refused",
            is(|said| matches!(said, Said::Refused(_))),
        ),
        (
            "times a partition was begun",
            is(|said| matches!(said, Said::Start { .. })),
        ),
    ]
    .map(|(what, count)| (what, count as u64))
    .into();
    verdict
        .counts
        .push(("answers to the observer's OffsetFetch", evidence.observed));
    Ok(verdict)
}

async fn read(client: &Client, topic: &str, partition: u32) -> Result<Vec<Found>> {
    let from = TopicPartition {
        topic: TopicName::new(topic)?,
        partition: PartitionIndex(partition.cast_signed()),
    };
    let end = client.list_offset(&from, OffsetSpec::Latest).await?;
    let end = end.context("a log has an end")?;
    let limits = FetchLimits {
        max_wait: Duration::from_secs(1),
        min_bytes: 1,
        max_bytes: 1 << 20,
    };
    let mut all = Vec::new();
    let mut offset = Offset::ZERO;
    while offset < end {
        let fetched = client.fetch(&from, offset, limits).await?;
        for record in client::records(fetched.batches, offset) {
            let record = record?;
            offset = record.offset.plus(1);
            let value = record.value.context("a value")?;
            let is_copy = value.contains(&b';');
            let copied = is_copy.then(|| std::str::from_utf8(&value)?.parse());
            all.push(Found {
                offset: record.offset.0,
                number: number(&value)?,
                copied: copied.transpose()?,
            });
        }
    }
    Ok(all)
}

/// The first copies of a key's numbers are in order. A key is in one partition.
fn judge_order(
    verdict: &mut Verdict,
    (topic, partition): (usize, i32),
    found: &[Found],
    seen: &mut [bool],
) -> Result<()> {
    let mut last: HashMap<u64, u64> = HashMap::new();
    for record in found {
        let seen = seen.get_mut(usize::try_from(record.number)?);
        let seen = seen.context("a number that nobody produced")?;
        if std::mem::replace(seen, true) {
            continue;
        }
        let before = last.insert(record.number % KEYS, record.number);
        if before.is_some_and(|before| before > record.number) {
            verdict.out_of_order += 1;
            let (count, number, topic) = (verdict.out_of_order, record.number, TOPICS[topic]);
            verdict.find(count, || {
                format!("{topic}-{partition}: {number} first comes behind {before:?}")
            });
        }
    }
    Ok(())
}

fn judge_repeats(verdict: &mut Verdict, evidence: &Evidence, place: (usize, i32), found: &[Found]) {
    let mut before: HashMap<(i32, i64), Vec<&Found>> = HashMap::new();
    for record in found {
        let source = match &record.copied {
            Some(copied) => copied.source,
            None => (-1, record.number.cast_signed()),
        };
        let earlier = before.entry(source).or_default();
        if let Some(last) = earlier.last() {
            let twin = earlier.iter().find(|one| is_same_copy(one, record));
            let cause = match twin {
                Some(twin) => evidence.sent_again(place, twin.offset, record.offset),
                None => evidence.copied_again(place.0, last, record),
            };
            match cause {
                Some(cause) => *verdict.repeats.entry((place.0, cause)).or_default() += 1,
                None => {
                    verdict.unexplained += 1;
                    let count = verdict.unexplained;
                    let (topic, partition) = (TOPICS[place.0], place.1);
                    let (first, again) = (last.offset, record.offset);
                    verdict.find(count, || {
                        format!(
                            "{topic}-{partition}: {first} ({:?}) is there again at {again} ({:?})",
                            last.copied, record.copied
                        )
                    });
                }
            }
        }
        earlier.push(record);
    }
}

fn is_same_copy(one: &Found, other: &Found) -> bool {
    let id = |found: &Found| {
        let copied = found.copied.as_ref();
        copied.map(|copied| (copied.member.clone(), copied.sent))
    };
    id(one) == id(other)
}

impl Evidence {
    /// In which run of the broker a record was appended.
    fn run_of(&self, place: (usize, i32), offset: i64) -> usize {
        let outages = self.outages.iter();
        outages
            .filter(|outage| outage.ends.get(&place).is_some_and(|end| *end <= offset))
            .count()
    }

    fn sent_again(&self, place: (usize, i32), first: i64, again: i64) -> Option<Cause> {
        (self.run_of(place, first) < self.run_of(place, again)).then_some(Cause::SentAgain)
    }

    fn copied_again(&self, topic: usize, first: &Found, again: &Found) -> Option<Cause> {
        let (first, again) = (first.copied.as_ref()?, again.copied.as_ref()?);
        let (from, to) = match first.at <= again.at {
            true => (first, again),
            false => (again, first),
        };
        let of_group = self.killed.iter().filter(|one| one.group + 1 == topic);
        let mut before = of_group.filter(|killed| killed.at <= to.at);
        let mut its = before.clone().filter(|one| one.member == from.member);
        if its.any(|killed| killed.at >= from.at) {
            return Some(Cause::ItsMemberKilled);
        }
        let mut outages = self.outages.iter();
        if outages.any(|one| one.killed <= to.at && one.ready + AFTERMATH_MS >= from.at) {
            return Some(Cause::BrokerKilled);
        }
        let near = before.any(|killed| killed.at + AFTERMATH_MS >= from.at);
        near.then_some(Cause::OtherMemberKilled)
    }
}

/// No member begins below what its group had committed before it asked.
fn judge_offsets(verdict: &mut Verdict, evidence: &Evidence) {
    for back in &evidence.went_back {
        verdict.went_back += 1;
        let count = verdict.went_back;
        verdict.find(count, || format!("the observer saw {back}"));
    }
    let mut commits: BTreeMap<(usize, i32), Vec<(i64, i64)>> = BTreeMap::new();
    for line in &evidence.said {
        if let Said::Commit {
            partition,
            offset,
            at,
        } = line.said
        {
            let place = (line.group, partition);
            commits.entry(place).or_default().push((at, offset));
        }
    }
    for line in &evidence.said {
        let Said::Start {
            partition,
            offset,
            at,
        } = line.said
        else {
            continue;
        };
        let commits = commits.get(&(line.group, partition));
        let before = commits.into_iter().flatten().filter(|one| one.0 < at);
        let committed = before.map(|one| one.1).max().unwrap_or(0);
        if offset < committed {
            verdict.went_back += 1;
            let (count, group) = (verdict.went_back, GROUPS[line.group]);
            let member = &line.member;
            verdict.find(count, || {
                format!("{member} of {group} began partition {partition} at {offset}, and {committed} was committed")
            });
        }
    }
}
