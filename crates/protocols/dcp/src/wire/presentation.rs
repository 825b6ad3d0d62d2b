//! The presentation protocol (DCP 1.0 §5.4): the question of a verifier and the answer of a credential
//! service.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::{Map, Value};

use super::{DcpContext, LIST_ENTRIES_MAX, Malformed, Message, Named, Tag, bounded, filled};

/// What a verifier wants to see (DCP 1.0 §5.4.1). Read it through [`PresentationQueryMessage::asked`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PresentationQueryMessage {
    #[serde(rename = "@context")]
    context: DcpContext,
    #[serde(rename = "type", alias = "@type")]
    kind: Tag<Self>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    presentation_definition: Option<Map<String, Value>>,
}

/// The one thing that a query asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Asked<'a> {
    /// Credentials by scope, at least one; see [`crate::scope::Scope`].
    Scopes(&'a [String]),
    /// Credentials by a presentation definition (DIF Presentation Exchange), which is not empty. A credential
    /// service that does not support it answers 501.
    Definition(&'a Map<String, Value>),
}

impl PresentationQueryMessage {
    /// Asks by scopes.
    #[must_use]
    pub fn for_scopes(scopes: Vec<String>) -> Self {
        Self { context: DcpContext, kind: Tag::default(), scope: Some(scopes), presentation_definition: None }
    }

    /// What the message asks for: exactly one of scopes and a presentation definition, and not an empty one.
    ///
    /// # Errors
    /// [`Malformed`] when both are there, neither is, or the one is empty. The answer to a verifier is 400.
    pub fn asked(&self) -> Result<Asked<'_>, Malformed> {
        match (&self.scope, &self.presentation_definition) {
            (Some(_), Some(_)) => {
                Err(Malformed::at("", "either 'scope' or 'presentationDefinition', not both"))
            }
            (None, None) => Err(Malformed::at("", "a member 'scope' or 'presentationDefinition'")),
            (None, Some(definition)) if definition.is_empty() => {
                Err(Malformed::at("/presentationDefinition", "a presentation definition that is not empty"))
            }
            (None, Some(definition)) => Ok(Asked::Definition(definition)),
            (Some(scopes), None) => {
                bounded("/scope", scopes, "scope")?;
                for (index, scope) in scopes.iter().enumerate() {
                    filled(format_args!("/scope/{index}"), scope)?;
                }
                Ok(Asked::Scopes(scopes))
            }
        }
    }
}

impl Named for PresentationQueryMessage {
    const NAME: &'static str = "PresentationQueryMessage";
}

impl Message for PresentationQueryMessage {
    fn validate(&self) -> Result<(), Malformed> {
        self.asked().map(|_| ())
    }
}

/// The presentations that answer a query (DCP 1.0 §5.4.2). It may hold fewer than were asked for, even none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PresentationResponseMessage {
    #[serde(rename = "@context")]
    context: DcpContext,
    #[serde(rename = "type", alias = "@type")]
    kind: Tag<Self>,
    /// The presentations, at most [`LIST_ENTRIES_MAX`].
    pub presentation: Vec<Presentation>,
    /// Which part of a presentation definition each entry answers; only when one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub presentation_submission: Option<Map<String, Value>>,
}

impl PresentationResponseMessage {
    /// Answers a query by scopes with presentations in the form of JWTs.
    #[must_use]
    pub fn new(presentations: Vec<String>) -> Self {
        Self {
            context: DcpContext,
            kind: Tag::default(),
            presentation: presentations.into_iter().map(Presentation::Jwt).collect(),
            presentation_submission: None,
        }
    }
}

impl Named for PresentationResponseMessage {
    const NAME: &'static str = "PresentationResponseMessage";
}

impl Message for PresentationResponseMessage {
    fn validate(&self) -> Result<(), Malformed> {
        if self.presentation.len() > LIST_ENTRIES_MAX {
            return Err(Malformed::at("/presentation", format!("at most {LIST_ENTRIES_MAX} entries")));
        }
        Ok(())
    }
}

/// One presentation.
#[derive(Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Presentation {
    /// A signed JWT in its compact form.
    Jwt(String),
    /// A JSON-LD object: embedded proof, or an enveloped presentation.
    Object(Map<String, Value>),
}

/// Presentations carry personal claims: their contents do not reach logs.
impl fmt::Debug for Presentation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Jwt(_) => "Jwt(…)",
            Self::Object(_) => "Object(…)",
        })
    }
}

impl<'de> Deserialize<'de> for Presentation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PresentationVisitor)
    }
}

struct PresentationVisitor;

impl<'de> Visitor<'de> for PresentationVisitor {
    type Value = Presentation;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a presentation: a JWT as text, or an object")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Presentation, E> {
        Ok(Presentation::Jwt(text.to_owned()))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Presentation, E> {
        Ok(Presentation::Jwt(text))
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Presentation, A::Error> {
        Map::deserialize(MapAccessDeserializer::new(members)).map(Presentation::Object)
    }
}
