//! The log of the transactional ids is compacted while it is written, and killed.

use std::fs;

use mqd_guard::{Mqd, Port};
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    AddPartitionsToTxnRequest, AddPartitionsToTxnTopic, DescribeTransactionsRequest,
    DescribedTransaction, EndTxnRequest, FindCoordinatorRequest, InitProducerIdRequest,
};

use crate::raw::Raw;
use crate::support::mqd;

use super::{NONE, TRIES};

/// What a producer is told that has to ask again.
const WAIT: [ErrorCode; 2] = [
    ErrorCode::CONCURRENT_TRANSACTIONS,
    ErrorCode::COORDINATOR_LOAD_IN_PROGRESS,
];

const ROUNDS: usize = 3;
/// The transactions that are written at most until a pass is over.
const TRANSACTIONS_MAX: usize = 20_000;
/// The transactional ids that have no open transaction.
const IDS: usize = 5;

/// An instance of a transactional id.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Instance {
    transactional_id: String,
    id: i64,
    epoch: i16,
}

/// Asks until the answer is another one than to ask again.
fn until_answered(mut ask: impl FnMut() -> ErrorCode) -> ErrorCode {
    let mut answers = (0..TRIES).map(|_| ask());
    answers
        .find(|code| !WAIT.contains(code))
        .expect("the transaction before ends")
}

impl Instance {
    fn new(raw: &mut Raw, id: &str) -> Instance {
        let request = InitProducerIdRequest {
            transactional_id: Some(id.to_owned()),
            transaction_timeout_ms: 900_000,
            ..InitProducerIdRequest::default()
        };
        let mut got = None;
        let code = until_answered(|| {
            let answer = raw.call(&request).unwrap();
            got = Some((answer.producer_id, answer.producer_epoch));
            answer.error_code
        });
        assert_eq!(code, NONE);
        let (producer, epoch) = got.unwrap();
        Instance {
            transactional_id: id.to_owned(),
            id: producer,
            epoch,
        }
    }

    fn begin(&self, raw: &mut Raw) {
        let request = AddPartitionsToTxnRequest {
            transactional_id: self.transactional_id.clone(),
            producer_id: self.id,
            producer_epoch: self.epoch,
            topics: vec![AddPartitionsToTxnTopic {
                name: "out".to_owned(),
                partitions: vec![0],
            }],
        };
        let code = until_answered(|| {
            let added = raw.call(&request).unwrap();
            added.results_by_topic[0].results_by_partition[0].partition_error_code
        });
        assert_eq!(code, NONE);
    }

    fn end(&self, raw: &mut Raw, committed: bool) {
        let request = EndTxnRequest {
            transactional_id: self.transactional_id.clone(),
            producer_id: self.id,
            producer_epoch: self.epoch,
            committed,
        };
        let code = until_answered(|| raw.call(&request).unwrap().error_code);
        assert_eq!(code, NONE, "{self:?}");
    }
}

fn describe(raw: &mut Raw, id: &str) -> DescribedTransaction {
    let request = DescribeTransactionsRequest {
        transactional_ids: vec![id.to_owned()],
    };
    // After a start it may not be read yet.
    let wait = ErrorCode::COORDINATOR_LOAD_IN_PROGRESS;
    let mut answers = (0..TRIES).map(|_| raw.call(&request).unwrap().transaction_states.remove(0));
    answers.find(|one| one.error_code != wait).unwrap()
}

fn connect(mqd: &Mqd) -> Raw {
    let mut raw = Raw::connect(mqd);
    let request = FindCoordinatorRequest {
        key_type: 1,
        coordinator_keys: vec!["x".to_owned()],
        ..FindCoordinatorRequest::default()
    };
    let found = raw.call(&request).unwrap();
    assert_eq!(found.coordinators[0].error_code, NONE);
    raw
}

fn start() -> Mqd {
    mqd()
        .set("transaction.state.log.num.partitions", "1")
        .set("transaction.state.log.segment.bytes", "4096")
        .set("log.cleaner.backoff.ms", "1")
        .set("log.cleaner.min.cleanable.ratio", "0.1")
        .set("log.cleaner.delete.retention.ms", "1")
        .start()
        .unwrap()
}

/// How far the log of the transactional ids is compacted.
fn compacted_to(mqd: &Mqd) -> Option<Vec<u8>> {
    let directory = mqd.data_dir().join("__transaction_state-0");
    fs::read(directory.join("compacted-to")).ok()
}

/// Whether a file of the log has these bytes.
fn is_in_log(mqd: &Mqd, bytes: &[u8]) -> bool {
    let files = fs::read_dir(mqd.data_dir().join("__transaction_state-0")).unwrap();
    let logs = files
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"));
    // A file may be gone by now, because what it had is in another one.
    let mut contents = logs.filter_map(|path| fs::read(path).ok());
    contents.any(|content| content.windows(bytes.len()).any(|some| some == bytes))
}

/// Begins and ends transactions until a pass has ended, `is_done` says so, or it is too many.
fn write_until(
    raw: &mut Raw,
    instance: &mut [Instance],
    mqd: &Mqd,
    is_done: impl Fn(&Mqd) -> bool,
) {
    for number in 0.. {
        if number > 60 && is_done(mqd) {
            return;
        }
        assert!(number < TRANSACTIONS_MAX, "never done: {}", mqd.stderr());
        let which = number % instance.len();
        if number % 7 == 0 {
            let id = instance[which].transactional_id.clone();
            let before = instance[which].epoch;
            instance[which] = Instance::new(raw, &id);
            assert_eq!(instance[which].epoch, before + 1);
        }
        instance[which].begin(raw);
        instance[which].end(raw, number % 2 == 0);
    }
}

#[test]
fn ids_epochs_and_open_transactions_survive_compaction_and_kills() {
    let mut mqd = start();
    let mut raw = connect(&mqd);
    raw.create_topic("out");
    let mut open = Instance::new(&mut raw, "open");
    open.begin(&mut raw);
    let ids = (0..IDS).map(|number| format!("id-{number}"));
    let mut instances: Vec<_> = ids.map(|id| Instance::new(&mut raw, &id)).collect();
    for round in 0..ROUNDS {
        let before = compacted_to(&mqd);
        write_until(&mut raw, &mut instances, &mqd, |mqd| {
            compacted_to(mqd) != before
        });
        mqd.kill_9().unwrap();
        mqd.restart(Port::Any).unwrap();
        raw = connect(&mqd);
        for instance in &instances {
            let found = describe(&mut raw, &instance.transactional_id);
            let now = (found.error_code, found.producer_id, found.producer_epoch);
            let told = (NONE, instance.id, instance.epoch);
            assert_eq!(now, told, "{round} {instance:?}");
        }
        let found = describe(&mut raw, "open");
        assert_eq!(found.transaction_state, "Ongoing", "{round}");
        assert_eq!(
            (found.producer_id, found.producer_epoch),
            (open.id, open.epoch)
        );
        // Of an older one the log has nothing else by now.
        if round == 1 {
            open.end(&mut raw, true);
            open = Instance::new(&mut raw, "open");
            open.begin(&mut raw);
        }
    }
    open.end(&mut raw, true);
    let said = mqd.stderr();
    assert!(!said.contains("cannot be compacted"), "{said}");
}

#[test]
fn an_id_that_expires_becomes_a_tombstone_and_leaves_the_log() {
    let mut mqd = start();
    let mut raw = connect(&mqd);
    raw.create_topic("out");
    let gone = Instance::new(&mut raw, "the-one-that-goes");
    gone.begin(&mut raw);
    gone.end(&mut raw, true);
    mqd.kill_9().unwrap();
    mqd.restart_with(Port::Any, |options| {
        options.set("transactional.id.expiration.ms", "1")
    })
    .unwrap();
    raw = connect(&mqd);
    let not_found = ErrorCode::TRANSACTIONAL_ID_NOT_FOUND;
    let mut states = (0..TRIES).map(|_| describe(&mut raw, &gone.transactional_id).error_code);
    assert!(states.any(|code| code == not_found));
    assert!(is_in_log(&mqd, b"the-one-that-goes"));
    mqd.kill_9().unwrap();
    mqd.restart_with(Port::Any, |options| {
        options.set("transactional.id.expiration.ms", "604800000")
    })
    .unwrap();
    raw = connect(&mqd);
    // The tombstone counts also after a kill.
    let found = describe(&mut raw, &gone.transactional_id);
    assert_eq!(found.error_code, not_found);
    let mut other = [Instance::new(&mut raw, "another")];
    write_until(&mut raw, &mut other, &mqd, |mqd| {
        !is_in_log(mqd, b"the-one-that-goes")
    });
    let anew = Instance::new(&mut raw, "the-one-that-goes");
    assert_eq!(anew.epoch, 0);
    assert_ne!(anew.id, gone.id);
}
