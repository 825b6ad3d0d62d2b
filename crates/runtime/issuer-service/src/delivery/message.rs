//! Sending a message to the credential service of a holder, which its DID document names.

use heddle_dcp::wire::{CredentialContainer, CredentialMessage};
use heddle_did::DidDocument;
use heddle_ids::ParticipantId;
use heddle_outbound::{Authorization, Request};
use heddle_tenancy::ParticipantScope;

use super::{outcome::DeliveryError, preparation::Ready};
use crate::{IssuerService, credential::IssuedCredential, process::IssuanceProcess};

/// The type of the service in a DID document (DCP 1.0 §5.2).
const CREDENTIAL_SERVICE: &str = "CredentialService";

/// Delivers the credentials of a process, as they are stored.
pub(super) async fn deliver(
    service: &IssuerService,
    scope: &ParticipantScope,
    ready: &Ready,
) -> Result<(), DeliveryError> {
    let Ready { issuer, process, credentials } = ready;
    tracing::debug!(component = "issuer-service", action = "deliver",
        counter_party_id = %process.holder_did, issuer = %issuer.did, process_id = %process.id,
        "delivering {} credentials", credentials.len());
    let containers = credentials.iter().map(container).collect();
    let message = CredentialMessage::issued(process.id.clone(), process.holder_pid.clone(), containers);
    send(service, scope, process, &message).await
}

fn container(credential: &IssuedCredential) -> CredentialContainer {
    CredentialContainer {
        credential_type: credential.credential_type.clone(),
        payload: credential.token.clone(),
        format: credential.format.alias().to_owned(),
    }
}

/// Sends a message to the holder of a process, with the token that came with its request.
pub(super) async fn send(
    service: &IssuerService,
    scope: &ParticipantScope,
    process: &IssuanceProcess,
    message: &CredentialMessage,
) -> Result<(), DeliveryError> {
    let parts = &service.parts;
    let endpoint = endpoint(service, process).await?;
    let audience = ParticipantId::parse(process.holder_did.as_str()).expect("a DID is an identifier");
    let token = parts.tokens.token(scope, &audience, &[], process.access_token.as_deref()).await?;
    let request = Request::post(format!("{endpoint}/credentials"))
        .json_of(message)
        .authorization(Authorization::bearer(&token));
    parts.outbound.send(request).await?;
    Ok(())
}

/// Where the credential service of the holder is; a document that lacks it is fetched again, once.
async fn endpoint(service: &IssuerService, process: &IssuanceProcess) -> Result<String, DeliveryError> {
    let (resolver, did) = (&service.parts.resolver, &process.holder_did);
    let named = |document: &DidDocument| {
        let service = document.service_of_type(CREDENTIAL_SERVICE)?;
        Some(service.endpoint.trim_end_matches('/').to_owned())
    };
    if let Some(endpoint) = named(resolver.resolve(did).await?.as_ref()) {
        return Ok(endpoint);
    }
    let fresh = resolver.refresh(did).await?;
    named(fresh.as_ref()).ok_or_else(|| DeliveryError::NoService(did.to_string()))
}
