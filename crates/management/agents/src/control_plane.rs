//! `edcv-activity`: the participant context in the control plane.

use std::sync::Arc;

use async_trait::async_trait;
use heddle_agent::{ActivityAgent, ActivityContext, ActivityResult, AdminClient};
use heddle_outbound::Request;
use http::Method;

use crate::{
    AgentsConfig,
    settings::segment,
    wire::{AssociateProfiles, NewParticipantContext},
};

pub(crate) struct ControlPlaneAgent {
    client: AdminClient,
    config: Arc<AgentsConfig>,
}

impl ControlPlaneAgent {
    pub(crate) fn new(client: AdminClient, config: Arc<AgentsConfig>) -> Self {
        Self { client, config }
    }

    fn participants(&self) -> String {
        format!("{}/api/mgmt/v5beta/participants", self.config.control_plane_url)
    }

    async fn create(&self, context: &mut ActivityContext) -> Result<(), ActivityResult> {
        let did = context.text("cfm.participant.id")?;
        let id = context.text("participantContextId")?;
        let tenant = context.text("cfm.tenant.id").ok();
        let profiles: Vec<String> = context.typed("cfm.dataspace.profiles").unwrap_or_default();
        let body = NewParticipantContext::new(&id, &did, tenant.as_deref());
        let key = context.key("participant");
        let create = Request::post(self.participants()).json_of(&body).idempotency_key(key);
        self.client.ensure(create).await.map_err(|error| ActivityResult::of_failure(&error))?;
        if !profiles.is_empty() {
            let url = format!("{}/{}/profiles", self.participants(), segment(&id));
            let associate = Request::new(Method::PUT, url).json_of(&AssociateProfiles::new(&profiles));
            self.client.send(associate).await.map_err(|error| ActivityResult::of_failure(&error))?;
        }
        context.set_output("participantContextId", id);
        Ok(())
    }
}

#[async_trait]
impl ActivityAgent for ControlPlaneAgent {
    fn activity_type(&self) -> &str {
        "edcv-activity"
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
