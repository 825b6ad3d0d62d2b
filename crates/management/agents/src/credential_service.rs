//! `identityhub-activity`: the participant context in the credential service, with its key and its DID document.

use std::sync::Arc;

use async_trait::async_trait;
use heddle_agent::{ActivityAgent, ActivityContext, ActivityResult, AdminClient};
use heddle_outbound::Request;
use http::Method;

use crate::{
    AgentsConfig,
    settings::segment,
    wire::{KeyDescriptor, KeyGenerator, ParticipantManifest, ServiceEndpoint},
};

pub(crate) struct CredentialServiceAgent {
    client: AdminClient,
    config: Arc<AgentsConfig>,
}

impl CredentialServiceAgent {
    pub(crate) fn new(client: AdminClient, config: Arc<AgentsConfig>) -> Self {
        Self { client, config }
    }

    fn participants(&self) -> String {
        format!("{}/api/identity/v1beta/participants", self.config.credential_service_url)
    }

    fn services(&self, did: &str, id: &str, profiles: &[String]) -> Vec<ServiceEndpoint> {
        let public = &self.config.public_url;
        let service = |fragment: &str, kind, service_endpoint| ServiceEndpoint {
            id: format!("{did}#{fragment}"),
            kind,
            service_endpoint,
        };
        let mut services = vec![
            service(
                "credential-service",
                "CredentialService",
                format!("{public}/api/credentials/v1/participants/{id}"),
            ),
            service(
                "data-service",
                "DataService",
                format!("{public}/api/dsp/{id}/.well-known/dspace-version"),
            ),
        ];
        if let Some(profile) = profiles.first() {
            services.push(service("dsp", "ProtocolEndpoint", format!("{public}/api/dsp/{id}/{profile}")));
        }
        services
    }

    async fn create(&self, context: &ActivityContext) -> Result<(), ActivityResult> {
        let did = context.text("cfm.participant.id")?;
        let id = context.text("participantContextId")?;
        let profiles: Vec<String> = context.typed("cfm.dataspace.profiles").unwrap_or_default();
        let key = KeyDescriptor {
            key_id: format!("{did}#key-1"),
            private_key_alias: "key-1",
            key_generator_params: KeyGenerator { algorithm: "EC", curve: "secp256r1" },
        };
        let manifest = ParticipantManifest {
            participant_context_id: &id,
            did: &did,
            active: true,
            keys: vec![key],
            service_endpoints: self.services(&did, &id, &profiles),
        };
        let request = Request::post(self.participants());
        let request = request.json_of(&manifest).idempotency_key(context.key("participant"));
        self.client.ensure(request).await.map_err(|error| ActivityResult::of_failure(&error))
    }
}

#[async_trait]
impl ActivityAgent for CredentialServiceAgent {
    fn activity_type(&self) -> &str {
        "identityhub-activity"
    }

    async fn deploy(&self, context: &mut ActivityContext) -> ActivityResult {
        self.create(context).await.map_or_else(|failure| failure, |()| ActivityResult::Complete)
    }

    async fn dispose(&self, context: &mut ActivityContext) -> ActivityResult {
        let id = match context.text("participantContextId") {
            Ok(id) => id,
            Err(missing) => return missing.into(),
        };
        let url = format!("{}/{}", self.participants(), segment(&id));
        match self.client.remove(Request::new(Method::DELETE, url)).await {
            Ok(()) => ActivityResult::Complete,
            Err(error) => ActivityResult::of_failure(&error),
        }
    }
}
