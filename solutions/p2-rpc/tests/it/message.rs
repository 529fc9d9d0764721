//! Messages as bytes.

use std::time::Duration;

use bytes::Bytes;
use fastrand::Rng;
use rpc_solution::{
    Call, CallId, Error, HEADER_MAX, Hello, Malformed, Side, Target, ToClient, ToServer, get, put,
    whole_millis,
};
use serde::Serialize;

fn call(id: u32, trace: u64) -> ToServer {
    ToServer::Call(Call {
        id: CallId(id),
        patience_ms: 10_000,
        credit: 32,
        target: Target {
            service: 0xaabb_ccdd,
            method: 0x44,
            codec: 1,
        },
        trace,
    })
}

fn to_server() -> Vec<(ToServer, &'static [u8])> {
    vec![
        (ToServer::Hello(Hello::OURS), b"\0mqrp\x01"),
        (
            call(300, 0),
            b"\x01\xac\x02\x90\x4e\x20\xdd\x99\xef\xd5\x0a\x44\x01\0",
        ),
        (
            call(7, 300),
            b"\x01\x07\x90\x4e\x20\xdd\x99\xef\xd5\x0a\x44\x01\xac\x02",
        ),
        (ToServer::Cancel(CallId(7)), b"\x02\x07"),
        (ToServer::Credit(CallId(7), 16), b"\x03\x07\x10"),
        (ToServer::Ping, b"\x04"),
    ]
}

fn to_client() -> Vec<(ToClient, &'static [u8])> {
    let reply = |ended| ToClient::Reply(CallId(7), ended);
    vec![
        (ToClient::Hello(Hello::OURS), b"\0mqrp\x01"),
        (reply(Ok(Side::Value)), b"\x01\x07\0\0"),
        (reply(Ok(Side::Error)), b"\x01\x07\0\x01"),
        (reply(Err(Error::DeadlinePassed)), b"\x01\x07\x01\0"),
        (reply(Err(Error::Overloaded)), b"\x01\x07\x01\x03"),
        (reply(Err(Error::Stopping)), b"\x01\x07\x01\x04"),
        (reply(Err(Error::NoProvider)), b"\x01\x07\x01\x05"),
        (reply(Err(Error::NoMethod)), b"\x01\x07\x01\x06"),
        (reply(Err(Error::BadRequest)), b"\x01\x07\x01\x07"),
        (reply(Err(Error::Panicked)), b"\x01\x07\x01\x08"),
        (reply(Err(Error::TooLarge)), b"\x01\x07\x01\x09"),
        (ToClient::Item(CallId(7)), b"\x02\x07"),
        (ToClient::Pong, b"\x03"),
        (ToClient::GoAway, b"\x04"),
    ]
}

/// `payload` as a whole frame.
fn framed(payload: &[u8]) -> Vec<u8> {
    let length = i32::try_from(payload.len()).unwrap();
    [&length.to_be_bytes(), payload].concat()
}

fn check<M>(message: M, header: &'static [u8])
where
    M: Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug,
{
    for body in [&b""[..], b"body"] {
        let payload = [header, body].concat();
        let mut out = vec![9];
        put(&message, body, &mut out);
        assert_eq!(out, [&[9][..], &framed(&payload)].concat(), "{message:?}");
        let (found, rest) = get::<M>(Bytes::from(payload)).unwrap();
        assert_eq!((&found, &rest[..]), (&message, body));
    }
    for length in 0..header.len() {
        assert_eq!(
            get::<M>(Bytes::from_static(&header[..length])),
            Err(Malformed)
        );
    }
}

#[test]
fn every_message_has_its_bytes_and_comes_back_and_none_is_cut() {
    for (message, header) in to_server() {
        check(message, header);
    }
    for (message, header) in to_client() {
        check(message, header);
    }
}

#[test]
fn an_unknown_kind_side_or_error_is_malformed() {
    assert_eq!(get::<ToServer>(Bytes::from_static(b"\x05")), Err(Malformed));
    for payload in [
        &b"\x05"[..],
        b"\x01\x07\0\x02",
        b"\x01\x07\x01\x63",
        b"\x01\x07\x02\0",
    ] {
        let found = get::<ToClient>(Bytes::from_static(payload));
        assert_eq!(found, Err(Malformed), "{payload:?}");
    }
}

#[test]
fn patience_is_rounded_up_and_bounded() {
    for (patience, millis) in [
        (Duration::ZERO, 0),
        (Duration::from_nanos(1), 1),
        (Duration::from_micros(1_001), 2),
        (Duration::from_millis(7_000), 7_000),
        (Duration::from_nanos(999_999_999), 1_000),
        (Duration::MAX, u32::MAX),
    ] {
        assert_eq!(whole_millis(patience), millis);
    }
}

#[test]
fn the_longest_header_is_bounded() {
    let mut out = Vec::new();
    let longest = ToServer::Call(Call {
        id: CallId(u32::MAX),
        patience_ms: u32::MAX,
        credit: u32::MAX,
        target: Target {
            service: u32::MAX,
            method: u32::MAX,
            codec: u8::MAX,
        },
        trace: u64::MAX,
    });
    put(&longest, b"", &mut out);
    assert!(out.len() <= HEADER_MAX, "{}", out.len());
}

#[test]
fn any_bytes_are_a_message_or_malformed() {
    fn check<M>(payload: Bytes)
    where
        M: Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug,
    {
        let Ok((message, body)) = get::<M>(payload) else {
            return;
        };
        let mut out = Vec::new();
        put(&message, &body, &mut out);
        let again = get::<M>(Bytes::from(out.split_off(4))).unwrap();
        assert_eq!(again, (message, body));
    }
    let mut rng = Rng::with_seed(1);
    for _ in 0..100_000 {
        let mut payload = vec![0; rng.usize(0..40)];
        rng.fill(&mut payload);
        if let Some(kind) = payload.first_mut() {
            *kind %= 6;
        }
        let payload = Bytes::from(payload);
        check::<ToServer>(payload.clone());
        check::<ToClient>(payload);
    }
}
