//! What is gathered for one write.

use std::io::IoSlice;

use bytes::{Buf, Bytes};
use networking::Gathered;
use proptest::prelude::*;

proptest! {
    #[test]
    fn it_is_what_was_pushed_in_its_order(
        lengths in proptest::collection::vec(0_usize..5_000, 0..10),
        steps in proptest::collection::vec(1_usize..6_000, 1..20),
    ) {
        let message = |number: usize, length| vec![u8::try_from(number).unwrap(); length];
        let messages: Vec<Vec<u8>> = lengths.iter().enumerate()
            .map(|(number, length)| message(number, *length)).collect();
        let mut gathered = Gathered::default();
        for message in &messages {
            gathered.push(message.clone().into());
        }
        let expected = messages.concat();
        prop_assert_eq!(gathered.remaining(), expected.len());
        let mut slices = [IoSlice::new(&[]); 64];
        let count = gathered.chunks_vectored(&mut slices);
        prop_assert_eq!(slices[..count].iter().flat_map(|piece| piece.to_vec()).collect::<Vec<u8>>(), expected.clone());
        let mut taken = Vec::new();
        for step in steps.iter().cycle() {
            if !gathered.has_remaining() {
                break;
            }
            let count = (*step).min(gathered.remaining());
            taken.extend_from_slice(&gathered.copy_to_bytes(count));
            prop_assert_eq!(gathered.remaining(), expected.len() - taken.len());
        }
        prop_assert_eq!(taken, expected);
    }
}

#[test]
fn long_pieces_are_not_copied() {
    let records = Bytes::from(vec![7; 16 * 1024]);
    let message = Gathered::from(vec![Bytes::from_static(b"head"), records.clone()]);
    let mut batch = Gathered::default();
    batch.push(b"length".to_vec().into());
    batch.push(message);
    batch.push(Gathered::from(vec![8; 10]));
    let mut slices = [IoSlice::new(&[]); 64];
    let count = batch.chunks_vectored(&mut slices);
    let lengths: Vec<usize> = slices[..count].iter().map(|piece| piece.len()).collect();
    assert_eq!(lengths, [6, 4, 16 * 1024, 10]);
    assert_eq!(slices[2].as_ptr(), records.as_ptr());
}
