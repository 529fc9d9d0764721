//! What holds for every message in every version.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use crate::bodies::{self, Body};
use crate::random::Source;

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(4),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Any bytes to make values from.
fn entropy() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..1500)
}

fn any_body() -> impl Strategy<Value = Body> {
    (0..bodies::all().len()).prop_map(|index| bodies::all()[index])
}

// `Body` holds functions, which print as addresses; its name says more.
impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

proptest! {
    #![proptest_config(config(100))]

    #[test]
    fn what_is_encoded_is_decoded(entropy in entropy()) {
        for body in bodies::all() {
            for form in body.forms_and_flexible() {
                let bytes = body.random(&mut Source::new(&entropy), form);
                prop_assert_eq!((body.decode)(&bytes, form), Ok(0), "{:?} {:?}", body, form);
                let again = (body.recode)(&bytes, form).unwrap();
                prop_assert_eq!(again, bytes, "{:?} {:?}", body, form);
            }
        }
    }

    #[test]
    fn an_old_reader_skips_tagged_fields(entropy in entropy(), tail in any::<[u8; 3]>()) {
        for body in bodies::all() {
            for form in body.forms_and_flexible().into_iter().filter(|form| form.flexible) {
                let bytes = body.random(&mut Source::new(&entropy), form);
                let (&count, before) = bytes.split_last().unwrap();
                if count != 0 {
                    continue; // A tagged field of ours is there already.
                }
                let fields = [&[2, 70, 3][..], &tail, &[79, 0]].concat();
                let newer = [before, &fields].concat();
                prop_assert_eq!((body.decode)(&newer, form), Ok(0), "{:?} {:?}", body, form);
                prop_assert_eq!((body.recode)(&newer, form), Ok(bytes), "{:?} {:?}", body, form);
            }
        }
    }

    #[test]
    fn what_follows_the_last_field_is_left_alone(entropy in entropy(), tail in any::<[u8; 5]>()) {
        for body in bodies::all() {
            for form in body.forms_and_flexible() {
                let bytes = body.random(&mut Source::new(&entropy), form);
                let longer = [&bytes[..], &tail].concat();
                prop_assert_eq!((body.decode)(&longer, form), Ok(tail.len()), "{:?}", body);
                prop_assert_eq!((body.recode)(&longer, form), Ok(bytes), "{:?} {:?}", body, form);
            }
        }
    }

    #[test]
    fn whatever_is_cut_off_is_an_error(body in any_body(), entropy in entropy()) {
        for form in body.forms_and_flexible() {
            let bytes = body.random(&mut Source::new(&entropy), form);
            for cut in 0..bytes.len() {
                let got = (body.decode)(&bytes[..cut], form);
                prop_assert!(got.is_err(), "{:?} {:?} cut at {}", body, form, cut);
            }
        }
    }
}
