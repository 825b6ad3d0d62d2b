//! `identityhub-activity`: the participant context in the credential service, with its key and its DID document.

use std::sync::Arc;

use async_trait::async_trait;
use heddle_agent::{ActivityAgent, ActivityContext, ActivityResult, AdminClient, Existing};
use heddle_outbound::Request;
use http::Method;

use crate::{
    AgentsConfig,
    settings::{Service, segment},
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

    fn participants(&self, context: &ActivityContext) -> String {
        format!("{}/api/identity/v1beta/participants", self.config.base(Service::Credentials, context))
    }

    /// What the participant's DID document names: where its credentials are queried (DCP 1.0 §4.2), where its protocol
    /// versions are told (DSP 2025-1 §4.3), and its Dataspace Protocol endpoint, for peers that look for that.
    fn services(
        &self,
        context: &ActivityContext,
        did: &str,
        id: &str,
        profiles: &[String],
    ) -> Vec<ServiceEndpoint> {
        let (public, id) = (self.config.base(Service::Public, context), segment(id));
        let service = |fragment: &str, kind, service_endpoint| ServiceEndpoint {
            id: format!("{did}#{fragment}"),
            kind,
            service_endpoint,
        };
        let credentials = format!("{public}/api/credentials/v1/participants/{id}");
        let versions = format!("{public}/api/dsp/{id}/.well-known/dspace-version");
        let mut services = vec![
            service("credential-service", "CredentialService", credentials),
            service("data-service", "DataService", versions),
        ];
        if let Some(profile) = profiles.first() {
            let endpoint = format!("{public}/api/dsp/{id}/{}", segment(profile));
            services.push(service("dsp", "ProtocolEndpoint", endpoint));
        }
        services
    }

    async fn create(&self, context: &ActivityContext) -> Result<(), ActivityResult> {
        let did = context.text("cfm.participant.id")?;
        let id = context.text("participantContextId")?;
        let profiles: Vec<String> = context.optional("cfm.dataspace.profiles")?.unwrap_or_default();
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
            service_endpoints: self.services(context, &did, &id, &profiles),
        };
        let all = self.participants(context);
        let ours = format!("{all}/{}", segment(&id));
        let create =
            Request::post(all).json_of(&manifest).idempotency_key(context.idempotency_key("participant"));
        self.client.ensure(create, Existing { url: &ours, member: "did", value: &did }).await?;
        Ok(())
    }

    async fn delete(&self, context: &ActivityContext) -> Result<(), ActivityResult> {
        let id = segment(&context.text("participantContextId")?);
        // Its clients end in the same commit; a token service that is somebody else's is not ours to tidy.
        let url = format!("{}/{id}", self.participants(context));
        self.client.remove(Request::new(Method::DELETE, url)).await?;
        Ok(())
    }
}

#[async_trait]
impl ActivityAgent for CredentialServiceAgent {
    fn activity_type(&self) -> &str {
        "identityhub-activity"
    }

    async fn deploy(&self, context: &mut ActivityContext) -> ActivityResult {
        self.create(context).await.into()
    }

    async fn dispose(&self, context: &mut ActivityContext) -> ActivityResult {
        self.delete(context).await.into()
    }
}
