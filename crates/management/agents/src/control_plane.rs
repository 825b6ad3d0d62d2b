//! `edcv-activity`: the participant context in the control plane, its configuration and its dataspace profiles.

use std::sync::Arc;

use async_trait::async_trait;
use heddle_agent::{ActivityAgent, ActivityContext, ActivityResult, AdminClient, Existing};
use heddle_outbound::Request;
use http::Method;

use crate::{
    AgentsConfig,
    settings::{Service, segment},
    wire::{AssociateProfiles, Configuration, NewParticipantContext},
};

pub(crate) struct ControlPlaneAgent {
    client: AdminClient,
    config: Arc<AgentsConfig>,
}

impl ControlPlaneAgent {
    pub(crate) fn new(client: AdminClient, config: Arc<AgentsConfig>) -> Self {
        Self { client, config }
    }

    fn participants(&self, context: &ActivityContext) -> String {
        format!("{}/api/mgmt/v5beta/participants", self.config.base(Service::ControlPlane, context))
    }

    async fn create(&self, context: &mut ActivityContext) -> Result<(), ActivityResult> {
        let did = context.text("cfm.participant.id")?;
        let id = context.text("participantContextId")?;
        let tenant: Option<String> = context.optional("cfm.tenant.id")?;
        let profiles: Vec<String> = context.optional("cfm.dataspace.profiles")?.unwrap_or_default();
        let all = self.participants(context);
        let ours = format!("{all}/{}", segment(&id));

        let body = NewParticipantContext::new(&id, &did, tenant.as_deref());
        let create =
            Request::post(all).json_of(&body).idempotency_key(context.idempotency_key("participant"));
        self.client.ensure(create, Existing { url: &ours, member: "identity", value: &did }).await?;

        let patch = Request::new(Method::PATCH, format!("{ours}/config")).json_of(&Configuration::new(&did));
        self.client.send(patch).await?;
        if !profiles.is_empty() {
            let associate = Request::new(Method::PUT, format!("{ours}/profiles"));
            self.client.send(associate.json_of(&AssociateProfiles::new(&profiles))).await?;
        }
        context.set_output("participantContextId", id);
        Ok(())
    }

    async fn delete(&self, context: &ActivityContext) -> Result<(), ActivityResult> {
        let id = context.text("participantContextId")?;
        let url = format!("{}/{}", self.participants(context), segment(&id));
        Ok(self.client.remove(Request::new(Method::DELETE, url)).await?)
    }
}

#[async_trait]
impl ActivityAgent for ControlPlaneAgent {
    fn activity_type(&self) -> &str {
        "edcv-activity"
    }

    async fn deploy(&self, context: &mut ActivityContext) -> ActivityResult {
        self.create(context).await.into()
    }

    async fn dispose(&self, context: &mut ActivityContext) -> ActivityResult {
        self.delete(context).await.into()
    }
}
