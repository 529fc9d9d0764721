//! Frames out of a stream of bytes.

use bytes::{BufMut, Bytes};
use spec_harness::{case, expect, expect_bytes, expect_eq, fail};

use super::part::{FrameDecoder, FrameError, PREFIX_SIZE, frame};

const LIMIT: usize = 1000;

/// A frame's layout, for failures.
const FIELDS: &[(&str, usize, usize)] = &[("payload", 0, 4)];

/// The next frame, which must be there.
fn frame_of(decoder: &mut FrameDecoder, what: &str) -> Bytes {
    match decoder.next_frame() {
        Ok(Some(payload)) => payload,
        other => fail(what, "a whole payload: Ok(Some(…))", &format!("{other:?}")),
    }
}

/// Checks that the length at the front is refused.
fn expect_refused(what: &str, decoder: &mut FrameDecoder, error: FrameError) {
    expect_eq(what, decoder.next_frame(), Err(error));
}

/// Every frame that has arrived whole.
fn all_frames(decoder: &mut FrameDecoder) -> Vec<Bytes> {
    let mut frames = Vec::new();
    while let Ok(Some(payload)) = decoder.next_frame() {
        frames.push(payload);
    }
    frames
}

#[test]
fn a_whole_frame_gives_its_payload() {
    case!(
        "A frame that has arrived whole comes out without its length, and only once.",
        || {
            let mut decoder = FrameDecoder::new(LIMIT);
            decoder.feed(&[0, 0, 0, 4, b'p', b'i', b'n', b'g']);
            let payload = frame_of(&mut decoder, "the frame 00 00 00 04 `ping`");
            expect_bytes("the payload", &payload, b"ping", FIELDS);
            expect_eq("the next frame", decoder.next_frame(), Ok(None));
            expect_eq("bytes still pending", decoder.pending(), 0);
        }
    );
}

#[test]
fn a_frame_waits_for_its_last_byte() {
    case!(
        "As long as a byte is missing there is no frame, and nothing that came is lost.",
        || {
            let mut decoder = FrameDecoder::new(LIMIT);
            let bytes = frame(b"ping");
            for (count, byte) in bytes.iter().enumerate() {
                let what = format!("the next frame after {count} of {} bytes", bytes.len());
                expect_eq(&what, decoder.next_frame(), Ok(None));
                expect_eq("bytes pending then", decoder.pending(), count);
                decoder.feed(&[*byte]);
            }
            let payload = frame_of(&mut decoder, "the frame, byte by byte");
            expect_bytes("the payload", &payload, b"ping", FIELDS);
        }
    );
}

#[test]
fn several_frames_in_one_feed_come_out_in_order() {
    case!(
        "The network does not know our frames: one read may bring three of them and a piece of the fourth.",
        || {
            let stream = [
                frame(b"one"),
                frame(b"two"),
                frame(b"three"),
                frame(b"four"),
            ]
            .concat();
            let mut decoder = FrameDecoder::new(LIMIT);
            decoder.feed(&stream[..stream.len() - 2]);
            for expected in [&b"one"[..], b"two", b"three"] {
                let payload = frame_of(&mut decoder, "the next of the frames that are whole");
                expect_bytes("its payload", &payload, expected, &[]);
            }
            expect_eq(
                "the frame that lacks 2 bytes",
                decoder.next_frame(),
                Ok(None),
            );
            decoder.feed(&stream[stream.len() - 2..]);
            let payload = frame_of(&mut decoder, "the same frame once they are there");
            expect_bytes("its payload", &payload, b"four", FIELDS);
        }
    );
}

#[test]
fn an_empty_payload_is_a_frame_too() {
    case!(
        "A length of 0 is a frame with an empty payload; the frames behind it are not lost.",
        || {
            let mut decoder = FrameDecoder::new(LIMIT);
            decoder.feed(&[frame(b""), frame(b""), frame(b"next")].concat());
            for _ in 0..2 {
                let payload = frame_of(&mut decoder, "a frame of length 0");
                expect_bytes("its payload", &payload, b"", &[]);
            }
            let payload = frame_of(&mut decoder, "the frame behind them");
            expect_bytes("its payload", &payload, b"next", FIELDS);
        }
    );
}

#[test]
fn the_frames_do_not_depend_on_the_cuts() {
    case!(
        "However the stream is cut into three pieces, inside a length or not, the same frames come out.",
        || {
            let payloads = [&b"a"[..], b"", b"0123456789", b"end"];
            let stream: Vec<u8> = payloads.iter().flat_map(|payload| frame(payload)).collect();
            for first in 0..=stream.len() {
                for second in first..=stream.len() {
                    let mut decoder = FrameDecoder::new(LIMIT);
                    let mut frames = Vec::new();
                    for piece in [&stream[..first], &stream[first..second], &stream[second..]] {
                        decoder.feed(piece);
                        frames.extend(all_frames(&mut decoder));
                    }
                    let what = format!("the frames of a stream cut at {first} and at {second}");
                    expect_eq(&what, frames, payloads.map(Bytes::from_static).to_vec());
                }
            }
        }
    );
}

#[test]
fn the_largest_frame_is_one_of_the_limit() {
    case!("A payload of exactly the limit is allowed.", || {
        let mut decoder = FrameDecoder::new(LIMIT);
        decoder.feed(&frame(&[7; LIMIT]));
        let payload = frame_of(&mut decoder, "a frame of `limit` bytes");
        expect_eq("its length", payload.len(), LIMIT);
    });
}

#[test]
fn a_length_above_the_limit_is_refused_at_once() {
    case!(
        "A length above the limit is an error as soon as its four bytes are there: waiting for 2 GB would be waiting for ever.",
        || {
            for announced in [LIMIT + 1, 0x7fff_ffff] {
                let mut decoder = FrameDecoder::new(LIMIT);
                let prefix = u32::try_from(announced).expect("it is small").to_be_bytes();
                decoder.feed(&prefix[..3]);
                expect_eq("three bytes of the length", decoder.next_frame(), Ok(None));
                decoder.feed(&prefix[3..]);
                let what = format!("the length {prefix:02x?} with a limit of {LIMIT}");
                let limit = LIMIT;
                let refused = FrameError::TooLarge { announced, limit };
                expect_refused(&what, &mut decoder, refused);
                expect_refused("the same, asked again", &mut decoder, refused);
            }
        }
    );
}

#[test]
fn a_negative_length_is_refused() {
    case!(
        "A length is signed on the wire, and a negative one is an error, not a huge number.",
        || {
            for announced in [-1, i32::MIN, -4] {
                let mut decoder = FrameDecoder::new(usize::MAX);
                decoder.feed(&announced.to_be_bytes());
                let what = format!("the length {:02x?}", announced.to_be_bytes());
                let refused = FrameError::Negative { announced };
                expect_refused(&what, &mut decoder, refused);
                decoder.feed(b"more bytes do not change that");
                expect_refused("the same with bytes behind it", &mut decoder, refused);
            }
        }
    );
}

#[test]
fn frames_in_front_of_a_bad_length_still_come_out() {
    case!(
        "A bad length spoils what is behind it, not the frames in front of it.",
        || {
            let mut decoder = FrameDecoder::new(LIMIT);
            decoder.feed(&[&frame(b"good")[..], &[0xff; 4]].concat());
            let payload = frame_of(&mut decoder, "the frame in front");
            expect_bytes("its payload", &payload, b"good", FIELDS);
            let refused = FrameError::Negative { announced: -1 };
            expect_refused("the bad length", &mut decoder, refused);
        }
    );
}

#[test]
fn nothing_is_reserved_for_what_was_only_announced() {
    case!(
        "A peer that announces 100 MB and sends 10 bytes makes us hold 10 bytes, not 100 MB.",
        || {
            let mut decoder = FrameDecoder::new(200_000_000);
            decoder.feed(&100_000_000_i32.to_be_bytes());
            decoder.feed(&[0; 10]);
            expect_eq(
                "the frame that is far from whole",
                decoder.next_frame(),
                Ok(None),
            );
            decoder.feed(&[0; 10]);
            let memory = decoder.memory();
            let what = format!("it holds below 4096 bytes of memory (it holds {memory})");
            expect(&what, memory < 4096);
            let what = format!("it holds the 24 bytes that came (it holds {memory})");
            expect(&what, memory >= 24);
        }
    );
}

#[test]
fn memory_is_given_back() {
    case!(
        "A connection that once sent 1 MB and is idle now does not keep a megabyte (`forget` sees to it).",
        || {
            let mut decoder = FrameDecoder::new(2_000_000);
            decoder.feed(&frame(&[0; 1_000_000]));
            let payload = frame_of(&mut decoder, "a frame of 1 MB");
            expect_eq("its length", payload.len(), 1_000_000);
            let memory = decoder.memory();
            let what = format!("it holds below 10,000 bytes of memory (it holds {memory})");
            expect(&what, memory < 10_000);
            decoder.feed(&frame(&[0; 1_000_000]));
            decoder.feed(&frame(b"the beginning of the next")[..20]);
            frame_of(&mut decoder, "a frame of 1 MB with a piece of the next");
            expect_eq("bytes still pending", decoder.pending(), 20);
            let memory = decoder.memory();
            let what = format!("it holds below 10,000 bytes then, too (it holds {memory})");
            expect(&what, memory < 10_000);
        }
    );
}

#[test]
fn memory_follows_what_waits() {
    case!(
        "However long requests stream in and out, memory follows what waits: at most four times as much, and little when nothing does.",
        || {
            let one = frame(b"sixteen bytes...");
            let mut decoder = FrameDecoder::new(LIMIT);
            decoder.feed(&one.repeat(1_000));
            let mut most = 0;
            for _ in 0..10_000 {
                frame_of(&mut decoder, "the next of a thousand frames");
                decoder.feed(&one);
                most = most.max(decoder.memory());
            }
            let what = format!("for the 20,000 bytes that wait it holds at most 80,000 ({most})");
            expect(&what, most <= 80_000);
            expect_eq(
                "the frames that wait",
                all_frames(&mut decoder).len(),
                1_000,
            );
            let memory = decoder.memory();
            let what = format!("when nothing waits it holds below 10,000 bytes ({memory})");
            expect(&what, memory < 10_000);
        }
    );
}

#[test]
fn what_waits_is_not_moved_for_every_frame() {
    case!(
        "When thousands of frames wait, giving one out does not move all the others: that would be quadratic.",
        || {
            let one = frame(b"sixteen bytes...");
            let mut decoder = FrameDecoder::new(LIMIT);
            decoder.feed(&one.repeat(2_000));
            let mut moved = 0;
            for _ in 0..1_000 {
                let next = decoder.arrived()[one.len()..].as_ptr();
                frame_of(&mut decoder, "the next of thousands of frames");
                moved += u32::from(decoder.arrived().as_ptr() != next);
                let next = decoder.arrived().as_ptr();
                decoder.feed(&one);
                moved += u32::from(decoder.arrived().as_ptr() != next);
            }
            let what = format!(
                "in 1,000 frames out and 1,000 in, what waits is moved at most 10 times (it was {moved} times)"
            );
            expect(&what, moved <= 10);
        }
    );
}

#[test]
fn a_large_payload_is_given_out_where_it_is() {
    case!(
        "A payload that fills the buffer is not copied: it is given out with the buffer (`take` sees to it).",
        || {
            let mut decoder = FrameDecoder::new(1_000_000);
            decoder.feed(&frame(&[7; 1_000_000]));
            let place = decoder.arrived()[4..].as_ptr();
            let payload = frame_of(&mut decoder, "a frame of 1 MB");
            expect_eq("its length", payload.len(), 1_000_000);
            expect(
                "the payload is where its bytes arrived",
                payload.as_ptr() == place,
            );
        }
    );
}

#[test]
fn a_small_payload_does_not_keep_a_large_buffer() {
    case!(
        "A payload may live long. A small one that came with many others is copied, so that it does not keep them all alive.",
        || {
            let mut decoder = FrameDecoder::new(LIMIT);
            decoder.feed(&frame(b"sixteen bytes...").repeat(1_000));
            let payload = frame_of(&mut decoder, "the first of a thousand small frames");
            drop(decoder);
            let memory = payload
                .try_into_mut()
                .map_or(usize::MAX, |alone| alone.capacity());
            let what = format!("16 bytes keep at most 4096 bytes alive (they keep {memory})");
            expect(&what, memory <= 4096);
        }
    );
}

#[test]
fn room_follows_what_has_arrived() {
    case!(
        "The rest of a frame is read straight into its room: no more than is missing, and not much more than has arrived.",
        || {
            let payload: Vec<u8> = (0..2_000_000_u32)
                .map(|number| (number % 251) as u8)
                .collect();
            let stream = frame(&payload);
            let mut decoder = FrameDecoder::new(payload.len());
            expect_eq("missing of nothing", decoder.missing(), 0);
            decoder.feed(&stream[..3]);
            expect_eq(
                "missing, in three bytes of the length",
                decoder.missing(),
                0,
            );
            decoder.feed(&stream[3..10]);
            let (mut arrived, mut steps) = (10, 0);
            while arrived < stream.len() {
                expect_eq(
                    "the frame that is not whole",
                    decoder.next_frame(),
                    Ok(None),
                );
                expect_eq("bytes missing", decoder.missing(), stream.len() - arrived);
                let mut room = decoder.room();
                let count = room.remaining_mut();
                let what = format!(
                    "when {arrived} bytes have arrived, there is room for at most as many, or 4096, and never for more than 256 KiB (there is room for {count})"
                );
                expect(&what, count > 0 && count <= arrived.clamp(4096, 256 * 1024));
                room.put_slice(&stream[arrived..arrived + count]);
                drop(room);
                let memory = decoder.memory();
                let what = format!(
                    "when {arrived} bytes have arrived, room and all are at most twice as much, or 4096 more (it holds {memory})"
                );
                expect(&what, memory <= arrived + arrived.max(4096));
                arrived += count;
                steps += 1;
            }
            expect(
                &format!("the room grows: 16 steps at most (it took {steps})"),
                steps <= 16,
            );
            expect_eq("missing of a whole frame", decoder.missing(), 0);
            let got = frame_of(&mut decoder, "the frame");
            expect_bytes("the payload", &got, &payload, FIELDS);
        }
    );
}

#[test]
fn a_trickle_is_not_moved_for_every_read() {
    case!(
        "A large frame may come a hundred bytes at a time. Room that is left is used first: memory grows a few times, not at each read.",
        || {
            let stream = frame(&[7; 500_000]);
            let mut decoder = FrameDecoder::new(500_000);
            decoder.feed(&stream[..PREFIX_SIZE]);
            let (mut memory, mut grown) = (0, 0);
            for piece in stream[PREFIX_SIZE..].chunks(100) {
                expect_eq(
                    "the frame that is not whole",
                    decoder.next_frame(),
                    Ok(None),
                );
                decoder.room().put_slice(piece);
                grown += u32::from(decoder.memory() != memory);
                memory = decoder.memory();
            }
            let what =
                format!("in 5,000 reads memory grows at most 100 times (it grew {grown} times)");
            expect(&what, grown <= 100);
            frame_of(&mut decoder, "the frame, a hundred bytes at a time");
        }
    );
}

#[test]
fn there_is_no_room_for_what_is_refused() {
    case!(
        "A length that is refused makes no room; a short one makes room for its own frame only, also in a buffer that was larger.",
        || {
            let mut decoder = FrameDecoder::new(LIMIT);
            decoder.feed(&frame(b"sixteen bytes...").repeat(100));
            let whole = all_frames(&mut decoder).len();
            expect_eq("frames that were whole", whole, 100);
            decoder.feed(&frame(b"sixteen bytes...")[..10]);
            expect_eq("missing of a short frame", decoder.missing(), 10);
            expect_eq("its room", decoder.room().remaining_mut(), 10);
            for length in [-1, 1 + i32::try_from(LIMIT).expect("small"), i32::MAX] {
                let mut decoder = FrameDecoder::new(LIMIT);
                decoder.feed(&length.to_be_bytes());
                let what = format!("missing of a frame of {length} bytes with a limit of {LIMIT}");
                expect_eq(&what, decoder.missing(), 0);
            }
            // It needs the task, too.
            expect_eq(
                "the short frame is not whole",
                decoder.next_frame(),
                Ok(None),
            );
        }
    );
}
