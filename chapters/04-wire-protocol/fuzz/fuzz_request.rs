//! What the fuzz target does with an input; the chapter's tests do the same with the corpus.

use bytes::Bytes;
use wire_protocol::message::*;
use wire_protocol::{ApiKey, Decoder, Malformed, RequestHeader, Support, Wire};

/// Takes `input` for a frame, as a broker does; and its bytes from the third
/// on for a body, the first two saying of what. Any input decodes or errs.
///
/// # Panics
/// When decoding panics, or what was decoded does not survive being encoded.
pub(crate) fn fuzz_request(input: &[u8]) {
    let frame = Bytes::copy_from_slice(input);
    if let Ok((header, mut body)) = RequestHeader::decode(&frame)
        && let Support::Served(api) | Support::Canary(api) = header.support()
    {
        let flexible = api.is_flexible(header.api_version);
        let _ = body_of(api, &mut body, (header.api_version, flexible));
    }
    let [api, version, body @ ..] = input else {
        return;
    };
    let api = ApiKey::ALL[usize::from(*api) % ApiKey::ALL.len()];
    // The top bit tries the flexible form of versions that are not flexible yet.
    let flexible = version & 0x80 != 0 || api.is_flexible(i16::from(*version));
    let version = i16::from(version & 0x0f);
    let body = Bytes::copy_from_slice(body);
    let mut body = Decoder::new(&body, version, flexible);
    let _ = body_of(api, &mut body, (version, flexible));
}

fn body_of(api: ApiKey, body: &mut Decoder<'_>, form: (i16, bool)) -> Result<(), Malformed> {
    match api {
        ApiKey::Produce => there_and_back::<ProduceRequest>(body, form),
        ApiKey::Fetch => there_and_back::<FetchRequest>(body, form),
        ApiKey::ListOffsets => there_and_back::<ListOffsetsRequest>(body, form),
        ApiKey::Metadata => there_and_back::<MetadataRequest>(body, form),
        ApiKey::FindCoordinator => there_and_back::<FindCoordinatorRequest>(body, form),
        ApiKey::ApiVersions => there_and_back::<ApiVersionsRequest>(body, form),
        ApiKey::CreateTopics => there_and_back::<CreateTopicsRequest>(body, form),
        ApiKey::DeleteTopics => there_and_back::<DeleteTopicsRequest>(body, form),
        ApiKey::InitProducerId => there_and_back::<InitProducerIdRequest>(body, form),
        ApiKey::DescribeConfigs => there_and_back::<DescribeConfigsRequest>(body, form),
    }
}

/// The first decoding may have been of padded varints or of unknown tags; from
/// then on, encoding and decoding must agree.
fn there_and_back<M: Wire>(body: &mut Decoder<'_>, form: (i16, bool)) -> Result<(), Malformed> {
    let measured = M::measure(&mut body.clone()).map(|_| ());
    let decoded = M::decode(body);
    assert_eq!(
        measured,
        decoded.as_ref().map(|_| ()).map_err(|error| *error)
    );
    let bytes = Bytes::from(encode(&decoded?, form));
    let again = M::decode(&mut Decoder::new(&bytes, form.0, form.1));
    let again = again.expect("what was encoded can be decoded");
    assert_eq!(encode(&again, form), bytes);
    Ok(())
}

fn encode(message: &impl Wire, (version, flexible): (i16, bool)) -> Vec<u8> {
    let mut out = wire_protocol::Encoder::new(version, flexible);
    message.encode(&mut out);
    let mut bytes = Vec::new();
    for chunk in out.finish() {
        match chunk {
            networking::Chunk::Bytes(part) => bytes.extend_from_slice(&part),
            networking::Chunk::File(_) => unreachable!("nothing here is in a file"),
        }
    }
    bytes
}
