//! Frames from bytes and from sockets.

use std::time::Duration;

use bytes::Bytes;
use networking::{FrameDecoder, FrameError, FrameReader, ReadError, frame};
use proptest::prelude::*;
use tokio::io::AsyncWriteExt;

use crate::{LIMIT, socket_pair, soon};

const FRAME_LIMIT: usize = 1 << 20;

#[tokio::test]
async fn a_peer_that_drips_its_bytes_is_understood() {
    let (here, mut there) = socket_pair().await;
    there.set_nodelay(true).unwrap();
    let mut frames = FrameReader::new(here, FRAME_LIMIT);
    let drip = tokio::spawn(async move {
        for byte in [frame(b"slow"), frame(b""), frame(b"peer")].concat() {
            there.write_all(&[byte]).await.unwrap();
            tokio::task::yield_now().await;
        }
    });
    for expected in [&b"slow"[..], b"", b"peer"] {
        let payload = soon("a frame", frames.next(LIMIT)).await.unwrap();
        assert_eq!(payload.as_deref(), Some(expected));
    }
    assert!(soon("the end", frames.next(LIMIT)).await.unwrap().is_none());
    drip.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_holds_half_a_frame_open_is_given_up() {
    let (here, mut there) = tokio::io::duplex(100);
    let mut frames = FrameReader::new(here, FRAME_LIMIT);
    there.write_all(&frame(b"half")[..6]).await.unwrap();
    let idle = Duration::from_secs(600);
    let began = tokio::time::Instant::now();
    let error = frames.next(idle).await.unwrap_err();
    assert!(matches!(error, ReadError::Idle(_)), "{error}");
    assert_eq!(began.elapsed(), idle);
    there.write_all(&frame(b"half")[6..]).await.unwrap();
    let payload = frames.next(idle).await.unwrap();
    assert_eq!(payload.as_deref(), Some(&b"half"[..]), "nothing is lost");
}

#[tokio::test]
async fn the_end_between_frames_is_not_the_end_inside_one() {
    for (sent, is_cut_off) in [(&frame(b"whole")[..], false), (&frame(b"cut")[..5], true)] {
        let (here, mut there) = tokio::io::duplex(100);
        there.write_all(sent).await.unwrap();
        drop(there);
        let mut frames = FrameReader::new(here, FRAME_LIMIT);
        let first = frames.next(LIMIT).await;
        if is_cut_off {
            assert!(matches!(first, Err(ReadError::CutOff)), "{first:?}");
        } else {
            assert_eq!(first.unwrap().as_deref(), Some(&b"whole"[..]));
            assert!(frames.next(LIMIT).await.unwrap().is_none());
        }
    }
}

#[tokio::test]
async fn a_reader_that_is_dropped_while_it_waits_loses_nothing() {
    let (here, mut there) = tokio::io::duplex(100);
    let mut frames = FrameReader::new(here, FRAME_LIMIT);
    for byte in frame(b"ping") {
        let waiting = tokio::time::timeout(Duration::ZERO, frames.next(LIMIT)).await;
        assert!(waiting.is_err(), "the frame is not whole yet");
        there.write_all(&[byte]).await.unwrap();
    }
    let payload = frames.next(LIMIT).await.unwrap();
    assert_eq!(payload.as_deref(), Some(&b"ping"[..]));
}

/// Thousands of connections wait like this, so what one of them holds counts.
#[tokio::test]
async fn a_reader_that_waits_between_frames_is_small() {
    let (here, mut there) = tokio::io::duplex(1 << 20);
    let mut frames = FrameReader::new(here, FRAME_LIMIT);
    there.write_all(&frame(&[0; 500_000])).await.unwrap();
    frames.next(LIMIT).await.unwrap();
    let waiting = frames.next(LIMIT);
    assert!(size_of_val(&waiting) < 1024, "{}", size_of_val(&waiting));
    drop(waiting);
    assert!(size_of_val(&frames) < 1024, "{}", size_of_val(&frames));
}

#[tokio::test]
async fn garbage_is_an_error_and_not_an_allocation() {
    for garbage in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        &[0x80; 64],
        &[0x7f, 0xff, 0xff, 0xff],
    ] {
        let mut frames = FrameReader::new(garbage, FRAME_LIMIT);
        let error = frames.next(LIMIT).await.unwrap_err();
        assert!(matches!(error, ReadError::Frame(_)), "{error}");
    }
}

#[test]
fn many_small_frames_in_one_feed_and_a_large_one_in_small_pieces() {
    let mut decoder = FrameDecoder::new(usize::MAX);
    let many = frame(b"x").repeat(100_000);
    decoder.feed(&many);
    for round in 0..100_000 {
        assert_eq!(decoder.next_frame(), Ok(Some(Bytes::from_static(b"x"))));
        if round % 100 == 0 {
            decoder.feed(&[]);
        }
    }
    let large = frame(&vec![7; 2_000_000]);
    for piece in large.chunks(100) {
        assert_eq!(decoder.next_frame(), Ok(None));
        decoder.feed(piece);
    }
    assert_eq!(decoder.next_frame().unwrap().unwrap().len(), 2_000_000);
}

#[test]
fn payloads_that_are_given_out_together_share_memory_up_to_32_kib() {
    let mut decoder = FrameDecoder::new(FRAME_LIMIT);
    let distance = |payloads: &[Bytes]| {
        (payloads[1].as_ptr() as usize).abs_diff(payloads[0].as_ptr() as usize)
    };
    decoder.feed(
        &[
            frame(&[1; 6000]),
            frame(&[2; 6000]),
            frame(&[3; 10])[..9].to_vec(),
        ]
        .concat(),
    );
    let payloads = decoder.next_frames().unwrap();
    assert_eq!(distance(&payloads), 4 + 6000);
    assert_eq!(payloads, [&[1; 6000][..], &[2; 6000]]);
    assert!(
        decoder.memory() <= 4096,
        "{} are kept for 9",
        decoder.memory()
    );
    decoder.feed(&frame(&[3; 10])[9..]);
    assert_eq!(decoder.next_frames().unwrap(), [&[3; 10][..]]);
    decoder.feed(&frame(&[4; 17_000]).repeat(2));
    let payloads = decoder.next_frames().unwrap();
    assert_eq!(payloads, [&[4; 17_000][..], &[4; 17_000]]);
    assert_ne!(
        distance(&payloads),
        4 + 17_000,
        "each has memory of its own"
    );
    decoder.feed(&[frame(b"good"), vec![0xff; 4]].concat());
    let error = FrameError::Negative { announced: -1 };
    assert_eq!(decoder.next_frames(), Err(error));
    assert_eq!(decoder.next_frame(), Err(error));
}

#[test]
fn however_many_payloads_have_come_they_are_given_out_together_and_in_order() {
    // Payloads of 3,000 frames with their prefixes are less than 32 KiB, of 8,000 they are more.
    for count in [3_000, 8_000_u16] {
        let payload = |number: u16| number.to_be_bytes()[..usize::from(number % 3)].to_vec();
        let payloads: Vec<Vec<u8>> = (0..count).map(payload).collect();
        let mut decoder = FrameDecoder::new(FRAME_LIMIT);
        let stream: Vec<Vec<u8>> = payloads.iter().map(|payload| frame(payload)).collect();
        decoder.feed(&[stream.concat(), frame(b"half")[..6].to_vec()].concat());
        assert_eq!(decoder.next_frames().unwrap(), payloads);
        assert!(decoder.next_frames().unwrap().is_empty());
        decoder.feed(&frame(b"half")[6..]);
        assert_eq!(decoder.next_frames().unwrap(), [&b"half"[..]]);
    }
}

#[test]
fn payloads_share_memory_if_all_that_has_come_is_at_most_32_kib() {
    for (more, do_share) in [(0, true), (1, false)] {
        let mut decoder = FrameDecoder::new(FRAME_LIMIT);
        // Small ones, of which none takes the buffer along.
        let last = vec![2; 1024 - 4 + more];
        decoder.feed(&[frame(&[1; 1024 - 4]).repeat(31), frame(&last)].concat());
        let mut payloads = decoder.next_frames().unwrap();
        assert_eq!(payloads.len(), 32);
        let distances = payloads.windows(2).map(|pair| {
            let places = pair.iter().map(|payload| payload.as_ptr() as usize);
            places.reduce(|first, second| second.wrapping_sub(first))
        });
        let are_neighbours = distances.clone().all(|distance| distance == Some(1024));
        assert_eq!(are_neighbours, do_share, "{more}");
        // The first one alone: what it keeps alive is from its start to the end of all.
        payloads.truncate(1);
        let kept = payloads.remove(0).try_into_mut().unwrap().capacity();
        let most = if do_share { 32 * 1024 } else { 2 * 1024 };
        assert!(kept <= most, "{kept} bytes are kept with {more}");
    }
}

#[test]
fn an_error_is_that_of_the_first_bad_prefix_and_memory_follows_what_waits() {
    let mut decoder = FrameDecoder::new(9_000);
    let good = frame(&[1; 2_000]).repeat(4);
    let too_large = 9_001_i32.to_be_bytes();
    decoder.feed(&[&good, &too_large[..], &[0xff; 4]].concat());
    let error = FrameError::TooLarge {
        announced: 9_001,
        limit: 9_000,
    };
    assert_eq!(decoder.next_frames(), Err(error));
    assert_eq!(decoder.pending(), 8);
    assert!(decoder.memory() <= 4096, "{} are kept", decoder.memory());
    decoder.feed(&good);
    assert_eq!(decoder.next_frames(), Err(error));
    assert_eq!(decoder.next_frame(), Err(error));
}

/// Mostly short, as random bytes are slow to make; some large enough to give memory back.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        9 => prop::collection::vec(any::<u8>(), 0..40),
        1 => any::<u8>().prop_map(|byte| vec![byte; 9000]),
    ]
}

proptest! {
    #[test]
    fn frames_do_not_depend_on_the_cuts(
        payloads in prop::collection::vec(payload(), 0..12),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let stream: Vec<u8> = payloads.iter().flat_map(|payload| frame(payload)).collect();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        cuts.push(stream.len());
        cuts.sort_unstable();
        let (mut decoder, mut together) = (FrameDecoder::new(9000), FrameDecoder::new(9000));
        let mut frames = Vec::new();
        let mut fed = 0;
        for cut in cuts {
            decoder.feed(&stream[fed..cut]);
            together.feed(&stream[fed..cut]);
            fed = cut;
            let first = frames.len();
            while let Some(payload) = decoder.next_frame().unwrap() {
                frames.push(payload);
            }
            prop_assert_eq!(&together.next_frames().unwrap(), &frames[first..]);
            prop_assert_eq!(together.pending(), decoder.pending());
        }
        prop_assert_eq!(frames, payloads);
        prop_assert_eq!(decoder.pending(), 0);
    }

    #[test]
    fn any_bytes_are_frames_or_an_error_and_memory_follows_what_arrived(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        limit in 0..400_usize,
    ) {
        let mut decoder = FrameDecoder::new(limit);
        decoder.feed(&bytes);
        loop {
            let before = decoder.pending();
            match decoder.next_frame() {
                Ok(Some(payload)) => {
                    prop_assert!(payload.len() <= limit);
                    prop_assert_eq!(decoder.pending() + 4 + payload.len(), before);
                }
                Ok(None) => break,
                Err(FrameError::Negative { announced }) => {
                    prop_assert!(announced < 0);
                    break;
                }
                Err(FrameError::TooLarge { announced, .. }) => {
                    prop_assert!(announced > limit);
                    break;
                }
            }
        }
        prop_assert!(decoder.memory() <= 2 * bytes.len() + 64);
    }
}
