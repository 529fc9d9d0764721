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
//!     }, tagged {
//!         /// Its tag is 0. It is written only if it is not the default.
//!         0 cluster_id: Option<String> [12.., ignorable];
//!     }
//!     JoinGroupResponse {
//!         /// It is in all versions, and can be null from version 7 on. Older ones
//!         /// get the empty value; without `ignorable`, null is a bug there.
//!         protocol_name: Option<String> [0.., ignorable; null 7..];
//!     }
//! }
//! ```

use crate::codec::{Decoder, Encoder, Wire};
use crate::part::Malformed;

/// Declares structs with [`Wire`](crate::Wire) and [`Default`].
///
/// Fields are written in the order in which they are declared. `[3..]` says that
/// versions from 3 on have the field, `[0..=2]` that 0 to 2 do. Tagged fields are
/// declared by ascending tag; only flexible versions have them.
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
                $field:ident : $type:ty $([$versions:expr $(, $mark:ident)? $(; null $null:expr)?])? $(= $default:expr)? ;
            )*
        } $(, tagged {
            $(
                $(#[$tagged_meta:meta])*
                $tag:literal $tagged:ident : $tagged_type:ty [$tagged_versions:expr $(, $tagged_mark:ident)?] ;
            )*
        })?
    )*) => {$(
        $(#[$struct_meta])*
        #[derive(Debug, Clone)]
        #[allow(missing_docs, reason = "some names of fields say all that there is to say")]
        pub struct $name {
            $( $(#[$field_meta])* pub $field: $type, )*
            $( $( $(#[$tagged_meta])* pub $tagged: $tagged_type, )* )?
        }

        impl Default for $name {
            fn default() -> Self {
                Self {
                    $( $field: $crate::schema::default_of!($($default)?), )*
                    $( $( $tagged: Default::default(), )* )?
                }
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
                    $crate::schema::encode_field!(self.$field, out $($(, $mark)? $(; null $null)?)?);
                } )*
                out.end_struct(&[$( $(
                    $crate::schema::encode_tagged!(
                        $tag, (self.$tagged, Self::default().$tagged), out, $tagged_versions $(, $tagged_mark)?
                    ),
                )* )?]);
            }

            fn decode(input: &mut $crate::Decoder<'_>) -> Result<Self, $crate::Malformed> {
                let decoded = Self {
                    $( $field: $( if !$versions.contains(&input.version()) {
                        Self::default().$field
                    } else )? {
                        $crate::schema::decode_field!(input $($(; null $null)?)?)
                    }, )*
                    $( $( $tagged: Default::default(), )* )?
                };
                $crate::schema::end_struct!(
                    decoded, input $( $(, $tag $tagged $tagged_versions)* )?
                )
            }
            // ANCHOR_END: encode

            fn measure(input: &mut $crate::Decoder<'_>) -> Result<usize, $crate::Malformed> {
                let mut size = 0;
                $( $( if $versions.contains(&input.version()) )? {
                    size += $crate::schema::measure_field!($type, input $($(; null $null)?)?);
                } )*
                $crate::schema::measure_end!(
                    size, input $( $(, $tag $tagged_type, $tagged_versions)* )?
                )
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

macro_rules! encode_field {
    ($value:expr, $out:ident, ignorable; null $null:expr) => {
        $crate::schema::encode_nullable(&$value, $out, $null.contains(&$out.version()))
    };
    ($value:expr, $out:ident; null $null:expr) => {{
        let nullable = $null.contains(&$out.version());
        assert!(
            nullable || $value.is_some(),
            concat!("this version has no null for `", stringify!($value), "`")
        );
        $crate::schema::encode_nullable(&$value, $out, nullable)
    }};
    ($value:expr, $out:ident $(, ignorable)?) => {
        $crate::Wire::encode(&$value, $out)
    };
}

macro_rules! decode_field {
    ($input:ident; null $null:expr) => {
        $crate::schema::decode_nullable($input, $null.contains(&$input.version()))?
    };
    ($input:ident) => {
        $crate::Wire::decode($input)?
    };
}

macro_rules! measure_field {
    ($type:ty, $input:ident; null $null:expr) => {{
        let nullable = $null.contains(&$input.version());
        $crate::schema::measure_nullable::<$type>($input, nullable)?
    }};
    ($type:ty, $input:ident) => {
        <$type as $crate::Wire>::measure($input)?
    };
}

/// The tag and the bytes of a tagged field; `None` if there is nothing to say.
macro_rules! encode_tagged {
    ($tag:literal, ($value:expr, $default:expr), $out:ident, $versions:expr $(, $mark:ident)?) => {
        if $out.has_tagged_fields() && $versions.contains(&$out.version()) {
            ($value != $default).then(|| ($tag, $out.apart(&$value)))
        } else {
            $crate::schema::drop_value!($value, $default $(, $mark)?);
            None
        }
    };
}

/// Reads what ends a struct: the tagged fields, known ones into `decoded`.
macro_rules! end_struct {
    ($decoded:ident, $input:ident) => {{
        $input.end_struct()?;
        Ok($decoded)
    }};
    ($decoded:ident, $input:ident, $($tag:literal $field:ident $versions:expr),+) => {{
        let mut decoded = $decoded;
        $input.tagged_fields(|tag, field| {
            match tag {
                $( $tag if $versions.contains(&field.version()) => {
                    decoded.$field = $crate::Wire::decode(field)?;
                } )+
                _ => {}
            }
            Ok(())
        })?;
        Ok(decoded)
    }};
}

/// Measures what ends a struct.
macro_rules! measure_end {
    ($size:ident, $input:ident) => {{
        $input.end_struct()?;
        Ok($size)
    }};
    ($size:ident, $input:ident, $($tag:literal $type:ty, $versions:expr),+) => {{
        $input.tagged_fields(|tag, field| {
            match tag {
                $( $tag if $versions.contains(&field.version()) => {
                    $size += <$type as $crate::Wire>::measure(field)?;
                } )+
                _ => {}
            }
            Ok(())
        })?;
        Ok($size)
    }};
}

pub(crate) use {
    decode_field, default_of, drop_value, encode_field, encode_tagged, end_struct, measure_end,
    measure_field, messages,
};

/// Writes a value whose null is written as the empty value unless `nullable`.
pub(crate) fn encode_nullable<T>(value: &Option<T>, out: &mut Encoder, nullable: bool)
where
    T: Wire + Default,
    Option<T>: Wire,
{
    match value {
        None if !nullable => T::default().encode(out),
        value => value.encode(out),
    }
}

/// Reads a value that is null only if `nullable`.
pub(crate) fn decode_nullable<T>(
    input: &mut Decoder<'_>,
    nullable: bool,
) -> Result<Option<T>, Malformed>
where
    T: Wire,
    Option<T>: Wire,
{
    if nullable {
        return Wire::decode(input);
    }
    T::decode(input).map(Some)
}

/// Measures a value, an `Option`, that is null only if `nullable`.
pub(crate) fn measure_nullable<T: Nullable>(
    input: &mut Decoder<'_>,
    nullable: bool,
) -> Result<usize, Malformed> {
    if nullable {
        return T::measure(input);
    }
    T::Value::measure(input)
}

/// A type with a null, and what it is without.
pub(crate) trait Nullable: Wire {
    /// The type without the null.
    type Value: Wire;
}

impl<T: Wire> Nullable for Option<T>
where
    Option<T>: Wire,
{
    type Value = T;
}
