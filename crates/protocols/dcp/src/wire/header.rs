//! `@context` and `type`: the two members that every message carries.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

/// The JSON-LD context of DCP 1.0.
pub const CONTEXT: &str = "https://w3id.org/dspace-dcp/v1.0/dcp.jsonld";
/// The namespace of DCP 1.0.
pub const NAMESPACE: &str = "https://w3id.org/dspace-dcp/v1.0/";

/// `@context`. Written as an array with [`CONTEXT`] alone; read from a string or an array that holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DcpContext;

impl Serialize for DcpContext {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        [CONTEXT].serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for DcpContext {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ContextVisitor)
    }
}

struct ContextVisitor;

impl<'de> Visitor<'de> for ContextVisitor {
    type Value = DcpContext;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{CONTEXT}', or an array that contains it")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<DcpContext, E> {
        if text == CONTEXT { Ok(DcpContext) } else { Err(E::invalid_value(de::Unexpected::Str(text), &self)) }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<DcpContext, A::Error> {
        let mut found = false;
        while let Some(entry) = entries.next_element::<Entry>()? {
            found |= entry.0;
        }
        if found { Ok(DcpContext) } else { Err(de::Error::invalid_value(de::Unexpected::Seq, &self)) }
    }
}

/// One entry of a context array: whether it is the DCP context.
struct Entry(bool);

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EntryVisitor)
    }
}

struct EntryVisitor;

impl<'de> Visitor<'de> for EntryVisitor {
    type Value = Entry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the address of a context, or an inline context")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Entry, E> {
        Ok(Entry(text == CONTEXT))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Entry, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Entry(false))
    }
}

/// A message or object that DCP names by a `type`.
pub trait Named {
    /// The value of its `type` member.
    const NAME: &'static str;
}

/// The `type` member of `T`: holds nothing, written as [`Named::NAME`], read from it or from its full IRI.
pub struct Tag<T>(PhantomData<fn() -> T>);

impl<T> Default for Tag<T> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T> Clone for Tag<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Tag<T> {}

impl<T> PartialEq for Tag<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<T> Eq for Tag<T> {}

impl<T: Named> fmt::Debug for Tag<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::NAME)
    }
}

impl<T: Named> Serialize for Tag<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(T::NAME)
    }
}

impl<'de, T: Named> Deserialize<'de> for Tag<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.strip_prefix(NAMESPACE).unwrap_or(&text) == T::NAME {
            return Ok(Self::default());
        }
        Err(de::Error::invalid_value(de::Unexpected::Str(&text), &T::NAME))
    }
}
