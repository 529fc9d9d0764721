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
            fn size_min() -> usize {
                0 $( + if $crate::schema::is_in_all(&$versions) {
                    <$type as $crate::Wire>::size_min()
                } else {
                    0
                } )*
            }

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

/// Whether a field with these versions is on the wire in every version.
pub(crate) fn is_in_all(versions: &impl std::ops::RangeBounds<i16>) -> bool {
    versions.contains(&0) && versions.contains(&i16::MAX)
}
