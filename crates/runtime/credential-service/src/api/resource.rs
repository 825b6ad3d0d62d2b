//! What the Identity API shows.

use heddle_ids::ParticipantContextId;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::participant::{HolderContext, KeyPair, PublishedHolder, Settings, State};

mod wallet;

pub(super) use wallet::{CredentialResource, OfferResource, RequestResource};

/// How long a key is meant to be used, in milliseconds: 180 days.
const KEY_USE_MS: u64 = 180 * 24 * 60 * 60 * 1000;

/// A participant context.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ParticipantResource {
    participant_context_id: ParticipantContextId,
    did: String,
    state: u16,
    created_at: i64,
    last_modified: i64,
    scopes: [&'static str; 0],
    api_token_alias: Option<&'static str>,
    properties: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    settings: Option<Settings>,
}

impl ParticipantResource {
    pub(super) fn published(id: ParticipantContextId, holder: &PublishedHolder) -> Self {
        Self {
            participant_context_id: id,
            did: holder.did.to_string(),
            state: holder.state.code(),
            created_at: holder.created_at.as_millis(),
            last_modified: holder.modified_at.as_millis(),
            scopes: [],
            api_token_alias: None,
            properties: Map::new(),
            settings: None,
        }
    }
}

impl From<&HolderContext> for ParticipantResource {
    fn from(context: &HolderContext) -> Self {
        let holder = PublishedHolder {
            did: context.did.clone(),
            active: context.is_active(),
            state: context.state,
            signing_key: None,
            created_at: context.created_at,
            modified_at: context.modified_at,
        };
        Self { settings: Some(context.settings.clone()), ..Self::published(context.id.clone(), &holder) }
    }
}

/// The answer to the creation of a participant context. Its API clients are made at the token service, so there
/// is nothing to hand out.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreatedParticipant {
    api_key: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
}

/// The state of a DID, in the Identity API's words.
pub(super) const fn did_state(state: State) -> &'static str {
    match state {
        State::Created => "GENERATED",
        State::Activated => "PUBLISHED",
        State::Deactivated => "UNPUBLISHED",
    }
}

/// A key pair.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct KeyPairResource {
    id: String,
    participant_context_id: ParticipantContextId,
    key_id: String,
    key_context: &'static str,
    default_pair: bool,
    use_duration: u64,
    rotation_duration: u64,
    serialized_public_key: String,
    private_key_alias: String,
    state: u16,
    timestamp: i64,
    usage: Vec<&'static str>,
}

impl KeyPairResource {
    pub(super) fn new(context: &ParticipantContextId, key: &KeyPair) -> Self {
        let public_key = key.public_key.clone().with_kid(key.key_id.as_str());
        Self {
            id: key.id.to_string(),
            participant_context_id: context.clone(),
            key_id: key.key_id.clone(),
            key_context: "JsonWebKey2020",
            default_pair: key.default_pair,
            use_duration: KEY_USE_MS,
            rotation_duration: KEY_USE_MS,
            serialized_public_key: serde_json::to_string(&public_key).expect("a public key serialises"),
            private_key_alias: key.private_key_alias.clone(),
            state: key.state.code(),
            timestamp: key.created_at.as_millis(),
            usage: key.usage.iter().map(|usage| usage.name()).collect(),
        }
    }
}
