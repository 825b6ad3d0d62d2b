//! A stored credential.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use heddle_clock::Timestamp;
use heddle_credentials::{Format, ParsedCredential};
use heddle_ids::{CredentialId, HolderPid};
use heddle_store::{Aggregate, Columns};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

/// What is known of a credential beside what it says itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum CredentialState {
    /// It was issued, and is good as far as its own dates say.
    Issued,
}

impl CredentialState {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Issued => "ISSUED",
        }
    }

    /// The number that the Identity API shows.
    pub(crate) const fn code(self) -> u16 {
        match self {
            Self::Issued => 500,
        }
    }
}

/// The aggregate. One per issuer and credential id: a credential that comes again replaces what it was.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Credential {
    pub(crate) id: CredentialId,
    /// The id inside the credential, which its issuer chose.
    pub(crate) credential_id: Option<String>,
    /// The compact JWT.
    pub(crate) raw: String,
    pub(crate) format: Format,
    pub(crate) issuer: String,
    pub(crate) types: Vec<String>,
    pub(crate) valid_from: Option<Timestamp>,
    pub(crate) valid_until: Option<Timestamp>,
    pub(crate) state: CredentialState,
    /// The request that brought it.
    pub(crate) holder_pid: HolderPid,
    pub(crate) stored_at: Timestamp,
}

impl Credential {
    /// A delivered credential.
    pub(crate) fn new(parsed: &ParsedCredential, holder_pid: HolderPid, now: Timestamp) -> Self {
        let credential = parsed.credential();
        let raw = parsed.token().as_str();
        Self {
            id: id_of(&credential.issuer, credential.id.as_deref(), raw),
            credential_id: credential.id.clone(),
            raw: raw.to_owned(),
            format: parsed.format(),
            issuer: credential.issuer.clone(),
            types: credential.types.clone(),
            valid_from: credential.valid_from,
            valid_until: credential.valid_until,
            state: CredentialState::Issued,
            holder_pid,
            stored_at: now,
        }
    }
}

/// The same for the same credential, however often it is delivered; without an id of its own, its text is what
/// makes it the same.
fn id_of(issuer: &str, credential_id: Option<&str>, raw: &str) -> CredentialId {
    let text = match credential_id {
        Some(id) => format!("{} {issuer} id {id}", issuer.len()),
        None => format!("{} {issuer} raw {raw}", issuer.len()),
    };
    let text = URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()));
    CredentialId::parse(text).expect("43 characters of base64url are an id")
}

impl Aggregate for Credential {
    const KIND: &'static str = "credential";

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn columns(&self) -> Columns {
        // No counter-party: a verifier's grant must find it, whoever issued it.
        Columns {
            state: Some(self.state.name().into()),
            correlation: Some(self.holder_pid.to_string()),
            reference: Some(self.issuer.clone()),
            ..Columns::default()
        }
    }
}

/// Credentials carry personal claims: their text does not reach logs.
impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Credential");
        shown.field("id", &self.id).field("types", &self.types).field("issuer", &self.issuer);
        shown.finish_non_exhaustive()
    }
}
