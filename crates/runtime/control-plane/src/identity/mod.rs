//! Who a peer is, and how we prove ourselves to it: the identity service that the dataspace profile names.
//!
//! Verification talks to others (the peer's DID host, its credential service, status lists) and ends before any
//! transaction begins. Its every step is a named check, kept for the decision trace.

mod asking;
mod dcp;
mod evidence;

use std::sync::Arc;

use heddle_auth::{SelfIssuedError, SelfIssuedTokens};
use heddle_credentials::Check;
use heddle_did::Did;
use heddle_ids::{ParticipantId, SharedAgreementId};
use heddle_outbound::{Authorization, DidResolver, Outbound, ResolveError};
use heddle_store::{Store, StoreError};
use heddle_telemetry::spans;
use heddle_tenancy::{Actor, ParticipantScope, ScopeIssuer, StaticPeers, VerifiedPeer};
use tracing::Instrument;

use crate::{
    model::{Agreement, DataspaceProfile, DcpScope, IdentityService},
    parts::Addressed,
    telling,
};

/// Most DCP scopes that an installation may have.
const SCOPES_MAX: u32 = 1000;

/// A peer that proved itself, and how.
#[derive(Debug)]
pub(crate) struct Proven {
    pub(crate) peer: VerifiedPeer,
    pub(crate) checks: Vec<Check>,
}

/// Why a peer is not believed. What the peer is told does not depend on it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unproven {
    /// It did not prove itself.
    #[error("{reason}")]
    Refused {
        /// Who it is, when its token proved that and only what else was asked of it is missing.
        known: Option<ParticipantId>,
        /// What failed, for the owner.
        reason: String,
        /// The checks up to the one that failed.
        checks: Vec<Check>,
    },
    /// We could not find out; asking again may help.
    #[error("the peer cannot be verified at the moment: {0}")]
    Unavailable(String),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The DCP scopes that a peer is asked for.
struct AskedScopes {
    /// Each must be met.
    required: Vec<String>,
    /// Those that need not.
    optional: Vec<String>,
}

impl AskedScopes {
    fn all(&self) -> Vec<String> {
        self.required.iter().chain(&self.optional).cloned().collect()
    }
}

/// Which policies say what is asked of a peer beside what every request is.
enum PolicyAtHand<'a> {
    /// One with these left operands; all that it speaks of must be shown.
    One(&'a [String]),
    /// Many, with these left operands between them: what they speak of is asked for, but need not be shown.
    Many(&'a [String]),
    /// That of an agreement: whose it is, is known when the peer is.
    Agreement(&'a SharedAgreementId),
}

/// The identity services.
pub(crate) struct Identity {
    store: Store,
    scopes: Arc<ScopeIssuer>,
    outbound: Outbound,
    resolver: DidResolver,
    tokens: Arc<dyn SelfIssuedTokens>,
    static_peers: Option<StaticPeers>,
}

impl Identity {
    pub(crate) fn new(
        store: &Store,
        scopes: &Arc<ScopeIssuer>,
        outbound: &Outbound,
        resolver: DidResolver,
        tokens: Arc<dyn SelfIssuedTokens>,
    ) -> Self {
        let (store, scopes, outbound) = (store.clone(), scopes.clone(), outbound.clone());
        Self { store, scopes, outbound, resolver, tokens, static_peers: None }
    }

    pub(crate) fn with_static_peers(mut self, peers: Option<StaticPeers>) -> Self {
        self.static_peers = peers;
        self
    }

    /// Whether there is a table for the `static` identity service.
    pub(crate) fn knows_static_peers(&self) -> bool {
        self.static_peers.is_some()
    }

    /// Proves who sent `authorization` to `addressed`. `left_operands` are those of the policy at hand: they may
    /// need more of the peer's credentials than every request does.
    pub(crate) async fn verify(
        &self,
        addressed: &Addressed,
        authorization: Option<&str>,
        left_operands: &[String],
    ) -> Result<Proven, Unproven> {
        self.told(addressed, authorization, PolicyAtHand::One(left_operands)).await
    }

    /// As [`Identity::verify`], for something that many policies bear on, such as a catalog: what they speak of is asked
    /// for, but only what every request needs must be shown. Who does not show the rest does not see what it opens.
    pub(crate) async fn verify_leniently(
        &self,
        addressed: &Addressed,
        authorization: Option<&str>,
        left_operands: &[String],
    ) -> Result<Proven, Unproven> {
        self.told(addressed, authorization, PolicyAtHand::Many(left_operands)).await
    }

    /// As [`Identity::verify`], with the policy of an agreement with whoever it is.
    pub(crate) async fn verify_under(
        &self,
        addressed: &Addressed,
        authorization: Option<&str>,
        agreement: &SharedAgreementId,
    ) -> Result<Proven, Unproven> {
        self.told(addressed, authorization, PolicyAtHand::Agreement(agreement)).await
    }

    async fn told(
        &self,
        addressed: &Addressed,
        authorization: Option<&str>,
        policy: PolicyAtHand<'_>,
    ) -> Result<Proven, Unproven> {
        let span = spans::part("dcp.verify", addressed.recipient.context().as_str(), None);
        let outcome = self.prove(addressed, authorization, policy).instrument(span.clone()).await;
        spans::outcome(&span, if outcome.is_ok() { "proved" } else { "not proved" });
        telling::proof(addressed, &outcome);
        outcome
    }

    async fn prove(
        &self,
        addressed: &Addressed,
        authorization: Option<&str>,
        policy: PolicyAtHand<'_>,
    ) -> Result<Proven, Unproven> {
        let refused =
            |reason: &str| Unproven::Refused { known: None, reason: reason.to_owned(), checks: Vec::new() };
        let authorization =
            authorization.ok_or_else(|| refused("the request has no Authorization header"))?;
        match addressed.profile.identity {
            IdentityService::Dcp => self.verify_dcp(addressed, authorization, policy).await,
            IdentityService::Static => {
                let peers = self.static_peers.as_ref();
                let peers = peers.ok_or_else(|| refused("the static identity service has no table here"))?;
                let peer = VerifiedPeer::from_static(peers, authorization, addressed.recipient.clone())
                    .map_err(|unknown| refused(&unknown.to_string()))?;
                Ok(Proven { peer, checks: Vec::new() })
            }
        }
    }

    /// The proof that goes with a request of ours to `audience`.
    pub(crate) async fn authorization(
        &self,
        scope: &ParticipantScope,
        profile: &DataspaceProfile,
        audience: &ParticipantId,
        left_operands: &[String],
    ) -> Result<Authorization, SelfIssuedError> {
        self.authorization_with(scope, profile, audience, (left_operands, &[])).await
    }

    /// As [`Identity::authorization`], with scopes that are asked for beside those of the profile.
    pub(crate) async fn authorization_with(
        &self,
        scope: &ParticipantScope,
        profile: &DataspaceProfile,
        audience: &ParticipantId,
        (left_operands, additional): (&[String], &[String]),
    ) -> Result<Authorization, SelfIssuedError> {
        match profile.identity {
            IdentityService::Dcp => {
                let unavailable =
                    |error: StoreError| SelfIssuedError::Unavailable { reason: error.to_string() };
                let mut scopes = self.scopes_for(profile, left_operands).await.map_err(unavailable)?;
                for more in additional {
                    if !scopes.contains(more) {
                        scopes.push(more.clone());
                    }
                }
                let span = spans::part("dcp.token", scope.participant().as_str(), Some(audience.as_str()));
                let token = self.tokens.token(scope, audience, &scopes, None).instrument(span).await?;
                Ok(Authorization::bearer(&token))
            }
            IdentityService::Static => {
                let sends = self.static_peers.as_ref();
                let value =
                    sends.and_then(|peers| peers.authorization(scope.participant(), audience.as_str()));
                let reason = "the static identity service has no Authorization value for it".to_owned();
                value.map(Authorization::verbatim).ok_or(SelfIssuedError::Unable { reason })
            }
        }
    }

    /// The DCP scopes that a request of `peer` is asked for, and what of them it must show.
    async fn asked_scopes(
        &self,
        addressed: &Addressed,
        peer: Option<&ParticipantId>,
        policy: PolicyAtHand<'_>,
    ) -> Result<AskedScopes, StoreError> {
        let profile = &addressed.profile;
        let required = match policy {
            PolicyAtHand::One(left_operands) => self.scopes_for(profile, left_operands).await?,
            PolicyAtHand::Many(_) => self.scopes_for(profile, &[]).await?,
            PolicyAtHand::Agreement(shared_id) => {
                let left_operands = match peer {
                    Some(peer) => self.left_operands_of(addressed, peer, shared_id).await?,
                    None => Vec::new(),
                };
                self.scopes_for(profile, &left_operands).await?
            }
        };
        let mut optional = match policy {
            PolicyAtHand::Many(left_operands) => self.scopes_for(profile, left_operands).await?,
            PolicyAtHand::One(_) | PolicyAtHand::Agreement(_) => Vec::new(),
        };
        optional.retain(|scope| !required.contains(scope));
        Ok(AskedScopes { required, optional })
    }

    async fn left_operands_of(
        &self,
        addressed: &Addressed,
        peer: &ParticipantId,
        shared_id: &SharedAgreementId,
    ) -> Result<Vec<String>, StoreError> {
        let context = addressed.recipient.context().clone();
        let own = self.scopes.participant(context, Actor::new("identity service"));
        let key = Agreement::key(peer, shared_id);
        let agreement = self.store.begin(&own).load_by_key::<Agreement>(&key).await?;
        Ok(agreement.map(|agreement| agreement.left_operands()).unwrap_or_default())
    }

    /// What of a participant's own credentials keeps a request in `profile` from being believed, as far as that is
    /// known: a peer that refuses does not say why.
    pub(crate) async fn shortcomings(
        &self,
        scope: &ParticipantScope,
        profile: &DataspaceProfile,
        left_operands: &[String],
    ) -> Result<Vec<String>, StoreError> {
        match profile.identity {
            IdentityService::Dcp => {
                let scopes = self.scopes_for(profile, left_operands).await?;
                Ok(self.tokens.shortcomings(scope, &scopes).await)
            }
            IdentityService::Static => Ok(Vec::new()),
        }
    }

    /// Whether there is somebody by the id `peer`, as far as the profile's identity service can tell.
    pub(crate) async fn resolves(
        &self,
        profile: &DataspaceProfile,
        peer: &ParticipantId,
    ) -> Result<(), ResolveError> {
        match profile.identity {
            IdentityService::Dcp => match Did::parse(peer.as_str()) {
                Ok(did) => self.resolver.resolve(&did).await.map(drop),
                // The proof for such an audience is what fails, and says so.
                Err(_) => Ok(()),
            },
            IdentityService::Static => Ok(()),
        }
    }

    /// The DCP scopes that a request in `profile` asks for.
    async fn scopes_for(
        &self,
        profile: &DataspaceProfile,
        left_operands: &[String],
    ) -> Result<Vec<String>, StoreError> {
        let rows = self.store.published(DcpScope::DIRECTORY, None, SCOPES_MAX).await?;
        let mut values = Vec::new();
        for row in rows {
            let scope: DcpScope = row.value()?;
            if scope.applies(profile.name.as_str(), left_operands) && !values.contains(&scope.value) {
                values.push(scope.value);
            }
        }
        Ok(values)
    }
}
