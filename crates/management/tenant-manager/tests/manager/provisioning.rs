//! Together with the Provision Manager and agents: from the order to the end, over jobs alone.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use heddle_agent::{ActivityAgent, ActivityContext, ActivityResult, DEPLOY, DISPOSE, agent_jobs};
use heddle_auth::NewClient;
use heddle_provision_manager::ProvisionManager;
use heddle_store::RunningWorker;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::server::{BASE, Server, told};

const PROVISIONING: &str = "/api/pm/v1alpha1";

/// Succeeds if it finds what shipped agents need; fails for the identifier `did:web:unwelcome`.
struct Agent(&'static str);

#[async_trait]
impl ActivityAgent for Agent {
    fn activity_type(&self) -> &str {
        self.0
    }

    async fn deploy(&self, context: &mut ActivityContext) -> ActivityResult {
        for key in ["cfm.participant.id", "cfm.tenant.id", "participantContextId"] {
            if let Err(error) = context.text(key) {
                return error.into();
            }
        }
        if self.0 == "second"
            && context.text("cfm.participant.id").is_ok_and(|did| did == "did:web:unwelcome")
        {
            return ActivityResult::Fatal("the issuer says no".to_owned());
        }
        ActivityResult::Complete
    }

    async fn dispose(&self, context: &mut ActivityContext) -> ActivityResult {
        match context.text("participantContextId") {
            Ok(_) => ActivityResult::Complete,
            Err(error) => error.into(),
        }
    }
}

struct Installation {
    server: Server,
    router: Router,
    token: String,
    _worker: RunningWorker,
}

impl Installation {
    async fn new() -> Self {
        let server = Server::new().await;
        let provisioning = ProvisionManager::new(heddle_provision_manager::Parts {
            store: server.store.clone(),
            environment: server.store.environment().clone(),
            scopes: server.scopes.clone(),
            authenticator: server.authenticator.clone(),
        });
        let worker = provisioning.jobs(server.manager.jobs(server.worker()));
        let agents = ["first", "second"].map(|kind| Arc::new(Agent(kind)) as Arc<dyn ActivityAgent>);
        let worker = agent_jobs(&server.store, worker, agents.into()).start();
        let router = server.manager.router().merge(provisioning.router());
        let token = server.token_of(NewClient::admin()).await;
        let installation = Self { server, router, token, _worker: worker };
        installation.found().await;
        installation
    }

    async fn found(&self) {
        for kind in ["first", "second"] {
            self.call("POST", &format!("{PROVISIONING}/activity-definitions"), json!({"type": kind})).await;
        }
        let graph = json!([{"id": "a", "type": "first"}, {"id": "b", "type": "second", "dependsOn": ["a"]}]);
        let template = json!({"id": "t", "activities": {DEPLOY: graph, DISPOSE: graph}});
        self.call("POST", &format!("{PROVISIONING}/orchestration-definitions"), template).await;
        let cell = self.call("POST", &format!("{BASE}/cells"), json!({"state": "active"})).await;
        let profiles = format!("{BASE}/dataspace-profiles");
        let dataspace = self.call("POST", &profiles, json!({"dataspaceSpec": {}})).await;
        let deployments = format!("{profiles}/{}/deployments", dataspace["id"].as_str().expect("text"));
        self.call("POST", &deployments, json!({"cellId": cell["id"]})).await;
    }

    async fn call(&self, method: &str, path: &str, body: Value) -> Value {
        let request = axum::http::Request::builder().method(method).uri(path);
        let request = request.header("authorization", format!("Bearer {}", self.token));
        let request = request.header("content-type", "application/json");
        let request = request.body(axum::body::Body::from(body.to_string())).expect("a request");
        let response = self.router.clone().oneshot(request).await.expect("infallible");
        assert!(response.status().is_success(), "{method} {path}: {}", response.status());
        let text = response.into_body().collect().await.expect("a body").to_bytes();
        if text.is_empty() { Value::Null } else { serde_json::from_slice(&text).expect("JSON") }
    }

    /// Orders a profile; its path and id.
    async fn order(&self, did: &str) -> (String, String) {
        let tenant = self.call("POST", &format!("{BASE}/tenants"), json!({})).await;
        let path = format!("{BASE}/tenants/{}/participant-profiles", tenant["id"].as_str().expect("text"));
        let profile = self.call("POST", &path, json!({"identifier": did})).await;
        let id = profile["id"].as_str().expect("text").to_owned();
        (format!("{path}/{id}"), id)
    }
}

#[tokio::test]
async fn a_profile_becomes_active_and_is_disposed_of() {
    let installation = Installation::new().await;
    let (path, id) = installation.order("did:web:acme").await;
    let event = told(&installation.server, "participant.profile.active", &id).await;
    let payload: Value = serde_json::from_str(&event.payload).expect("JSON");
    let profile = installation.call("GET", &path, Value::Null).await;
    let context = &profile["properties"]["cfm.vpa.state"]["participantContextId"];
    assert_eq!((context.as_str().map(str::len), context), (Some(32), &payload["participantContextId"]));

    installation.call("DELETE", &path, Value::Null).await;
    told(&installation.server, "participant.profile.disposed", &id).await;
    let profile = installation.call("GET", &path, Value::Null).await;
    assert_eq!((&profile["vpas"][0]["state"], &profile["error"]), (&json!("disposed"), &json!(false)));
}

#[tokio::test]
async fn a_profile_that_fails_is_undone_and_says_why() {
    let installation = Installation::new().await;
    let (path, id) = installation.order("did:web:unwelcome").await;
    told(&installation.server, "participant.profile.error", &id).await;
    told(&installation.server, "participant.profile.disposed", &id).await;
    let profile = installation.call("GET", &path, Value::Null).await;
    assert_eq!((&profile["vpas"][0]["state"], &profile["error"]), (&json!("disposed"), &json!(true)));
    let detail = profile["errorDetail"].as_str().expect("a reason");
    assert!(detail.contains("the issuer says no"), "{detail}");
}
