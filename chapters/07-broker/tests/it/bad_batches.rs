//! What a producer may not send, and which code it hears: Kafka 4.3's.

use broker::{error_code, validate_produced};
use compression::close_batch;
use message_model::{Offset, OffsetRange, Timestamp};
use record_batch::{Codec, layout};
use wire_protocol::message::ProduceRequest;
use wire_protocol::{ErrorCode, Records};

use crate::openings::OPENING;
use crate::support::{Broker, NOW, append, batch, config, mend, produce_request};

const HOUR_MS: i64 = 3_600_000;
const CODECS: [Codec; 4] = [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd];

/// What became of appending a batch in which `change` has been at work.
async fn append_changed(change: impl FnOnce(&mut Vec<u8>)) -> Result<OffsetRange, ErrorCode> {
    let broker = Broker::with_topic().await;
    let partition = broker.partition("t", 0);
    let mut bytes = batch(&["a", "b"]);
    change(&mut bytes);
    let appended = append(&partition, NOW, bytes).await;
    assert_eq!(
        partition.ends().unwrap().log_end.0,
        if appended.is_ok() { 2 } else { 0 },
        "a batch is appended as a whole or not at all"
    );
    appended
        .map(|appended| appended.range)
        .map_err(|error| error_code(&error))
}

/// What a batch is refused with, when only the checks are asked.
fn refused(now: Timestamp, bytes: Vec<u8>) -> Option<ErrorCode> {
    let records = Records::from_bytes(bytes);
    let checked = validate_produced(now, &config().settings, Some(OPENING), records);
    checked.err().map(|error| error_code(&error))
}

/// The same for a batch of two records with something else at `at`, and a CRC that fits.
fn refused_with(at: usize, bytes: &[u8]) -> Option<ErrorCode> {
    let mut batch = batch(&["a", "b"]);
    batch[at..at + bytes.len()].copy_from_slice(bytes);
    mend(&mut batch);
    refused(NOW, batch)
}

#[tokio::test]
async fn a_whole_batch_is_taken() {
    let range = OffsetRange {
        start: Offset(0),
        end: Offset(2),
    };
    assert_eq!(append_changed(|_| {}).await, Ok(range));
}

#[tokio::test]
async fn a_flipped_bit_is_corrupt() {
    for at in layout::CRC..batch(&["a", "b"]).len() {
        let got = append_changed(|batch| batch[at] ^= 1).await;
        assert_eq!(got, Err(ErrorCode::CORRUPT_MESSAGE), "byte {at}");
    }
}

#[test]
fn a_cut_batch_is_refused() {
    let whole = batch(&["a", "b"]);
    for length in 1..whole.len() {
        let code = match length {
            // Not even a header.
            ..layout::RECORDS => ErrorCode::CORRUPT_MESSAGE,
            _ => ErrorCode::INVALID_RECORD,
        };
        let got = refused(NOW, whole[..length].to_vec());
        assert_eq!(got, Some(code), "{length} bytes");
    }
}

#[tokio::test]
async fn a_produce_carries_exactly_one_batch() {
    let invalid = Err(ErrorCode::INVALID_RECORD);
    assert_eq!(append_changed(Vec::clear).await, invalid);
    let two = append_changed(|bytes| bytes.extend(batch(&["c"])));
    assert_eq!(two.await, invalid);
    let rubbish_behind = append_changed(|bytes| bytes.push(0));
    assert_eq!(rubbish_behind.await, invalid);
}

#[test]
fn what_only_a_broker_writes_is_refused() {
    let invalid = Some(ErrorCode::INVALID_RECORD);
    let attributes = layout::ATTRIBUTES + 1;
    assert_eq!(refused_with(attributes, &[0b10_0000]), invalid, "control");
    assert_eq!(
        refused_with(attributes, &[0b1000]),
        invalid,
        "log append time"
    );
    let gap = layout::LAST_OFFSET_DELTA + 3;
    assert_eq!(refused_with(gap, &[9]), invalid, "a gap");
    let one_too_few = layout::RECORD_COUNT + 3;
    assert_eq!(refused_with(one_too_few, &[1]), invalid, "a count");
    // A last delta of 2³¹ - 1 would force a roll for each batch.
    let huge = i32::MAX.to_be_bytes();
    assert_eq!(refused_with(layout::LAST_OFFSET_DELTA, &huge), invalid);
    let first = layout::BASE_OFFSET + 7;
    assert_eq!(refused_with(first, &[1]), invalid, "a base offset");
    let with_id = layout::PRODUCER_ID;
    let no_sequence = [&7_i64.to_be_bytes()[..], &[0, 0], &(-1_i32).to_be_bytes()].concat();
    assert_eq!(refused_with(with_id, &no_sequence), invalid, "no sequence");
}

#[test]
fn other_formats_and_codecs() {
    for magic in [0, 1] {
        let got = refused_with(layout::MAGIC, &[magic]);
        assert_eq!(got, Some(ErrorCode::INVALID_RECORD), "magic {magic}");
    }
    for magic in [3, 0xff] {
        let got = refused_with(layout::MAGIC, &[magic]);
        assert_eq!(got, Some(ErrorCode::CORRUPT_MESSAGE), "magic {magic}");
    }
    for codec in [5, 6, 7] {
        let got = refused_with(layout::ATTRIBUTES + 1, &[codec]);
        let unsupported = Some(ErrorCode::UNSUPPORTED_COMPRESSION_TYPE);
        assert_eq!(got, unsupported, "codec {codec}");
    }
}

/// A batch that no consumer can read would stop its partition's consumers for ever.
#[test]
fn an_uncompressed_batch_that_cannot_be_read_is_refused() {
    let whole = batch(&["a", "b"]);
    let mut readable = Vec::new();
    for at in layout::RECORDS..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 0xff;
        mend(&mut changed);
        match refused(NOW, changed) {
            None => readable.push(at),
            code => assert_eq!(code, Some(ErrorCode::INVALID_RECORD), "byte {at}"),
        }
    }
    // Two records of: length, attributes, timestamp, offset, key, value's length, value, headers.
    // Any attributes and any byte of a value can be read; so can some timestamps.
    let positions: Vec<usize> = readable.iter().map(|at| at - layout::RECORDS).collect();
    assert!(positions.contains(&6), "a value may be anything");
    assert!(positions.len() <= 6, "{positions:?}");
    let garbage = refused_with(layout::RECORDS, &[0xff; 8]);
    assert_eq!(garbage, Some(ErrorCode::INVALID_RECORD));
}

/// A compressed batch is opened to see whether consumers can read it.
#[test]
fn a_compressed_batch_that_cannot_be_read_is_refused() {
    for codec in CODECS {
        let good = close_batch(&batch(&["a", "b"]), codec);
        assert_eq!(refused(NOW, good.clone()), None, "{codec:?}");
        // Attributes that name a codec, and records that are not compressed.
        let mut plain = batch(&["a", "b"]);
        plain[layout::ATTRIBUTES + 1] = good[layout::ATTRIBUTES + 1];
        mend(&mut plain);
        let invalid = Some(ErrorCode::INVALID_RECORD);
        assert_eq!(refused(NOW, plain), invalid, "{codec:?}");
        let mut cut = good[..good.len() - 3].to_vec();
        let length = i32::try_from(cut.len() - layout::LENGTH_OVERHEAD).unwrap();
        cut[layout::BATCH_LENGTH..layout::PARTITION_LEADER_EPOCH]
            .copy_from_slice(&length.to_be_bytes());
        mend(&mut cut);
        assert_eq!(refused(NOW, cut), invalid, "{codec:?}, cut");
        // The first record says that it is the second one.
        let mut deltas = batch(&["a", "b"]);
        deltas[layout::RECORDS + 3] = 2;
        let deltas = close_batch(&deltas, codec);
        assert_eq!(refused(NOW, deltas), invalid, "{codec:?}, deltas");
    }
}

/// Some kilobytes that would be megabytes: the limit of the tests is 100,000 bytes.
#[test]
fn a_bomb_is_too_large() {
    for codec in CODECS {
        let bomb = close_batch(&batch(&["x".repeat(100_000).as_str()]), codec);
        assert!(bomb.len() < 6_000, "{codec:?}: {}", bomb.len());
        let settings = broker::TopicSettings::default();
        let records = Records::from_bytes(bomb);
        let checked = validate_produced(NOW, &settings, Some(OPENING), records);
        let code = error_code(&checked.unwrap_err());
        assert_eq!(code, ErrorCode::MESSAGE_TOO_LARGE, "{codec:?}");
    }
}

/// The chapters before 12 have no codecs: they believe the header.
#[test]
fn without_codecs_a_compressed_batch_is_believed() {
    let mut nonsense = batch(&["a", "b"]);
    nonsense[layout::ATTRIBUTES + 1] = 4;
    mend(&mut nonsense);
    let records = Records::from_bytes(nonsense);
    assert!(validate_produced(NOW, &config().settings, None, records).is_ok());
}

#[tokio::test]
async fn a_batch_above_max_message_bytes_is_too_large() {
    let got = append_changed(|bytes| *bytes = batch(&["x".repeat(5_000).as_str()]));
    assert_eq!(got.await, Err(ErrorCode::MESSAGE_TOO_LARGE));
}

#[test]
fn a_timestamp_more_than_an_hour_ahead_is_refused() {
    // The newest record of the batch says 1,001.
    let at = |now| refused(Timestamp(now), batch(&["a", "b"]));
    assert_eq!(at(1_001 - HOUR_MS), None);
    assert_eq!(at(1_000 - HOUR_MS), Some(ErrorCode::INVALID_TIMESTAMP));
    assert_eq!(at(i64::MIN), Some(ErrorCode::INVALID_TIMESTAMP));
    assert_eq!(at(i64::MAX), None, "how old a record is does not matter");
}

/// The header's own word counts only where the records cannot be seen.
#[tokio::test]
async fn a_header_that_lies_about_the_newest_record_is_mended() {
    let claims = [-1, 5, i64::MAX];
    let all = claims.into_iter().flat_map(|claimed| {
        let codecs = CODECS.into_iter().chain([Codec::None]);
        codecs.map(move |codec| (claimed, codec))
    });
    for (claimed, codec) in all {
        let broker = Broker::with_topic().await;
        let mut lying = close_batch(&batch(&["a", "b"]), codec);
        lying[layout::MAX_TIMESTAMP..layout::PRODUCER_ID]
            .copy_from_slice(&i64::to_be_bytes(claimed));
        mend(&mut lying);
        let answer = broker.produce(1, "t", lying).await;
        assert_eq!(answer.error_code, ErrorCode::NONE, "{claimed}");
        broker.write(1, "t", &["c"]).await;
        let partition = broker.partition("t", 0);
        let find = async |target| {
            let found = partition.find_timestamp(broker::Reader::Uncommitted, Timestamp(target));
            found.await.unwrap().map(|(_, offset)| offset.0)
        };
        assert_eq!(find(1_001).await, Some(1), "{claimed}");
        assert_eq!(find(1_002).await, None, "{claimed}");
    }
}

/// A compressed batch's newest record is at least as new as its first, whatever the header says.
#[test]
fn a_compressed_batch_from_the_future_is_refused() {
    let mut ahead = close_batch(&batch(&["a"]), Codec::Gzip);
    let far = NOW.0 + HOUR_MS + 1;
    ahead[layout::BASE_TIMESTAMP..layout::MAX_TIMESTAMP].copy_from_slice(&far.to_be_bytes());
    ahead[layout::MAX_TIMESTAMP..layout::PRODUCER_ID].copy_from_slice(&(-1_i64).to_be_bytes());
    mend(&mut ahead);
    assert_eq!(refused(NOW, ahead), Some(ErrorCode::INVALID_TIMESTAMP));
}

/// Until chapter 20: a later replay would see transactions that never end.
#[tokio::test]
async fn a_transactional_batch_is_refused_with_all_its_request() {
    let mut transactional = batch(&["a"]);
    transactional[layout::ATTRIBUTES + 1] |= 0b1_0000;
    mend(&mut transactional);
    for (id, code) in [
        (None, ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED),
        (Some("tx"), ErrorCode::INVALID_PRODUCER_ID_MAPPING),
    ] {
        let broker = Broker::start();
        broker.create("t", 2).await;
        let mut request = produce_request(1, "t", batch(&["plain"]));
        let mut second = produce_request(1, "t", transactional.clone())
            .topics
            .remove(0);
        second.partitions[0].index = 1;
        request.topics.push(second);
        request.transactional_id = id.map(str::to_owned);
        assert_eq!(codes(&broker, request).await, [code, code]);
        for index in [0, 1] {
            let ends = broker.partition("t", index).ends().unwrap();
            assert_eq!(ends.log_end, Offset(0), "nothing is appended");
        }
    }
}

async fn codes(broker: &Broker, request: ProduceRequest) -> Vec<ErrorCode> {
    let acknowledgement = broker::api::produce(broker, request).await;
    let response = crate::support::response(acknowledgement).await;
    let partitions = response.topics.iter().flat_map(|topic| &topic.partitions);
    partitions.map(|partition| partition.error_code).collect()
}
