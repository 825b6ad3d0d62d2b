//! The job that brings a credential request to its issuer (DCP 1.0 §6.4).

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use heddle_auth::SelfIssuedTokens;
use heddle_dcp::{
    issuance::holder::{Event, State},
    wire::{self, CredentialRequestMessage, IssuerMetadata},
};
use heddle_outbound::{Authorization, DidResolver, Outbound, Request};
use heddle_store::{ClaimedJob, JobContext, JobHandler, Outcome, Store, StoreError};
use heddle_tenancy::{JobScope, ParticipantScope};
use heddle_vault::Vault;

use super::{
    CredentialRequest,
    request::{SendRequest, Wanted},
    write_grant,
};
use crate::{
    participant::Usage,
    peer,
    signing::{SigningError, SigningKey},
};

mod outcome;

use outcome::{Accepted, SendError, again, next};

/// Longest `Location` that is kept, in bytes.
const LOCATION_BYTES_MAX: usize = 2048;
/// Largest metadata of an issuer, in bytes.
const METADATA_BYTES_MAX: usize = 1024 * 1024;

/// Runs jobs of kind [`super::request::SEND_REQUEST`].
pub(crate) struct RequestSender {
    pub(crate) store: Store,
    pub(crate) vault: Arc<dyn Vault>,
    pub(crate) outbound: Outbound,
    pub(crate) resolver: DidResolver,
    pub(crate) tokens: Arc<dyn SelfIssuedTokens>,
}

#[async_trait]
impl JobHandler for RequestSender {
    async fn run(&self, context: &JobContext) -> Result<Outcome, StoreError> {
        let JobScope::Participant(scope) = &context.scope else {
            return Ok(Outcome::Bury { error: "the job belongs to no participant context".to_owned() });
        };
        let payload: SendRequest = context.job.payload()?;
        let Some((mut request, repeated)) = self.begin(scope, payload.holder_pid.as_str()).await? else {
            return Ok(Outcome::Done);
        };
        let sent = match self.complete(scope, request.clone()).await {
            Ok(Some(complete)) => {
                request = complete;
                self.send(scope, &request).await
            }
            Ok(None) => return Ok(Outcome::Done),
            Err(error) => Err(error),
        };
        let sent = match sent {
            Err(error) if repeated && error.is_conflict() => Ok(Accepted { location: None }),
            sent => sent,
        };
        match sent {
            Ok(accepted) => self.settle(scope, &context.job, &request, Ok(accepted)).await,
            Err(error) => match again(&error, &context.job, self.store.environment().now()) {
                Some(after) => Ok(Outcome::Retry { error: error.to_string(), after }),
                None => self.settle(scope, &context.job, &request, Err(error)).await,
            },
        }
    }
}

impl RequestSender {
    /// Marks the request as being sent, so that a delivery that overtakes the answer finds it so, and says whether it
    /// was marked before: then the issuer may have it. `None` when there is nothing to send any more.
    async fn begin(
        &self,
        scope: &ParticipantScope,
        id: &str,
    ) -> Result<Option<(CredentialRequest, bool)>, StoreError> {
        let mut transaction = self.store.begin(scope);
        let Some(request) = transaction.load::<CredentialRequest>(id).await? else { return Ok(None) };
        match request.state {
            State::Requesting => Ok(Some((request.into_value(), true))),
            State::Created => {
                let next = request.after(Event::Send, transaction.now()).map_err(unreadable)?;
                transaction.save(&request, &next);
                transaction.commit().await?;
                Ok(Some((next, false)))
            }
            State::Requested | State::Issued | State::Rejected | State::Error => Ok(None),
        }
    }

    /// Finds ids that the client left out in the issuer's metadata, and stores them: what is sent again under the
    /// same key is the same, whatever the issuer offers by then. `None` when there is nothing to send any more.
    async fn complete(
        &self,
        scope: &ParticipantScope,
        request: CredentialRequest,
    ) -> Result<Option<CredentialRequest>, SendError> {
        if request.is_complete() {
            return Ok(Some(request));
        }
        let metadata = self.metadata(scope, &request).await?;
        let mut transaction = self.store.begin(scope);
        let Some(stored) = transaction.load::<CredentialRequest>(request.holder_pid.as_str()).await? else {
            return Ok(None);
        };
        let mut complete = stored.value().clone();
        for wanted in complete.wanted.iter_mut().filter(|wanted| wanted.id.is_none()) {
            wanted.id = Some(object_id(&metadata, wanted)?);
        }
        transaction.save(&stored, &complete);
        transaction.commit().await?;
        Ok(Some(complete))
    }

    async fn metadata(
        &self,
        scope: &ParticipantScope,
        request: &CredentialRequest,
    ) -> Result<IssuerMetadata, SendError> {
        let base = self.issuer_endpoint(request).await?;
        let audience =
            peer::participant_id(&request.issuer_did).map_err(|e| SendError::Issuer(e.to_string()))?;
        // Open to everybody by DCP 1.0 §6.7; some issuers want to know who asks all the same.
        let token = self.tokens.token(scope, &audience, &[], None).await?;
        let ask = Request::get(format!("{base}/metadata"))
            .authorization(Authorization::bearer(&token))
            .body_bytes_max(METADATA_BYTES_MAX);
        let answer = self.outbound.send(ask).await?;
        wire::parse(answer.body()).map_err(|e| SendError::Issuer(format!("the issuer's metadata: {e}")))
    }

    async fn send(
        &self,
        scope: &ParticipantScope,
        request: &CredentialRequest,
    ) -> Result<Accepted, SendError> {
        let base = self.issuer_endpoint(request).await?;
        let audience =
            peer::participant_id(&request.issuer_did).map_err(|e| SendError::Issuer(e.to_string()))?;
        let grant = self.write_grant(scope, request).await?;
        let token = self.tokens.token(scope, &audience, &[], Some(&grant)).await?;
        let ids = request.wanted.iter().filter_map(|wanted| wanted.id.clone()).collect();
        let message = CredentialRequestMessage::new(request.holder_pid.clone(), ids);
        let post = Request::post(format!("{base}/credentials"))
            .json_of(&message)
            .idempotency_key(request.idempotency_key())
            .authorization(Authorization::bearer(&token));
        let answer = self.outbound.send(post).await?;
        let location = answer.headers().get("location").and_then(|value| value.to_str().ok());
        let location = location.filter(|text| text.len() <= LOCATION_BYTES_MAX).map(str::to_owned);
        Ok(Accepted { location })
    }

    async fn issuer_endpoint(&self, request: &CredentialRequest) -> Result<String, SendError> {
        let document = self.resolver.resolve(&request.issuer_did).await?;
        let service = document.service_of_type("IssuerService").ok_or_else(|| {
            SendError::Issuer(format!("the DID document of {} has no IssuerService", request.issuer_did))
        })?;
        Ok(service.endpoint.trim_end_matches('/').to_owned())
    }

    async fn write_grant(
        &self,
        scope: &ParticipantScope,
        request: &CredentialRequest,
    ) -> Result<String, SigningError> {
        let key = SigningKey::find(&mut self.store.begin(scope), Usage::Tokens).await?;
        let now = self.store.environment().now();
        let grant = write_grant::unsigned(&key, &request.issuer_did, &request.holder_pid, now)?;
        key.sign(self.vault.as_ref(), scope, grant).await
    }

    /// Writes down what came of it. An answer that the delivery has overtaken changes nothing.
    async fn settle(
        &self,
        scope: &ParticipantScope,
        job: &ClaimedJob,
        sent: &CredentialRequest,
        outcome: Result<Accepted, SendError>,
    ) -> Result<Outcome, StoreError> {
        let mut transaction = self.store.begin(scope);
        let Some(request) = transaction.load::<CredentialRequest>(sent.holder_pid.as_str()).await? else {
            return Ok(Outcome::Done);
        };
        let next = next(&request, sent, outcome, transaction.now());
        if let Some(next) = next.filter(|next| next != request.value()) {
            transaction.save(&request, &next);
            if next.state != request.state {
                next.tell(&mut transaction, scope.participant());
            }
        }
        transaction.complete(job);
        transaction.commit().await?;
        Ok(Outcome::Completed)
    }
}

fn object_id(metadata: &IssuerMetadata, wanted: &Wanted) -> Result<String, SendError> {
    let object = metadata.object(&wanted.credential_type, wanted.format.alias());
    object.map(|object| object.id.clone()).ok_or_else(|| {
        let (kind, format) = (&wanted.credential_type, wanted.format.alias());
        SendError::Issuer(format!("the issuer offers no '{kind}' in the format {format}"))
    })
}

fn unreadable(error: impl fmt::Display) -> StoreError {
    StoreError::Unusable { reason: error.to_string() }
}
