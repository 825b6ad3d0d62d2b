//! Answering a verifier: credentials that are asked for and granted, in presentations (DCP 1.0 §5.4).

use std::time::Duration;

use heddle_clock::{Environment, Timestamp};
use heddle_credentials::{Format, ParsedCredential, PresentationDraft, Verdict, vp11};
use heddle_dcp::{
    Rules, Scope,
    presentation::{self, Held},
    token::{AccessToken, ReplayKey},
};
use heddle_store::{Loaded, Query, Store, StoreError, Transaction};
use heddle_telemetry::logs::category;
use heddle_tenancy::PresentationGrant;
use heddle_vault::Vault;

use super::{Credential, CredentialState};
use crate::{
    participant::Usage,
    peer,
    signing::{SigningError, SigningKey},
};

/// How long a presentation may be shown.
const LIFETIME: Duration = Duration::from_secs(60);
/// Most presentations of one answer; with [`vp11::CREDENTIALS_MAX`] in each, far more than a verifier reads.
const PRESENTATIONS_MAX: usize = 8;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PresentationError {
    /// The participant does not sign.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// A presentation cannot be written.
    #[error(transparent)]
    Credential(#[from] heddle_credentials::CredentialError),
    /// The database; `Duplicate` of kind `nonce` when a token was used before.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The issued credentials that may be asked for by these scopes; the rest is not worth the work of reading.
pub(crate) async fn held(
    transaction: &mut Transaction<'_>,
    requested: &[Scope],
) -> Result<Vec<ParsedCredential>, StoreError> {
    let query = Query { states: vec![CredentialState::Issued.name().into()], ..Query::default() };
    let stored = transaction.list::<Credential>(&query).await?;
    let asked = |credential: &&Loaded<Credential>| {
        requested.iter().any(|scope| match scope {
            Scope::Type { name, .. } => credential.types.contains(name),
            Scope::Id(id) => credential.credential_id.as_ref() == Some(id),
        })
    };
    let read = |credential: &Loaded<Credential>| match ParsedCredential::parse(&credential.raw) {
        Ok(parsed) => Some(parsed),
        Err(error) => {
            tracing::error!(component = "credential-service", id = %credential.id, %error,
                "a stored credential cannot be read");
            None
        }
    };
    Ok(stored.iter().filter(asked).filter_map(read).collect())
}

/// For each scope that selects credentials of which none can be presented: why not.
pub(crate) fn shortcomings(
    parsed: &[ParsedCredential],
    requested: &[Scope],
    now: Timestamp,
    rules: &Rules,
) -> Vec<String> {
    let held: Vec<Held<'_>> = parsed.iter().map(|credential| Held { credential, withdrawn: false }).collect();
    let of_scope = |scope: &Scope| {
        let alone = std::slice::from_ref(scope);
        let checks = presentation::select(&held, alone, alone, now, rules).checks;
        let reasons: Option<Vec<&str>> = checks
            .iter()
            .map(|check| match &check.verdict {
                Verdict::Passed => None,
                Verdict::Failed(reason) => Some(reason.as_str()),
            })
            .collect();
        let reason = *reasons?.last()?;
        let name = match scope {
            Scope::Type { name, .. } => name,
            Scope::Id(id) => id,
        };
        Some(format!("the credential {name} in the participant's own wallet is not presented: {reason}"))
    };
    requested.iter().filter_map(of_scope).collect()
}

/// Makes presentations.
pub(crate) struct Presentations<'a> {
    pub(crate) store: &'a Store,
    pub(crate) environment: &'a Environment,
    pub(crate) vault: &'a dyn Vault,
    pub(crate) rules: &'a Rules,
}

impl Presentations<'_> {
    /// The presentations that answer `requested` within the grant; fewer than were asked for, or none, when that
    /// is all there is. The tokens are used up by it.
    pub(crate) async fn answer(
        &self,
        grant: &PresentationGrant,
        requested: &[Scope],
        (bearer, access): (&ReplayKey, &AccessToken),
    ) -> Result<Vec<String>, PresentationError> {
        let mut transaction = self.store.begin(grant);
        let key = SigningKey::find(&mut transaction, Usage::Presentations).await?;
        let parsed = held(&mut transaction, requested).await?;
        drop(transaction);
        let held: Vec<Held<'_>> =
            parsed.iter().map(|credential| Held { credential, withdrawn: false }).collect();
        let now = self.environment.now();
        let selection = presentation::select(&held, requested, access.scopes(), now, self.rules);
        let mut presentations = Vec::new();
        for group in &selection.groups {
            if group.format != Format::Vc11Sl2021Jwt {
                let (format, left_out) = (group.format.alias(), group.credentials.len());
                tracing::info!(
                    category = category::CLAIMS,
                    component = "credential-service",
                    action = "claims.present",
                    format,
                    left_out,
                    "credentials of this format are not presented"
                );
                continue;
            }
            for credentials in group.credentials.chunks(vp11::CREDENTIALS_MAX).take(PRESENTATIONS_MAX) {
                presentations.push(self.sign(grant, &key, credentials).await?);
            }
        }
        let mut transaction = self.store.begin(grant);
        peer::once(&mut transaction, bearer);
        peer::once(&mut transaction, access.replay_key());
        transaction.commit().await?;
        let (verifier, shown) = (grant.verifier().as_str(), presentations.len());
        let checks = &selection.checks;
        tracing::info!(
            category = category::CLAIMS,
            component = "credential-service",
            action = "claims.presented",
            counter_party_id = verifier,
            shown,
            ?checks,
            "a verifier was answered"
        );
        Ok(presentations)
    }

    async fn sign(
        &self,
        grant: &PresentationGrant,
        key: &SigningKey,
        credentials: &[&str],
    ) -> Result<String, PresentationError> {
        let now = self.environment.now();
        let draft = PresentationDraft {
            id: format!("urn:uuid:{}", self.environment.uuid()),
            holder: key.did.to_string(),
            audience: grant.verifier().to_string(),
            credentials: credentials.iter().map(|&text| text.to_owned()).collect(),
            issued_at: now,
            expires_at: now + LIFETIME,
        };
        let unsigned = vp11::unsigned(&draft, &key.kid, key.algorithm)?;
        Ok(key.sign(self.vault, grant, unsigned).await?)
    }
}
