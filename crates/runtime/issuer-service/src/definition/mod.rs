//! Credential definitions: which credential follows from which attestations, and for whom.

mod mapping;
mod offering;
mod path;
mod rule;

use std::time::Duration;

use heddle_clock::Timestamp;
use heddle_credentials::Format;
use heddle_ids::{AttestationId, CredentialDefinitionId};
use heddle_store::{Aggregate, StoreError, Transaction};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(crate) use mapping::{Mapping, subject_of};
pub(crate) use offering::{
    CREDENTIAL_SCHEMA, ISSUER_METADATA, conceal, conceal_schema, drop_offering, offer, withdraw,
};
pub(crate) use rule::Rule;

use crate::{attestation, attestation::Unattested, holder::Holder};

/// The aggregate. Its id is what a holder asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct CredentialDefinition {
    pub(crate) id: CredentialDefinitionId,
    pub(crate) credential_type: String,
    /// At least one: nothing is issued without.
    pub(crate) attestations: Vec<AttestationId>,
    /// The schema of the subject, as JSON text, when it is published by us.
    pub(crate) json_schema: Option<String>,
    /// Where the schema of the subject is, when it is published by somebody else.
    pub(crate) json_schema_url: Option<String>,
    pub(crate) format: Format,
    /// How long a credential is valid.
    pub(crate) validity: Duration,
    #[serde(default)]
    pub(crate) mappings: Vec<Mapping>,
    #[serde(default)]
    pub(crate) rules: Vec<Rule>,
    /// Contexts of the credential beyond those of its data model.
    #[serde(default)]
    pub(crate) additional_context: Vec<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) modified_at: Timestamp,
}

impl Aggregate for CredentialDefinition {
    const KIND: &'static str = "credential-definition";

    fn id(&self) -> &str {
        self.id.as_str()
    }
}

/// Why a definition gives a holder no credential. Meant for the issuer; a holder is told less.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unfulfilled {
    /// An attestation does not speak for the holder.
    #[error(transparent)]
    Unattested(#[from] Unattested),
    /// A rule does not hold.
    #[error("the rule '{0}' does not hold")]
    Rule(String),
    /// What the credential must say is not attested.
    #[error("no attestation says anything about '{0}', which the credential needs")]
    Claim(String),
}

/// What a definition comes to for one holder.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fulfilled {
    /// What its attestations say.
    pub(crate) claims: Map<String, Value>,
    /// What the credential will say of its subject.
    pub(crate) subject: Map<String, Value>,
}

impl CredentialDefinition {
    /// Asks the attestations, in their order; a later one overrules an earlier one. Then the rules and the
    /// mappings.
    pub(crate) async fn fulfil(
        &self,
        transaction: &mut Transaction<'_>,
        holder: &Holder,
    ) -> Result<Result<Fulfilled, Unfulfilled>, StoreError> {
        let mut claims = Map::new();
        for id in &self.attestations {
            match attestation::claims_of(transaction, id, holder).await? {
                Ok(more) => claims.extend(more),
                Err(unattested) => return Ok(Err(unattested.into())),
            }
        }
        Ok(self.judge(claims))
    }

    fn judge(&self, claims: Map<String, Value>) -> Result<Fulfilled, Unfulfilled> {
        if let Some(broken) = self.rules.iter().find(|rule| !rule.holds(&claims)) {
            return Err(Unfulfilled::Rule(broken.to_string()));
        }
        let subject = subject_of(&self.mappings, &claims).map_err(Unfulfilled::Claim)?;
        Ok(Fulfilled { claims, subject })
    }
}
