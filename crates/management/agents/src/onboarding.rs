//! `onboarding-activity`: the participant asks issuers for its credentials, and has them.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use heddle_agent::{ActivityAgent, ActivityContext, ActivityResult, AdminClient};
use heddle_outbound::Request;
use serde_json::Value;

use crate::{
    AgentsConfig,
    feed::Feed,
    settings::segment,
    wire::{CredentialRequest, CredentialRequestStatus, CredentialSpec, RequestedCredential},
};

/// How long one run waits for the event that tells the outcome.
const PATIENCE: Duration = Duration::from_secs(20);
/// When the next run looks again, if the outcome takes longer, as when a person has to approve.
const LATER: Duration = Duration::from_secs(2);

pub(crate) struct OnboardingAgent {
    client: AdminClient,
    config: Arc<AgentsConfig>,
}

enum Status {
    Issued,
    Failed(String),
    UnderWay,
}

impl OnboardingAgent {
    pub(crate) fn new(client: AdminClient, config: Arc<AgentsConfig>) -> Self {
        Self { client, config }
    }

    fn participant(&self, id: &str) -> String {
        format!("{}/api/identity/v1beta/participants/{}", self.config.credential_service_url, segment(id))
    }

    async fn obtain(&self, context: &mut ActivityContext) -> Result<bool, ActivityResult> {
        let id = context.text("participantContextId")?;
        let specs: Vec<CredentialSpec> = context.typed("cfm.vpa.credentials").unwrap_or_default();
        let mut by_issuer: BTreeMap<&str, Vec<&CredentialSpec>> = BTreeMap::new();
        for spec in &specs {
            by_issuer.entry(&spec.issuer).or_default().push(spec);
        }
        for (issuer, specs) in by_issuer {
            // The same in every run, so that a repeated request is the same request.
            let holder_pid = context.key(&format!("holder-pid/{issuer}"));
            if !self.obtain_from(&id, issuer, &holder_pid, &specs, context).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn obtain_from(
        &self,
        id: &str,
        issuer: &str,
        holder_pid: &str,
        specs: &[&CredentialSpec],
        context: &mut ActivityContext,
    ) -> Result<bool, ActivityResult> {
        let base = self.participant(id);
        // The feed is open before the request goes out, so the outcome cannot be missed.
        let feed = Feed::open(&self.client, &format!("{base}/events")).await;
        let mut feed = feed.map_err(|error| ActivityResult::of_failure(&error))?;
        let credentials = specs.iter().map(|spec| RequestedCredential {
            format: &spec.format,
            kind: &spec.kind,
            id: &spec.id,
        });
        let body =
            CredentialRequest { issuer_did: issuer, holder_pid, credentials: credentials.collect() };
        let request = Request::post(format!("{base}/credentials/request"));
        let request = request.json_of(&body).idempotency_key(context.key(&format!("request/{issuer}")));
        self.client.ensure(request).await.map_err(|error| ActivityResult::of_failure(&error))?;
        let location = format!("v1beta/participants/{id}/credentials/request/{holder_pid}");
        context.set_output("holderPid", holder_pid);
        context.set_output("credentialRequest", location);
        let mut status = self.status(&base, holder_pid).await?;
        if matches!(status, Status::UnderWay) {
            let ours = |kind: &str, payload: &Value| {
                let outcome = kind.strip_prefix("credential.request.");
                let ended = outcome.is_some_and(|last| matches!(last, "issued" | "rejected" | "error"));
                ended && payload["holderPid"] == holder_pid
            };
            feed.wait(PATIENCE, |event| ours(&event.kind, &event.payload)).await;
            status = self.status(&base, holder_pid).await?;
        }
        match status {
            Status::Issued => Ok(true),
            Status::UnderWay => Ok(false),
            Status::Failed(what) => {
                Err(ActivityResult::Fatal(format!("the credential request to {issuer} ended as {what}")))
            }
        }
    }

    async fn status(&self, base: &str, holder_pid: &str) -> Result<Status, ActivityResult> {
        let url = format!("{base}/credentials/request/{}", segment(holder_pid));
        let answer = self.client.send(Request::get(url)).await;
        let answer = answer.map_err(|error| ActivityResult::of_failure(&error))?;
        let shown: CredentialRequestStatus =
            answer.json().map_err(|error| ActivityResult::Fatal(error.to_string()))?;
        Ok(match shown.status.as_str() {
            "ISSUED" => Status::Issued,
            "CREATED" | "REQUESTING" | "REQUESTED" => Status::UnderWay,
            other => Status::Failed(other.to_owned()),
        })
    }
}

#[async_trait]
impl ActivityAgent for OnboardingAgent {
    fn activity_type(&self) -> &str {
        "onboarding-activity"
    }

    async fn deploy(&self, context: &mut ActivityContext) -> ActivityResult {
        match self.obtain(context).await {
            Ok(true) => ActivityResult::Complete,
            Ok(false) => ActivityResult::Schedule(LATER),
            Err(failure) => failure,
        }
    }

    /// The credentials go with the participant; revoking them is the issuer's decision.
    async fn dispose(&self, _context: &mut ActivityContext) -> ActivityResult {
        ActivityResult::Complete
    }
}
