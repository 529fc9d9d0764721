//! The schema language: a message is its fields, each with the versions that have it.
//!
//! ```text
//! messages! {
//!     /// What the struct is for.
//!     FetchRequest {
//!         /// What the field is for. It is in all versions.
//!         max_wait_ms: i32;
//!         /// It begins with version 7. In older ones it has this value: writing
//!         /// any other is a bug.
//!         session_epoch: i32 [7..] = -1;
//!         /// It begins with version 11. Older ones do without: any value is dropped.
//!         rack_id: String [11.., ignorable];
//!     }
//! }
//! ```

/// Declares structs with [`Wire`](crate::Wire) and [`Default`].
///
/// Fields are written in the order in which they are declared. `[3..]` says that
/// versions from 3 on have the field, `[0..=2]` that 0 to 2 do.
///
/// A version that lacks a field cannot say its value. Decoding gives the default.
/// Encoding drops an `ignorable` value: the peer does without. Any other must be
/// the default, else `encode` panics: the peer would take the message for
/// something that it is not, and no byte from a peer leads there, only a bug of
/// ours. Which fields are ignorable is in Kafka's schemas.
macro_rules! messages {
    ($(
        $(#[$struct_meta:meta])*
        $name:ident {
            $(
                $(#[$field_meta:meta])*
                $field:ident : $type:ty $([$versions:expr $(, $mark:ident)?])? $(= $default:expr)? ;
            )*
        }
    )*) => {$(
        $(#[$struct_meta])*
        #[derive(Debug, Clone)]
        #[allow(missing_docs, reason = "some names of fields say all that there is to say")]
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
                let mut size = usize::from(form.flexible);
                $( $( if $versions.contains(&form.version) )? {
                    size += <$type as $crate::Wire>::size_min(form);
                } )*
                size
            }

            // ANCHOR: encode
            fn encode(&self, out: &mut $crate::Encoder) {
                $( $( if !$versions.contains(&out.version()) {
                    $crate::schema::drop_value!(self.$field, Self::default().$field $(, $mark)?);
                } else )? {
                    $crate::Wire::encode(&self.$field, out);
                } )*
                out.end_struct();
            }

            fn decode(input: &mut $crate::Decoder<'_>) -> Result<Self, $crate::Malformed> {
                let decoded = Self {
                    $( $field: $( if !$versions.contains(&input.version()) {
                        Self::default().$field
                    } else )? {
                        $crate::Wire::decode(input)?
                    }, )*
                };
                input.end_struct()?;
                Ok(decoded)
            }
            // ANCHOR_END: encode

            fn measure(input: &mut $crate::Decoder<'_>) -> Result<usize, $crate::Malformed> {
                let mut size = 0;
                $( $( if $versions.contains(&input.version()) )? {
                    size += <$type as $crate::Wire>::measure(input)?;
                } )*
                input.end_struct()?;
                Ok(size)
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

/// What becomes of a value that the version has no field for.
macro_rules! drop_value {
    ($value:expr, $default:expr, ignorable) => {};
    ($value:expr, $default:expr) => {
        assert!(
            $value == $default,
            concat!("this version has no `", stringify!($value), "` to say so")
        );
    };
}

pub(crate) use {default_of, drop_value, messages};
