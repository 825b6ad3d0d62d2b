//! `@context` and `@type`: members whose value is fixed by the struct that they are in.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, IgnoredAny, SeqAccess, Visitor},
    ser::SerializeSeq,
};

/// The JSON-LD context of DSP 2025-1.
pub const CONTEXT: &str = "https://w3id.org/dspace/2025/1/context.jsonld";

/// The member `@context` (DSP 2025-1, context schema): written as an array of [`CONTEXT`]; read as that text
/// or as an array that contains it, among others of any kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Context;

impl Serialize for Context {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut array = serializer.serialize_seq(Some(1))?;
        array.serialize_element(CONTEXT)?;
        array.end()
    }
}

impl<'de> Deserialize<'de> for Context {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ContextVisitor)
    }
}

struct ContextVisitor;

impl<'de> Visitor<'de> for ContextVisitor {
    type Value = Context;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an array that contains \"{CONTEXT}\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Context, E> {
        if text == CONTEXT {
            Ok(Context)
        } else {
            Err(E::invalid_value(serde::de::Unexpected::Str(text), &self))
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Context, A::Error> {
        let mut found = false;
        while let Some(entry) = seq.next_element::<Entry>()? {
            found |= entry.0;
        }
        if found { Ok(Context) } else { Err(A::Error::custom(format_args!("the array lacks \"{CONTEXT}\""))) }
    }
}

/// One entry of the array: whether it is [`CONTEXT`].
struct Entry(bool);

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Any {
            Text(String),
            Other(IgnoredAny),
        }
        Ok(match Any::deserialize(deserializer)? {
            Any::Text(text) => Self(text == CONTEXT),
            Any::Other(IgnoredAny) => Self(false),
        })
    }
}

/// A wire struct whose `@type` is fixed.
pub trait Typed {
    /// The value of `@type`.
    const TYPE: &'static str;
}

/// The member `@type` of a `T`: always [`Typed::TYPE`]; anything else is refused.
pub struct Is<T>(PhantomData<fn() -> T>);

impl<T> Is<T> {
    /// The only value.
    #[must_use]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T> Default for Is<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Clone for Is<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Is<T> {}

impl<T> PartialEq for Is<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<T: Typed> fmt::Debug for Is<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::TYPE)
    }
}

impl<T: Typed> Serialize for Is<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(T::TYPE)
    }
}

impl<'de, T: Typed> Deserialize<'de> for Is<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TypeVisitor<T>(PhantomData<fn() -> T>);

        impl<T: Typed> Visitor<'_> for TypeVisitor<T> {
            type Value = Is<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "\"{}\"", T::TYPE)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Is<T>, E> {
                if text == T::TYPE {
                    Ok(Is::new())
                } else {
                    Err(E::invalid_value(serde::de::Unexpected::Str(text), &self))
                }
            }
        }
        deserializer.deserialize_str(TypeVisitor(PhantomData))
    }
}

/// Names the `@type` of wire structs, one line each.
macro_rules! typed {
    ($($name:ident = $text:literal;)+) => {$(
        impl $crate::wire::Typed for $name {
            const TYPE: &'static str = $text;
        }
    )+};
}
pub(super) use typed;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_as_an_array() {
        assert_eq!(serde_json::to_string(&Context).expect("serialises"), format!("[\"{CONTEXT}\"]"));
    }

    #[test]
    fn read_as_text_or_among_others() {
        for good in [
            format!("\"{CONTEXT}\""),
            format!("[\"{CONTEXT}\"]"),
            format!("[\"https://example.org/other\", {{\"a\": 1}}, \"{CONTEXT}\", 7]"),
        ] {
            assert!(serde_json::from_str::<Context>(&good).is_ok(), "{good}");
        }
        for bad in ["[]", "\"https://w3id.org/dspace/2024/1/context.json\"", "null", "{}", "[\"x\"]"] {
            assert!(serde_json::from_str::<Context>(bad).is_err(), "{bad}");
        }
    }
}
