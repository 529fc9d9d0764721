//! Frames as bytes.

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use rpc_original::{
    Answer, Call, Failure, Malformed, answer_frame, call_frame, get_answer, get_call, take_frame,
};

const MAX: i32 = 1000;

fn call() -> Call {
    Call {
        interface: "a.B".to_owned(),
        method: "hi".to_owned(),
        argument: "ü".to_owned(),
    }
}

/// Takes the only frame.
fn taken(frame: &[u8]) -> (i32, Bytes) {
    let mut buffer = BytesMut::from(frame);
    let taken = take_frame(&mut buffer, MAX).unwrap().unwrap();
    assert!(buffer.is_empty());
    taken
}

// ANCHOR: call-frame
/// Counted by hand: header 16, type byte 1, three lengths 12, `a.B` 3, `hi` 2, and the
/// argument's type byte with two bytes of UTF-8 3, which makes 37.
const CALL_FRAME: &[u8] = b"\0\0\0\x25\0\0\0\0\0\0\0\x01\0\0\0\x07\
    \x65\0\0\0\x03a.B\0\0\0\x02hi\0\0\0\x03\0\xc3\xbc";
// ANCHOR_END: call-frame

/// Header 16, code 4, length of no message 4, type byte and `ok` 3, which makes 27.
const RESULT_FRAME: &[u8] = b"\0\0\0\x1b\0\0\0\0\0\0\0\x01\0\0\0\x07\0\0\0\0\0\0\0\0\0ok";

/// Header 16, code 4, length 4, `No provider!` 12, which makes 36. No payload, not even a
/// type byte.
const FAILURE_FRAME: &[u8] = b"\0\0\0\x24\0\0\0\0\0\0\0\x01\xff\xff\xff\xff\
    \xff\xff\xff\xfe\0\0\0\x0cNo provider!";

#[test]
fn a_call_is_these_bytes() {
    assert_eq!(call_frame(7, &call()), CALL_FRAME);
    let (id, rest) = taken(CALL_FRAME);
    assert_eq!((id, get_call(rest)), (7, Some(call())));
}

#[test]
fn a_result_is_these_bytes() {
    let answer = Ok("ok".to_owned());
    assert_eq!(answer_frame(7, &answer), RESULT_FRAME);
    let (id, rest) = taken(RESULT_FRAME);
    assert_eq!((id, get_answer(rest)), (7, Some(answer)));
}

#[test]
fn a_failure_is_these_bytes() {
    let answer = Err(Failure {
        code: -2,
        message: "No provider!".to_owned(),
    });
    assert_eq!(answer_frame(-1, &answer), FAILURE_FRAME);
    let (id, rest) = taken(FAILURE_FRAME);
    assert_eq!((id, get_answer(rest)), (-1, Some(answer)));
}

#[test]
fn a_length_that_no_frame_has_is_refused_before_the_frame_is_there() {
    for length in [i32::MIN, -1, 0, 15, MAX + 1, i32::MAX] {
        let mut buffer = BytesMut::from(&length.to_be_bytes()[..]);
        assert_eq!(take_frame(&mut buffer, MAX), Err(Malformed), "{length}");
    }
    let mut buffer = BytesMut::from(&MAX.to_be_bytes()[..]);
    assert_eq!(take_frame(&mut buffer, MAX), Ok(None));
}

#[test]
fn another_type_and_another_version_are_refused() {
    for index in 4..12 {
        let mut frame = BytesMut::from(CALL_FRAME);
        frame[index] ^= 2;
        assert_eq!(take_frame(&mut frame, MAX), Err(Malformed), "byte {index}");
    }
}

#[test]
fn a_length_inside_that_is_longer_than_what_is_there_is_refused() {
    let (_, call) = taken(CALL_FRAME);
    for (at, length) in [(1, i32::MAX), (1, -1), (8, 9), (14, 4), (14, 2)] {
        let mut call = call.to_vec();
        call[at..at + 4].copy_from_slice(&i32::to_be_bytes(length));
        assert_eq!(get_call(call.into()), None, "{length} at {at}");
    }
    let longer = [&call[..], b"x"].concat();
    assert_eq!(get_call(longer.into()), None, "something is behind it");
    let (_, failure) = taken(FAILURE_FRAME);
    let mut failure = failure.to_vec();
    failure[4..8].copy_from_slice(&13_i32.to_be_bytes());
    assert_eq!(get_answer(failure.into()), None);
}

#[test]
fn a_value_of_another_type_and_text_that_is_no_utf_8_are_refused() {
    let (_, call) = taken(CALL_FRAME);
    for at in [0, call.len() - 3, call.len() - 1] {
        let mut call = call.to_vec();
        call[at] ^= 0x80;
        assert_eq!(get_call(call.into()), None, "byte {at}");
    }
    let (_, result) = taken(RESULT_FRAME);
    for at in [result.len() - 3, result.len() - 1] {
        let mut result = result.to_vec();
        result[at] |= 0x80;
        assert_eq!(get_answer(result.into()), None, "byte {at}");
    }
    assert_eq!(get_answer(result.slice(..8)), None);
}

proptest! {
    #[test]
    fn what_is_put_is_got_however_it_arrives(
        id in any::<i32>(),
        texts in any::<[String; 3]>(),
        code in prop_oneof![Just(0), any::<i32>()],
        cut in 0_usize..200,
    ) {
        let [interface, method, argument] = texts;
        let answer: Answer = match code {
            0 => Ok(argument.clone()),
            code => Err(Failure { code, message: method.clone() }),
        };
        let call = Call { interface, method, argument };
        let mut whole = call_frame(id, &call);
        whole.extend(answer_frame(id, &answer));
        let mut buffer = BytesMut::new();
        let mut frames = Vec::new();
        let cut = cut.min(whole.len());
        for piece in [&whole[..cut], &whole[cut..]] {
            buffer.extend_from_slice(piece);
            while let Some(frame) = take_frame(&mut buffer, i32::MAX).unwrap() {
                frames.push(frame);
            }
        }
        prop_assert!(buffer.is_empty());
        prop_assert_eq!(frames.len(), 2);
        prop_assert_eq!((frames[0].0, get_call(frames[0].1.clone())), (id, Some(call)));
        prop_assert_eq!((frames[1].0, get_answer(frames[1].1.clone())), (id, Some(answer)));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
        let rest = Bytes::from(bytes.clone());
        if let Some(call) = get_call(rest.clone()) {
            prop_assert_eq!(&call_frame(0, &call)[16..], &rest[..]);
        }
        if let Some(answer) = get_answer(rest) {
            prop_assert!(answer_frame(0, &answer).len() <= 16 + bytes.len());
        }
        let mut buffer = BytesMut::from(&bytes[..]);
        let _ = take_frame(&mut buffer, MAX);
    }
}
