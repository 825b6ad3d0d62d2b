//! `registration-activity`: the participant as a holder that the issuers of its dataspaces know.

use std::sync::Arc;

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use heddle_agent::{ActivityAgent, ActivityContext, ActivityResult, AdminClient, Ensured, Existing};
use heddle_outbound::Request;
use http::Method;

use crate::{
    AgentsConfig,
    removal::gone,
    settings::{Service, segment},
    wire::NewHolder,
};

/// The VPA whose properties become those of the holder.
const ISSUER_VPA: &str = "cfm.issuer";
/// Where the manifest names the issuers' participant contexts. Never a property that a tenant may set: the agents' token
/// goes there.
const ISSUER_CONTEXTS: &str = "cfm.issuer.contexts";
/// In manifests that know no others: the only one.
const ISSUER_CONTEXT: &str = "cfm.issuer.context";
/// The output that names the issuers at which this activity registered the holder; there it goes with the participant.
const REGISTERED_AT: &str = "holderRegisteredAt";
/// An output of orchestrations that know one issuer alone: this activity registered the holder there.
const REGISTERED: &str = "holderRegistered";

pub(crate) struct RegistrationAgent {
    client: AdminClient,
    config: Arc<AgentsConfig>,
}

impl RegistrationAgent {
    pub(crate) fn new(client: AdminClient, config: Arc<AgentsConfig>) -> Self {
        Self { client, config }
    }

    /// Where an issuer keeps its holders.
    fn holders(&self, context: &ActivityContext, issuer: &str) -> String {
        let base = self.config.base(Service::Issuer, context);
        format!("{base}/api/admin/v1beta/participants/{}/holders", segment(issuer))
    }

    /// The issuers that the manifest names, or the installation's.
    fn issuers(&self, context: &ActivityContext) -> Result<Vec<String>, ActivityResult> {
        let named: Vec<String> = context.optional(ISSUER_CONTEXTS)?.unwrap_or_default();
        if !named.is_empty() {
            return Ok(named);
        }
        let only: Option<String> = context.optional(ISSUER_CONTEXT)?;
        Ok(vec![only.unwrap_or_else(|| self.config.issuer_context.clone())])
    }

    /// The issuers at which this activity registered the holder.
    fn registered_at(&self, context: &ActivityContext) -> Result<Vec<String>, ActivityResult> {
        if let Some(all) = context.optional(REGISTERED_AT)? {
            return Ok(all);
        }
        let at_the_only_one = context.optional(REGISTERED)?.unwrap_or(false);
        Ok(if at_the_only_one { self.issuers(context)?.into_iter().take(1).collect() } else { Vec::new() })
    }

    /// Notes that the holder at this issuer is this activity's own.
    fn note(&self, context: &mut ActivityContext, issuer: String) -> Result<(), ActivityResult> {
        let mut all = self.registered_at(context)?;
        if !all.contains(&issuer) {
            all.push(issuer);
        }
        context.set_output(REGISTERED_AT, all);
        Ok(())
    }

    async fn register(&self, context: &mut ActivityContext) -> Result<(), ActivityResult> {
        let did = context.text("cfm.participant.id")?;
        let name: Option<String> = context.optional("cfm.participant.holdername")?;
        let properties = context.vpa_properties(ISSUER_VPA);
        let holder =
            NewHolder { holder_id: &did, did: &did, name: name.as_deref().unwrap_or(&did), properties };
        for issuer in self.issuers(context)? {
            let all = self.holders(context, &issuer);
            let ours = format!("{all}/{}", segment(&did));
            let key = context.idempotency_key(&format!("holder/{issuer}"));
            let create = Request::post(all).json_of(&holder).idempotency_key(key);
            let existing = Existing { url: &ours, member: "did", value: &did };
            if self.client.ensure(create, existing).await? == Ensured::Made {
                self.note(context, issuer)?;
            }
        }
        Ok(())
    }

    /// Whatever the participant has issued itself ends with it.
    async fn end_issuer(&self, context: &ActivityContext) -> Result<(), ActivityResult> {
        let id = context.text("participantContextId")?;
        // In base64url it cannot be taken for the encoding of another id, whichever service forgets it first.
        let id = URL_SAFE_NO_PAD.encode(id);
        let base = self.config.base(Service::Issuer, context);
        gone(&self.client, context, format!("{base}/api/admin/v1beta/participants/{id}")).await
    }

    /// A holder that was there before belongs to somebody else's business with the issuer; it stays.
    async fn delete(&self, context: &ActivityContext) -> Result<(), ActivityResult> {
        self.end_issuer(context).await?;
        let did = context.text("cfm.participant.id")?;
        for issuer in self.registered_at(context)? {
            let url = format!("{}/{}", self.holders(context, &issuer), segment(&did));
            self.client.remove(Request::new(Method::DELETE, url)).await?;
        }
        Ok(())
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
