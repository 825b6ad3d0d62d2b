//! `onboarding-activity`: the participant asks issuers for its credentials, and has them.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use heddle_agent::{ActivityAgent, ActivityContext, ActivityResult, AdminClient, Existing};
use heddle_outbound::Request;
use serde_json::{Map, Value};

use crate::{
    AgentsConfig,
    feed::{Feed, FeedEvent},
    settings::{Service, segment},
    wire::{CredentialRequest, CredentialRequestStatus, CredentialSpec, RequestedCredential},
};

/// How long one run waits for the events that tell the outcomes.
const PATIENCE: Duration = Duration::from_secs(20);
/// When the next run looks again, if the outcome takes longer, as when a person has to approve.
const LATER: Duration = Duration::from_secs(2);

pub(crate) struct OnboardingAgent {
    client: AdminClient,
    config: Arc<AgentsConfig>,
    patience: Duration,
}

/// One request to one issuer.
struct Asked<'a> {
    issuer: &'a str,
    holder_pid: String,
}

enum Status {
    Failed(String),
    Issued,
    UnderWay,
}

impl OnboardingAgent {
    pub(crate) fn new(client: AdminClient, config: Arc<AgentsConfig>) -> Self {
        Self { client, config, patience: PATIENCE }
    }

    fn participant(&self, context: &ActivityContext, id: &str) -> String {
        let base = self.config.base(Service::Credentials, context);
        format!("{base}/api/identity/v1beta/participants/{}", segment(id))
    }

    async fn obtain(&self, context: &mut ActivityContext) -> Result<ActivityResult, ActivityResult> {
        let id = context.text("participantContextId")?;
        let specs: Vec<CredentialSpec> = context.optional("cfm.vpa.credentials")?.unwrap_or_default();
        if specs.is_empty() {
            return Ok(ActivityResult::Complete);
        }
        let base = self.participant(context, &id);
        // The feed is open before the first request goes out, so no outcome can be missed.
        let mut feed = Feed::open(&self.client, &format!("{base}/events")).await?;
        let mut asked = Vec::new();
        for (issuer, specs) in by_issuer(&specs) {
            // The same in every run, so that a repeated request is the same request.
            let holder_pid = context.idempotency_key(&format!("holder-pid/{issuer}"));
            self.ask(&base, context, (issuer, &holder_pid), specs).await?;
            asked.push(Asked { issuer, holder_pid });
        }
        tell(context, &id, &asked);
        self.outcome(&base, asked, &mut feed).await
    }

    async fn ask(
        &self,
        base: &str,
        context: &ActivityContext,
        (issuer, holder_pid): (&str, &str),
        specs: Vec<&CredentialSpec>,
    ) -> Result<(), ActivityResult> {
        let credentials = specs.into_iter().map(|spec| RequestedCredential {
            format: &spec.format,
            kind: &spec.kind,
            id: &spec.id,
        });
        let body = CredentialRequest { issuer_did: issuer, holder_pid, credentials: credentials.collect() };
        let ours = format!("{base}/credentials/request/{}", segment(holder_pid));
        let request = Request::post(format!("{base}/credentials/request")).json_of(&body);
        let request = request.idempotency_key(context.idempotency_key(&format!("request/{issuer}")));
        self.client.ensure(request, Existing { url: &ours, member: "issuerDid", value: issuer }).await?;
        Ok(())
    }

    /// Waits until every request has ended, or patience does.
    async fn outcome(
        &self,
        base: &str,
        mut open: Vec<Asked<'_>>,
        feed: &mut Feed,
    ) -> Result<ActivityResult, ActivityResult> {
        let waiting = async {
            loop {
                let mut still = Vec::new();
                for asked in open {
                    match self.status(base, &asked.holder_pid).await? {
                        Status::Issued => {}
                        Status::UnderWay => still.push(asked),
                        Status::Failed(what) => {
                            let issuer = asked.issuer;
                            return Err(ActivityResult::Fatal(format!(
                                "the credential request to {issuer} {what}"
                            )));
                        }
                    }
                }
                open = still;
                if open.is_empty() {
                    return Ok(ActivityResult::Complete);
                }
                let ended = |event: &FeedEvent| open.iter().any(|asked| has_ended(event, &asked.holder_pid));
                if feed.wait(ended).await.is_none() {
                    return Ok(ActivityResult::Schedule(LATER));
                }
            }
        };
        tokio::time::timeout(self.patience, waiting).await.unwrap_or(Ok(ActivityResult::Schedule(LATER)))
    }

    async fn status(&self, base: &str, holder_pid: &str) -> Result<Status, ActivityResult> {
        let url = format!("{base}/credentials/request/{}", segment(holder_pid));
        let shown = self.client.send(Request::get(url)).await?.json::<CredentialRequestStatus>();
        let shown = shown.map_err(|error| ActivityResult::Fatal(error.to_string()))?;
        Ok(match shown.status.as_str() {
            "ISSUED" => Status::Issued,
            "CREATED" | "REQUESTING" | "REQUESTED" => Status::UnderWay,
            "REJECTED" => {
                Status::Failed("was rejected; ask the issuer what it wants to know first".to_owned())
            }
            other => Status::Failed(format!("ended as {other}")),
        })
    }
}

fn by_issuer(specs: &[CredentialSpec]) -> BTreeMap<&str, Vec<&CredentialSpec>> {
    let mut by_issuer: BTreeMap<&str, Vec<&CredentialSpec>> = BTreeMap::new();
    for spec in specs {
        by_issuer.entry(&spec.issuer).or_default().push(spec);
    }
    by_issuer
}

/// The outputs that clients know: of the first request. Ours: of all, by issuer.
fn tell(context: &mut ActivityContext, id: &str, asked: &[Asked<'_>]) {
    if let Some(Asked { holder_pid, .. }) = asked.first() {
        let location = format!("v1beta/participants/{id}/credentials/request/{holder_pid}");
        context.set_output("holderPid", holder_pid.as_str());
        context.set_output("credentialRequest", location);
    }
    let all: Map<String, Value> =
        asked.iter().map(|asked| (asked.issuer.to_owned(), asked.holder_pid.as_str().into())).collect();
    context.set_output("credentialRequests", all);
}

fn has_ended(event: &FeedEvent, holder_pid: &str) -> bool {
    let outcome = event.kind.strip_prefix("credential.request.");
    outcome.is_some_and(|last| matches!(last, "error" | "issued" | "rejected"))
        && event.payload["holderPid"] == holder_pid
}

#[async_trait]
impl ActivityAgent for OnboardingAgent {
    fn activity_type(&self) -> &str {
        "onboarding-activity"
    }

    async fn deploy(&self, context: &mut ActivityContext) -> ActivityResult {
        self.obtain(context).await.unwrap_or_else(|failure| failure)
    }

    /// The credentials go with the participant; revoking them is the issuer's decision.
    async fn dispose(&self, _context: &mut ActivityContext) -> ActivityResult {
        ActivityResult::Complete
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_end_of_the_own_request_ends_the_wait() {
        let event =
            |kind: &str, pid: &str| FeedEvent { kind: kind.to_owned(), payload: json!({"holderPid": pid}) };
        for end in ["issued", "rejected", "error"] {
            assert!(has_ended(&event(&format!("credential.request.{end}"), "mine"), "mine"));
            assert!(!has_ended(&event(&format!("credential.request.{end}"), "other"), "mine"));
        }
        for other in ["credential.request.requested", "credential.stored"] {
            assert!(!has_ended(&event(other, "mine"), "mine"));
        }
    }
}
