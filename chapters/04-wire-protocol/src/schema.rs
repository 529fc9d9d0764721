//! The schema language: a message is its fields, each with the versions that have it.
//!
//! ```text
//! messages! {
//!     /// What the struct is for.
//!     InitProducerIdResponse {
//!         /// What the field is for.
//!         throttle_time_ms: i32 [0..];
//!         /// A field that begins with version 3, and its value in older ones.
//!         leader_epoch: i32 [3..] = -1;
//!     }
//! }
//! ```

/// Declares structs with [`Wire`](crate::Wire) and [`Default`].
///
/// A field that a version does not have is skipped in both directions; decoding
/// gives it its default. Fields are written in the order in which they stand.
/// `[3..]` says that versions from 3 on have the field, `[0..=2]` that 0 to 2 do.
macro_rules! messages {
    ($(
        $(#[$struct_meta:meta])*
        $name:ident {
            $(
                $(#[$field_meta:meta])*
                $field:ident : $type:ty [$versions:expr] $(= $default:expr)? ;
            )*
        }
    )*) => {$(
        $(#[$struct_meta])*
        #[derive(Debug, Clone)]
        pub struct $name {
            $( $(#[$field_meta])* pub $field: $type, )*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $( $field: $crate::schema::default_of!($($default)?), )* }
            }
        }

        impl $crate::Wire for $name {
            fn size_min(form: $crate::Form) -> usize {
                // The 1 is the count of tagged fields.
                usize::from(form.flexible)
                $( + if $versions.contains(&form.version) {
                    <$type as $crate::Wire>::size_min(form)
                } else {
                    0
                } )*
            }

            // ANCHOR: encode
            fn encode(&self, out: &mut $crate::Encoder) {
                $( if $versions.contains(&out.version()) {
                    $crate::Wire::encode(&self.$field, out);
                } )*
                out.end_struct();
            }

            fn decode(input: &mut $crate::Decoder<'_>) -> Result<Self, $crate::Malformed> {
                let decoded = Self {
                    $( $field: if $versions.contains(&input.version()) {
                        $crate::Wire::decode(input)?
                    } else {
                        $crate::schema::default_of!($($default)?)
                    }, )*
                };
                input.end_struct()?;
                Ok(decoded)
            }
            // ANCHOR_END: encode
        }
    )*};
}

macro_rules! default_of {
    () => {
        Default::default()
    };
    ($default:expr) => {
        $default
    };
}

pub(crate) use {default_of, messages};
