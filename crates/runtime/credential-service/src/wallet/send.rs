//! The job that brings a credential request to its issuer (DCP 1.0 §6.4).

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use heddle_auth::{SelfIssuedError, SelfIssuedTokens};
use heddle_dcp::{
    issuance::holder::{Event, State},
    wire::{self, CredentialRequestMessage, IssuerMetadata},
};
use heddle_ids::IssuerPid;
use heddle_outbound::{Authorization, DidResolver, Outbound, OutboundError, Request, ResolveError, RetryClass};
use heddle_store::{ClaimedJob, JobContext, JobHandler, Loaded, Outcome, Store, StoreError};
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

/// Attempts after which the request ends in an error; fewer than the worker's own limit.
const ATTEMPTS_MAX: u32 = 18;
/// For how long an answer that may come from a restarting peer (401, 404) is not taken for final.
const BRIEFLY: Duration = Duration::from_secs(120);
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

/// Why the issuer does not have the request.
#[derive(Debug, thiserror::Error)]
enum SendError {
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    #[error(transparent)]
    Token(#[from] SelfIssuedError),
    #[error(transparent)]
    Signing(#[from] SigningError),
    #[error("{0}")]
    Issuer(String),
}

impl SendError {
    fn class(&self) -> RetryClass {
        let retry = |again: bool| if again { RetryClass::Retry { after: None } } else { RetryClass::Final };
        match self {
            Self::Resolve(error) => error.class(),
            Self::Outbound(error) => error.class(),
            Self::Token(error) => retry(error.is_retryable()),
            Self::Signing(error) => retry(matches!(error, SigningError::Vault(_) | SigningError::Store(_))),
            Self::Issuer(_) => RetryClass::Final,
        }
    }

    /// The issuer knows a request under this id already: the answer to an earlier attempt was lost.
    fn is_repeat(&self, job: &ClaimedJob) -> bool {
        let conflict = matches!(self, Self::Outbound(error) if error.status().is_some_and(|s| s.as_u16() == 409));
        conflict && job.attempts > 0
    }
}

/// What the issuer said: where it tells how far it is.
struct Accepted {
    location: Option<String>,
}

#[async_trait]
impl JobHandler for RequestSender {
    async fn run(&self, context: &JobContext) -> Result<Outcome, StoreError> {
        let JobScope::Participant(scope) = &context.scope else {
            return Ok(Outcome::Bury { error: "the job belongs to no participant context".to_owned() });
        };
        let payload: SendRequest = context.job.payload()?;
        let Some(mut request) = self.begin(scope, payload.holder_pid.as_str()).await? else {
            return Ok(Outcome::Done);
        };
        let sent = match self.complete(scope, &mut request).await {
            Ok(()) => self.send(scope, &request).await,
            Err(error) => Err(error),
        };
        let sent = match sent {
            Err(error) if error.is_repeat(&context.job) => Ok(Accepted { location: None }),
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

/// Whether to try again, and not before which time.
fn again(error: &SendError, job: &ClaimedJob, now: heddle_clock::Timestamp) -> Option<Option<Duration>> {
    if job.attempts + 1 >= ATTEMPTS_MAX {
        return None;
    }
    match error.class() {
        RetryClass::Retry { after } => Some(after),
        RetryClass::RetryBriefly if now.since(job.created_at) < BRIEFLY => Some(None),
        RetryClass::RetryBriefly | RetryClass::Final => None,
    }
}

impl RequestSender {
    /// Marks the request as being sent, so that a delivery that overtakes the answer finds it so. `None` when
    /// there is nothing to send any more.
    async fn begin(&self, scope: &ParticipantScope, id: &str) -> Result<Option<CredentialRequest>, StoreError> {
        let mut transaction = self.store.begin(scope);
        let Some(request) = transaction.load::<CredentialRequest>(id).await? else { return Ok(None) };
        match request.state {
            State::Requesting => Ok(Some(request.into_value())),
            State::Created => {
                let next = request.after(Event::Send, transaction.now()).map_err(unreadable)?;
                transaction.save(&request, &next);
                transaction.commit().await?;
                Ok(Some(next))
            }
            State::Requested | State::Issued | State::Rejected | State::Error => Ok(None),
        }
    }

    /// Finds ids that the client left out in the issuer's metadata.
    async fn complete(
        &self,
        scope: &ParticipantScope,
        request: &mut CredentialRequest,
    ) -> Result<(), SendError> {
        if request.wanted.iter().all(|wanted| wanted.id.is_some()) {
            return Ok(());
        }
        let base = self.issuer_endpoint(request).await?;
        let audience = peer::participant_id(&request.issuer_did).map_err(|e| SendError::Issuer(e.to_string()))?;
        // Open to everybody by DCP 1.0 §6.7; some issuers want to know who asks all the same.
        let token = self.tokens.token(scope, &audience, &[], None).await?;
        let ask = Request::get(format!("{base}/metadata"))
            .authorization(Authorization::bearer(&token))
            .body_bytes_max(METADATA_BYTES_MAX);
        let answer = self.outbound.send(ask).await?;
        let metadata: IssuerMetadata =
            wire::parse(answer.body()).map_err(|e| SendError::Issuer(format!("the issuer's metadata: {e}")))?;
        for wanted in request.wanted.iter_mut().filter(|wanted| wanted.id.is_none()) {
            wanted.id = Some(object_id(&metadata, wanted)?);
        }
        Ok(())
    }

    async fn send(&self, scope: &ParticipantScope, request: &CredentialRequest) -> Result<Accepted, SendError> {
        let base = self.issuer_endpoint(request).await?;
        let audience = peer::participant_id(&request.issuer_did).map_err(|e| SendError::Issuer(e.to_string()))?;
        let grant = self.write_grant(scope, request).await?;
        let token = self.tokens.token(scope, &audience, &[], Some(&grant)).await?;
        let ids = request.wanted.iter().filter_map(|wanted| wanted.id.clone()).collect();
        let message = CredentialRequestMessage::new(request.holder_pid.clone(), ids);
        let post = Request::post(format!("{base}/credentials"))
            .json_of(&message)
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

    async fn write_grant(&self, scope: &ParticipantScope, request: &CredentialRequest) -> Result<String, SigningError> {
        let key = SigningKey::find(&mut self.store.begin(scope), Usage::SignToken).await?;
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

fn next(
    request: &Loaded<CredentialRequest>,
    sent: &CredentialRequest,
    outcome: Result<Accepted, SendError>,
    now: heddle_clock::Timestamp,
) -> Option<CredentialRequest> {
    match outcome {
        Ok(accepted) => {
            let mut next = request.after(Event::Accepted, now).ok()?;
            next.wanted.clone_from(&sent.wanted);
            next.issuer_pid = next.issuer_pid.or_else(|| accepted.location.as_deref().and_then(pid_of));
            next.location = accepted.location;
            Some(next)
        }
        // Once it is answered there is no arrow for a failure, and the answer stands.
        Err(error) => Some(request.after(Event::Failed, now).ok()?.because(&error.to_string())),
    }
}

/// The last segment of a location is the issuer's id of the process, by custom.
fn pid_of(location: &str) -> Option<IssuerPid> {
    let path = location.split(['?', '#']).next().unwrap_or_default();
    IssuerPid::parse(path.trim_end_matches('/').rsplit('/').next().unwrap_or_default()).ok()
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
