//! `registration-activity`: the participant as a holder that the issuer knows.

use std::sync::Arc;

use async_trait::async_trait;
use heddle_agent::{ActivityAgent, ActivityContext, ActivityResult, AdminClient};
use heddle_outbound::Request;
use http::Method;
use serde_json::Value;

use crate::{AgentsConfig, settings::segment, wire::NewHolder};

/// The issuer's participant context, unless the properties of `cfm.issuer` name another one.
const DEFAULT_ISSUER: &str = "issuer";
/// The member of those properties that names it.
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
        let properties = context.vpa_properties("cfm.issuer");
        let issuer = properties.get(ISSUER_CONTEXT).and_then(Value::as_str).unwrap_or(DEFAULT_ISSUER);
        let base = &self.config.issuer_service_url;
        format!("{base}/api/admin/v1beta/participants/{}/holders", segment(issuer))
    }

    async fn register(&self, context: &ActivityContext) -> Result<(), ActivityResult> {
        let did = context.text("cfm.participant.id")?;
        let name = context.text("cfm.participant.holdername").unwrap_or_else(|_| did.clone());
        let mut properties = context.vpa_properties("cfm.issuer");
        properties.remove(ISSUER_CONTEXT);
        let holder = NewHolder { holder_id: &did, did: &did, name: &name, properties };
        let request = Request::post(self.holders(context));
        let request = request.json_of(&holder).idempotency_key(context.key("holder"));
        self.client.ensure(request).await.map_err(|error| ActivityResult::of_failure(&error))
    }
}

#[async_trait]
impl ActivityAgent for RegistrationAgent {
    fn activity_type(&self) -> &str {
        "registration-activity"
    }

    async fn deploy(&self, context: &mut ActivityContext) -> ActivityResult {
        self.register(context).await.map_or_else(|failure| failure, |()| ActivityResult::Complete)
    }

    async fn dispose(&self, context: &mut ActivityContext) -> ActivityResult {
        let did = match context.text("cfm.participant.id") {
            Ok(did) => did,
            Err(missing) => return missing.into(),
        };
        let url = format!("{}/{}", self.holders(context), segment(&did));
        match self.client.remove(Request::new(Method::DELETE, url)).await {
            Ok(()) => ActivityResult::Complete,
            Err(error) => ActivityResult::of_failure(&error),
        }
    }
}
