//! `registration-activity`: the participant as a holder that the issuer knows.

use std::sync::Arc;

use async_trait::async_trait;
use heddle_agent::{ActivityAgent, ActivityContext, ActivityResult, AdminClient, Existing};
use heddle_outbound::Request;
use http::Method;
use serde_json::Value;

use crate::{
    AgentsConfig,
    settings::{Service, segment},
    wire::NewHolder,
};

/// The VPA whose properties become those of the holder.
const ISSUER_VPA: &str = "cfm.issuer";
/// The member of those properties that names the issuer's participant context.
const ISSUER_CONTEXT: &str = "participantContextId";

pub(crate) struct RegistrationAgent {
    client: AdminClient,
    config: Arc<AgentsConfig>,
}

impl RegistrationAgent {
    pub(crate) fn new(client: AdminClient, config: Arc<AgentsConfig>) -> Self {
        Self { client, config }
    }

    fn holders(&self, context: &ActivityContext) -> String {
        let properties = context.vpa_properties(ISSUER_VPA);
        let named = properties.get(ISSUER_CONTEXT).and_then(Value::as_str);
        let issuer = segment(named.unwrap_or(&self.config.issuer_context));
        format!(
            "{}/api/admin/v1beta/participants/{issuer}/holders",
            self.config.base(Service::Issuer, context)
        )
    }

    async fn register(&self, context: &ActivityContext) -> Result<(), ActivityResult> {
        let did = context.text("cfm.participant.id")?;
        let name: Option<String> = context.optional("cfm.participant.holdername")?;
        let mut properties = context.vpa_properties(ISSUER_VPA);
        properties.remove(ISSUER_CONTEXT);
        let holder =
            NewHolder { holder_id: &did, did: &did, name: name.as_deref().unwrap_or(&did), properties };
        let all = self.holders(context);
        let ours = format!("{all}/{}", segment(&did));
        let create = Request::post(all).json_of(&holder).idempotency_key(context.idempotency_key("holder"));
        Ok(self.client.ensure(create, Existing { url: &ours, member: "did", value: &did }).await?)
    }

    async fn delete(&self, context: &ActivityContext) -> Result<(), ActivityResult> {
        let did = context.text("cfm.participant.id")?;
        let url = format!("{}/{}", self.holders(context), segment(&did));
        Ok(self.client.remove(Request::new(Method::DELETE, url)).await?)
    }
}

#[async_trait]
impl ActivityAgent for RegistrationAgent {
    fn activity_type(&self) -> &str {
        "registration-activity"
    }

    async fn deploy(&self, context: &mut ActivityContext) -> ActivityResult {
        self.register(context).await.into()
    }

    async fn dispose(&self, context: &mut ActivityContext) -> ActivityResult {
        self.delete(context).await.into()
    }
}
