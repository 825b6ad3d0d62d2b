//! Who a counter-party is, once it has been proved.
//!
//! Both identity services end here, and nowhere else can a [`VerifiedPeer`] be made: `dcp` from a verified
//! presentation, `static` from a table of Authorization values (development only).

use std::collections::BTreeMap;

use heddle_dcp::trust::VerifiedPresentation;
use heddle_ids::{ParticipantContextId, ParticipantId};
use ring::digest;
use serde_json::{Map, Value};
use subtle::ConstantTimeEq;

/// The participant context that a protocol message addressed, with the identity that it goes by.
///
/// Read from the directory by the path of the request. Knowing it opens nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    context: ParticipantContextId,
    identity: ParticipantId,
}

impl Recipient {
    /// From a published row.
    #[must_use]
    pub fn new(context: ParticipantContextId, identity: ParticipantId) -> Self {
        Self { context, identity }
    }

    /// The participant context.
    #[must_use]
    pub fn context(&self) -> &ParticipantContextId {
        &self.context
    }

    /// Its participant id: under DCP its DID, the audience that tokens for it must name.
    #[must_use]
    pub fn identity(&self) -> &ParticipantId {
        &self.identity
    }
}

/// A counter-party whose identity was proved to one recipient. Not `Clone`, not `Deserialize`.
#[derive(Debug)]
pub struct VerifiedPeer {
    recipient: Recipient,
    id: ParticipantId,
    claims: Value,
}

/// A proof was made for somebody else.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the proof is addressed to '{audience}', not to '{recipient}'")]
pub struct NotThisRecipient {
    audience: String,
    recipient: ParticipantId,
}

/// An Authorization value that the table of the `static` identity service does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the Authorization value is not in the table of the static identity service")]
pub struct UnknownPeer;

impl VerifiedPeer {
    /// The peer that made `presentation`, if that was made for `recipient`.
    pub fn from_presentation(
        presentation: &VerifiedPresentation,
        recipient: Recipient,
    ) -> Result<Self, NotThisRecipient> {
        if presentation.audience().as_str() != recipient.identity.as_str() {
            let audience = presentation.audience().to_string();
            return Err(NotThisRecipient { audience, recipient: recipient.identity });
        }
        let id = ParticipantId::parse(presentation.holder().as_str()).expect("a DID is an identifier");
        let credentials = Value::Array(presentation.claims());
        let claims = Value::Object(Map::from_iter([("vc".to_owned(), credentials)]));
        Ok(Self { recipient, id, claims })
    }

    /// The peer that `authorization` stands for in `table`.
    pub fn from_static(
        table: &StaticPeers,
        authorization: &str,
        recipient: Recipient,
    ) -> Result<Self, UnknownPeer> {
        let id = table.find(authorization).ok_or(UnknownPeer)?;
        Ok(Self { recipient, id, claims: Value::Object(Map::new()) })
    }

    /// Who was addressed.
    #[must_use]
    pub fn recipient(&self) -> &Recipient {
        &self.recipient
    }

    /// Who the peer is.
    #[must_use]
    pub fn id(&self) -> &ParticipantId {
        &self.id
    }

    /// What the peer proved, in the shape that policies read (`ctx.agent.claims`).
    #[must_use]
    pub fn claims(&self) -> &Value {
        &self.claims
    }

    pub(crate) fn parties(&self) -> (ParticipantContextId, ParticipantId) {
        (self.recipient.context.clone(), self.id.clone())
    }
}

/// Proof that this server runs in development mode; the configuration makes it, once.
#[derive(Debug)]
pub struct DevelopmentMode(());

impl DevelopmentMode {
    /// Called by the configuration when `development = true` was read. `clippy.toml` refuses it elsewhere.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "a default would be a second way in, past the fence")]
    pub fn new() -> Self {
        Self(())
    }
}

/// The table of the `static` identity service: which Authorization value stands for which participant, and
/// what each of our participants sends. For development and conformance suites; there is no proof in it.
#[derive(Debug)]
pub struct StaticPeers {
    peers: Vec<(Vec<u8>, ParticipantId)>,
    sends: BTreeMap<ParticipantContextId, String>,
}

impl StaticPeers {
    /// `accepts`: Authorization value → participant id. `sends`: participant context → the value that it
    /// sends, in which `{audience}` is replaced by the counter-party's id.
    #[must_use]
    pub fn new(
        _development: &DevelopmentMode,
        accepts: BTreeMap<String, ParticipantId>,
        sends: BTreeMap<ParticipantContextId, String>,
    ) -> Self {
        let peers = accepts.into_iter().map(|(value, id)| (fingerprint(&value), id)).collect();
        Self { peers, sends }
    }

    /// The Authorization value that `participant` sends to `audience`, if the table has one for it.
    #[must_use]
    pub fn authorization(&self, participant: &ParticipantContextId, audience: &str) -> Option<String> {
        self.sends.get(participant).map(|template| template.replace("{audience}", audience))
    }

    /// Compares with every entry, in a time that does not depend on which one fits.
    fn find(&self, authorization: &str) -> Option<ParticipantId> {
        let wanted = fingerprint(authorization);
        let mut found = None;
        for (value, id) in &self.peers {
            if bool::from(value.ct_eq(&wanted)) {
                found = Some(id.clone());
            }
        }
        found
    }
}

fn fingerprint(text: &str) -> Vec<u8> {
    digest::digest(&digest::SHA256, text.as_bytes()).as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the test plays the configuration")]
    fn the_static_table_knows_its_values_and_no_other() {
        let id = |text: &str| ParticipantId::parse(text).expect("legal");
        let context = ParticipantContextId::parse("alice").expect("legal");
        let table = StaticPeers::new(
            &DevelopmentMode::new(),
            BTreeMap::from([("Bearer tck".to_owned(), id("TCK"))]),
            BTreeMap::from([(context.clone(), "for {audience}".to_owned())]),
        );
        let recipient = Recipient::new(context.clone(), id("did:web:alice"));
        let peer = VerifiedPeer::from_static(&table, "Bearer tck", recipient.clone()).expect("known");
        assert_eq!(peer.id(), &id("TCK"));
        for stranger in ["", "Bearer tck ", "Bearer", "bearer tck"] {
            assert!(VerifiedPeer::from_static(&table, stranger, recipient.clone()).is_err(), "{stranger}");
        }
        assert_eq!(table.authorization(&context, "bob").as_deref(), Some("for bob"));
    }
}
