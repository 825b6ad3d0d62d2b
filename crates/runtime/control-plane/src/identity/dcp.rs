//! The Decentralized Claims Protocol as a verifier (DCP 1.0 §4.3.3, §5.4).

use heddle_credentials::Check;
use heddle_dcp::{
    Refusal, Rules, Scope,
    token::{ReplayKey, SelfIssuedToken, self_issued},
    trust::{self, Evidence, TrustedIssuer},
    wire::{PresentationQueryMessage, PresentationResponseMessage},
};
use heddle_did::{Did, Strictness};
use heddle_ids::ParticipantId;
use heddle_outbound::{Authorization, Lane, OutboundError, Request, RetryClass};
use heddle_store::StoreError;
use heddle_telemetry::spans;
use heddle_tenancy::{Actor, VerifiedPeer};
use tracing::Instrument;

use super::{AskedScopes, Identity, PolicyAtHand, Proven, Unproven, asking::patiently};
use crate::{model::DataspaceProfile, parts::Addressed};

/// Largest presentation response that is read, in bytes.
const RESPONSE_BYTES_MAX: usize = 2 * 1024 * 1024;

impl Identity {
    pub(super) async fn verify_dcp(
        &self,
        addressed: &Addressed,
        authorization: &str,
        policy: PolicyAtHand<'_>,
    ) -> Result<Proven, Unproven> {
        let rules = rules_of(&addressed.profile);
        let token = self.self_issued(addressed, authorization, &rules).await?;
        let known = ParticipantId::parse(token.participant().as_str()).ok();
        let scopes = self.asked_scopes(addressed, known.as_ref(), policy).await?;
        let refuse =
            |reason: String, checks: Vec<Check>| Unproven::Refused { known: known.clone(), reason, checks };
        let read = |scopes: &[String]| -> Vec<Scope> {
            scopes.iter().filter_map(|scope| Scope::parse(scope).ok()).collect()
        };
        let span = || {
            let own = addressed.recipient.context().as_str();
            spans::part("dcp.query", own, Some(token.participant().as_str()))
        };
        let all = || self.query(addressed, &token, scopes.all());
        let mut response = patiently(|| Box::pin(all().instrument(span())), QueryError::is_away).await;
        if let Some(fewer) = response.as_ref().err().and_then(|error| error.asks_for_less(&scopes)) {
            response = self.query(addressed, &token, fewer).instrument(span()).await;
        }
        let response = response.map_err(|error| match error {
            QueryError::Declined(reason) | QueryError::Peer(reason) | QueryError::Away(reason) => {
                refuse(reason, token.checks().to_vec())
            }
            QueryError::Ours(reason) => Unproven::Unavailable(reason),
        })?;
        let issuers = trusted(&addressed.profile);
        let evidence = EvidenceParts {
            token: &token,
            response: &response,
            scopes: &read(&scopes.required),
            optional_scopes: &read(&scopes.optional),
            issuers: &issuers,
            rules: &rules,
        };
        let presentation = self
            .judge(&evidence)
            .await
            .map_err(|refusal| refuse(refusal.to_string(), refusal.checks().to_vec()))?;
        let checks = presentation.checks().to_vec();
        self.record(addressed, presentation.replay_keys()).await.map_err(|error| match error {
            StoreError::Duplicate { .. } => {
                refuse("the presentation was used before".to_owned(), checks.clone())
            }
            other => other.into(),
        })?;
        let peer = VerifiedPeer::from_presentation(&presentation, addressed.recipient.clone())
            .map_err(|error| refuse(error.to_string(), checks.clone()))?;
        Ok(Proven { peer, checks })
    }

    /// Reads and verifies the self-issued token and sees that it is used once.
    async fn self_issued(
        &self,
        addressed: &Addressed,
        authorization: &str,
        rules: &Rules,
    ) -> Result<SelfIssuedToken, Unproven> {
        let refused = |reason: String| Unproven::Refused { known: None, reason, checks: Vec::new() };
        let text = heddle_auth::bearer(Some(authorization)).map_err(|error| refused(error.to_string()))?;
        let identity = addressed.recipient.identity();
        let audience = Did::parse(identity.as_str())
            .map_err(|_| refused(format!("the recipient's identity '{identity}' is no DID, as DCP needs")))?;
        let now = self.store.environment().now();
        let read = || self_issued::read(text, &audience, now, rules).map_err(|refusal| unproven(&refusal));
        let candidate = read()?;
        let issuer = candidate.issuer().clone();
        let document = self.document(&issuer).await.map_err(|error| refused(error.to_string()))?;
        let token = match candidate.verify(&document) {
            Ok(token) => token,
            // The key may have been rotated a moment ago.
            Err(refusal) if !refusal.stale_documents().is_empty() => {
                let fresh =
                    self.resolver.refresh(&issuer).await.map_err(|error| refused(error.to_string()))?;
                read()?.verify(&fresh).map_err(|refusal| unproven(&refusal))?
            }
            Err(refusal) => return Err(unproven(&refusal)),
        };
        match self.record(addressed, &[token.replay_key()]).await {
            Err(StoreError::Duplicate { .. }) => {
                Err(refused("the self-issued token was used before".to_owned()))
            }
            other => other.map(|()| token).map_err(Unproven::from),
        }
    }

    /// Records what must not be seen again, each in the recipient's own space.
    async fn record(&self, addressed: &Addressed, keys: &[ReplayKey]) -> Result<(), StoreError> {
        let context = addressed.recipient.context().clone();
        let scope = self.scopes.participant(context, Actor::new("identity service"));
        let mut transaction = self.store.begin(&scope);
        for key in keys {
            transaction.once(format!("{} {}", key.issuer, key.jti), key.until);
        }
        transaction.commit().await
    }

    /// Asks the peer's credential service for presentations.
    async fn query(
        &self,
        addressed: &Addressed,
        token: &SelfIssuedToken,
        scopes: Vec<String>,
    ) -> Result<PresentationResponseMessage, QueryError> {
        let access =
            token.access_token().ok_or_else(|| peer("the self-issued token carries no access token"))?;
        let document = self.document(token.participant()).await.map_err(peer)?;
        let service = document.service_of_type("CredentialService").ok_or_else(|| {
            peer(format!("{} has no CredentialService in its DID document", token.participant()))
        })?;
        let context = addressed.recipient.context().clone();
        let own = self.scopes.participant(context, Actor::new("identity service"));
        let audience = ParticipantId::parse(token.participant().as_str()).map_err(peer)?;
        let proof = self
            .tokens
            .token(&own, &audience, &[], Some(access))
            .await
            .map_err(|e| QueryError::Ours(e.to_string()))?;
        let url = format!("{}/presentations/query", service.endpoint.trim_end_matches('/'));
        let message = PresentationQueryMessage::for_scopes(scopes);
        let request = Request::post(url)
            .json_of(&message)
            .authorization(Authorization::bearer(&proof))
            // Never behind our messages to the same host: those wait until we have answered its queries.
            .lane(Lane::Proof)
            .body_bytes_max(RESPONSE_BYTES_MAX);
        let answer = self.outbound.send(request).await.map_err(|error| unanswered(&error))?;
        heddle_dcp::wire::parse(answer.body()).map_err(peer)
    }

    /// Fetches what the judgement needs, then judges; once more with fresh documents if one may be out of date.
    async fn judge(&self, parts: &EvidenceParts<'_>) -> Result<trust::VerifiedPresentation, Refusal> {
        let gathered = self.gather(parts, trust::Gathered::default()).await;
        let verdict = trust::verify(&parts.evidence(&gathered, self.store.environment().now()));
        let stale = match &verdict {
            Ok(presentation) => presentation.stale_documents().clone(),
            Err(refusal) => refusal.stale_documents().clone(),
        };
        if stale.is_empty() {
            return verdict;
        }
        let mut fresh = trust::Gathered { status_lists: gathered.status_lists, ..trust::Gathered::default() };
        for did in stale {
            let document = self.resolver.refresh(&did).await;
            fresh.documents.insert(did, document.map(|d| (*d).clone()).map_err(|error| error.to_string()));
        }
        let gathered = self.gather(parts, fresh).await;
        trust::verify(&parts.evidence(&gathered, self.store.environment().now()))
    }
}

/// The parts of an [`Evidence`] that do not change while it is gathered.
pub(super) struct EvidenceParts<'a> {
    pub(super) token: &'a SelfIssuedToken,
    pub(super) response: &'a PresentationResponseMessage,
    pub(super) scopes: &'a [Scope],
    pub(super) optional_scopes: &'a [Scope],
    pub(super) issuers: &'a [TrustedIssuer],
    pub(super) rules: &'a Rules,
}

impl EvidenceParts<'_> {
    pub(super) fn evidence<'e>(
        &'e self,
        gathered: &'e trust::Gathered,
        now: heddle_clock::Timestamp,
    ) -> Evidence<'e> {
        Evidence {
            self_issued: self.token,
            response: self.response,
            scopes: self.scopes,
            optional_scopes: self.optional_scopes,
            trusted_issuers: self.issuers,
            gathered,
            now,
            rules: self.rules,
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum QueryError {
    /// The peer's credential service has said no to this query.
    Declined(String),
    /// The peer's credential service does not answer at the moment.
    Away(String),
    /// The peer is to blame.
    Peer(String),
    /// We are.
    Ours(String),
}

impl QueryError {
    const fn is_away(&self) -> bool {
        matches!(self, Self::Away(_))
    }

    /// What to ask for once more after this: some credential services refuse a whole query for one credential that they
    /// have not granted us, even if it need not be shown.
    fn asks_for_less(&self, asked: &AskedScopes) -> Option<Vec<String>> {
        let more_was_asked = !asked.optional.is_empty() && !asked.required.is_empty();
        (more_was_asked && matches!(self, Self::Declined(_))).then(|| asked.required.clone())
    }
}

fn peer(reason: impl std::fmt::Display) -> QueryError {
    QueryError::Peer(reason.to_string())
}

/// A credential service that says no has spoken; one that does not answer may do so later, but until then the
/// peer is not proved either way, and it is the peer's own.
fn unanswered(error: &OutboundError) -> QueryError {
    match error.class() {
        RetryClass::Retry { .. } => {
            QueryError::Away(format!("the peer's credential service does not answer: {error}"))
        }
        RetryClass::RetryBriefly | RetryClass::Final
            if error.status().is_some_and(|status| status.is_client_error()) =>
        {
            QueryError::Declined(error.to_string())
        }
        RetryClass::RetryBriefly | RetryClass::Final => QueryError::Peer(error.to_string()),
    }
}

fn unproven(refusal: &Refusal) -> Unproven {
    Unproven::Refused { known: None, reason: refusal.to_string(), checks: refusal.checks().to_vec() }
}

fn rules_of(profile: &DataspaceProfile) -> Rules {
    let mut rules = Rules::default();
    if profile.strict {
        rules.relationships = Strictness::Strict;
        rules.bad_credential = heddle_dcp::BadCredential::SinksPresentation;
    }
    rules
}

fn trusted(profile: &DataspaceProfile) -> Vec<TrustedIssuer> {
    let issuers = profile.trusted_issuers.iter();
    issuers
        .filter_map(|issuer| {
            let did = Did::parse(&issuer.id).ok()?;
            Some(TrustedIssuer { did, supported_types: issuer.supported_types.clone() })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    #[test]
    fn what_need_not_be_shown_is_left_out_when_the_whole_query_is_declined() {
        let declined = QueryError::Declined("403".to_owned());
        let after = |error: &QueryError, required: &[&str], optional: &[&str]| {
            let owned = |scopes: &[&str]| scopes.iter().map(|scope| (*scope).to_owned()).collect();
            error.asks_for_less(&AskedScopes { required: owned(required), optional: owned(optional) })
        };
        assert_eq!(after(&declined, &["m"], &["o"]), Some(vec!["m".to_owned()]));
        // Nothing else could be asked for.
        assert_eq!(after(&declined, &["m"], &[]), None);
        assert_eq!(after(&declined, &[], &["o"]), None);
        assert_eq!(after(&QueryError::Peer("away".to_owned()), &["m"], &["o"]), None);
    }

    #[test]
    fn a_credential_service_that_does_not_answer_has_not_declined() {
        let came = |status| {
            unanswered(&OutboundError::Status {
                url: "https://x".to_owned(),
                status,
                body_excerpt: String::new(),
                retry_after: None,
            })
        };
        for status in [StatusCode::BAD_REQUEST, StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN] {
            assert!(matches!(came(status), QueryError::Declined(_)), "{status}");
        }
        for status in [StatusCode::TOO_MANY_REQUESTS, StatusCode::BAD_GATEWAY] {
            assert!(came(status).is_away(), "{status}");
        }
    }
}
