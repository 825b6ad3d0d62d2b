//! `registration-activity`: the participant as a holder that the issuer knows.

use std::sync::Arc;

use async_trait::async_trait;
use heddle_agent::{ActivityAgent, ActivityContext, ActivityResult, AdminClient, Ensured, Existing};
use heddle_outbound::Request;
use http::Method;

use crate::{
    AgentsConfig,
    settings::{Service, segment},
    wire::NewHolder,
};

/// The VPA whose properties become those of the holder.
const ISSUER_VPA: &str = "cfm.issuer";
/// Where the manifest names the issuer's participant context. Never a property that a tenant may set: the agents' token
/// goes there.
const ISSUER_CONTEXT: &str = "cfm.issuer.context";
/// The output that says that the holder was registered by this activity, and goes with it.
const REGISTERED: &str = "holderRegistered";

pub(crate) struct RegistrationAgent {
    client: AdminClient,
    config: Arc<AgentsConfig>,
}

impl RegistrationAgent {
    pub(crate) fn new(client: AdminClient, config: Arc<AgentsConfig>) -> Self {
        Self { client, config }
    }

    fn holders(&self, context: &ActivityContext) -> Result<String, ActivityResult> {
        let named: Option<String> = context.optional(ISSUER_CONTEXT)?;
        let issuer = segment(named.as_deref().unwrap_or(&self.config.issuer_context));
        let base = self.config.base(Service::Issuer, context);
        Ok(format!("{base}/api/admin/v1beta/participants/{issuer}/holders"))
    }

    async fn register(&self, context: &mut ActivityContext) -> Result<(), ActivityResult> {
        let did = context.text("cfm.participant.id")?;
        let name: Option<String> = context.optional("cfm.participant.holdername")?;
        let properties = context.vpa_properties(ISSUER_VPA);
        let holder =
            NewHolder { holder_id: &did, did: &did, name: name.as_deref().unwrap_or(&did), properties };
        let all = self.holders(context)?;
        let ours = format!("{all}/{}", segment(&did));
        let create = Request::post(all).json_of(&holder).idempotency_key(context.idempotency_key("holder"));
        let ensured = self.client.ensure(create, Existing { url: &ours, member: "did", value: &did }).await?;
        if ensured == Ensured::Made {
            context.set_value(REGISTERED, true);
            context.set_output(REGISTERED, true);
        }
        Ok(())
    }

    async fn delete(&self, context: &ActivityContext) -> Result<(), ActivityResult> {
        // A holder that was there before belongs to somebody else's business with the issuer.
        if !context.optional(REGISTERED)?.unwrap_or(false) {
            return Ok(());
        }
        let did = context.text("cfm.participant.id")?;
        let url = format!("{}/{}", self.holders(context)?, segment(&did));
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
