//! A writer of transactions, with successors that begin before it has ended.

use std::collections::BTreeSet;

use history::Action;

use super::Setting;
use super::transactional::{Transactional, Trouble};
use crate::node::PARTITIONS;

/// Writes transactions until it is calm, as one process after the other, all with one
/// transactional id. Some begin while the one before goes on, and does not know of them.
pub(crate) async fn transact(setting: Setting, id: String) {
    while !setting.is_calm.get() {
        let process = setting
            .sim
            .spawn(&id, one_process(setting.clone(), id.clone()));
        if setting.sim.once_in(2) {
            setting.sim.sleep(setting.sim.pick(50..500)).await;
            // It crashes, or becomes a zombie.
            if setting.sim.once_in(2) {
                setting.sim.kill(process);
            }
            continue;
        }
        while setting.sim.is_alive(process) {
            setting.sim.sleep(10).await;
        }
    }
}

async fn one_process(setting: Setting, id: String) {
    let Some(mut producer) = Transactional::init(&setting, &id).await else {
        return;
    };
    let process = setting.recorder.process();
    while !setting.is_calm.get() {
        let action = Action::Transaction {
            steps: Vec::new(),
            ending: None,
        };
        let begun = setting.recorder.begin(process, action);
        let mut is_whole = Ok(());
        for _ in 0..setting.sim.pick(1..4) {
            is_whole = write_some(&mut producer, begun).await;
            if is_whole.is_err() {
                break;
            }
            setting.linger().await;
        }
        let commits = is_whole.is_ok() && !setting.sim.once_in(4);
        if is_whole == Err(Trouble::Fenced) || !producer.end(begun, commits).await {
            return;
        }
        setting.linger().await;
    }
}

async fn write_some(
    producer: &mut Transactional,
    begun: crate::record::Begun,
) -> Result<(), Trouble> {
    let setting = producer.setting.clone();
    let mut partitions = BTreeSet::new();
    for _ in 0..setting.sim.pick(1..4) {
        let partition = i32::try_from(setting.sim.pick(0..2)).unwrap_or(0) % PARTITIONS;
        partitions.insert(("in", partition));
    }
    producer.enlist(&partitions).await?;
    setting.linger().await;
    for to in partitions {
        for _ in 0..setting.sim.pick(1..4) {
            let count = setting.sim.pick(1..3);
            let values = (0..count).map(|_| setting.recorder.value()).collect();
            producer.add(begun, to, values);
        }
    }
    producer.flush().await
}
