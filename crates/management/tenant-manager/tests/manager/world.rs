//! A server to send requests to, with a Provision Manager that only listens and answers as the test says.

use std::sync::Arc;

use async_trait::async_trait;
use axum::{Router, body::Body, http::Request};
use heddle_auth::NewClient;
use heddle_provision_manager::{MANIFEST, OrchestrationManifest, OrchestrationResponse, RESPONSE};
use heddle_store::{Event, EventCursor, JobContext, JobHandler, NewJob, Outcome, RunningWorker, StoreError};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tower::ServiceExt;

use crate::server::{BASE, PATIENCE, Server, told, with_scopes};

struct Listener(mpsc::UnboundedSender<OrchestrationManifest>);

#[async_trait]
impl JobHandler for Listener {
    async fn run(&self, context: &JobContext) -> Result<Outcome, StoreError> {
        self.0.send(context.job.payload()?).expect("the test listens");
        Ok(Outcome::Done)
    }
}

/// An answer over HTTP.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: axum::http::HeaderMap,
    pub body: Value,
}

impl Answer {
    /// The status and the sentence of an error.
    pub fn error(&self) -> (u16, &str) {
        assert_eq!(self.body["code"], self.status, "{}", self.body);
        (self.status, self.body["message"].as_str().expect("a sentence"))
    }

    /// The id of what was made.
    pub fn id(&self) -> String {
        self.body["id"].as_str().unwrap_or_else(|| panic!("an id in {self:?}")).to_owned()
    }
}

pub struct World {
    pub server: Server,
    pub router: Router,
    /// Administers everything.
    pub operator: String,
    /// May see everything of the Tenant Manager.
    pub reader: String,
    _worker: RunningWorker,
    manifests: mpsc::UnboundedReceiver<OrchestrationManifest>,
}

impl World {
    pub async fn new() -> Self {
        let server = Server::new().await;
        let operator = server.token_of(NewClient::admin()).await;
        let reader = server.token_of(with_scopes(&["tenant-manager-api:read"])).await;
        let (sender, manifests) = mpsc::unbounded_channel();
        let worker = server.manager.jobs(server.worker());
        let worker = worker.handle(MANIFEST, Arc::new(Listener(sender))).start();
        let router = server.manager.router();
        Self { server, router, operator, reader, _worker: worker, manifests }
    }

    /// As the operator; `line` is a method and a path.
    pub async fn call(&self, line: &str, body: Option<Value>) -> Answer {
        self.call_as(&self.operator, line, body).await
    }

    pub async fn call_as(&self, token: &str, line: &str, body: Option<Value>) -> Answer {
        let authorization = format!("Bearer {token}");
        let body = body.map(|body| body.to_string());
        self.send(line, &[("authorization", &authorization)], body).await
    }

    pub async fn send(&self, line: &str, headers: &[(&str, &str)], body: Option<String>) -> Answer {
        let (method, path) = line.split_once(' ').expect("method and path");
        let mut request = Request::builder().method(method).uri(format!("{BASE}{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let request = request.body(body.map_or_else(Body::empty, Body::from)).expect("a request");
        let response = self.router.clone().oneshot(request).await.expect("infallible");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.into_body().collect().await.expect("a body").to_bytes();
        let body = if text.is_empty() { Value::Null } else { serde_json::from_slice(&text).expect("JSON") };
        Answer { status, headers, body }
    }

    /// Makes something that is asked for with this body; its id.
    pub async fn made(&self, path: &str, body: Value) -> String {
        let answer = self.call(&format!("POST {path}"), Some(body)).await;
        assert!([201, 202].contains(&answer.status), "{answer:?}");
        answer.id()
    }

    pub async fn new_tenant(&self) -> String {
        self.made("/tenants", json!({})).await
    }

    /// An active cell with a dataspace profile on it; both ids.
    pub async fn dataspace(&self) -> (String, String) {
        let cell = self.made("/cells", json!({"externalId": "local", "state": "active"})).await;
        let spec = json!({"id": "m", "type": "MembershipCredential", "issuer": "did:web:issuer", "format": "VC1_0_JWT"});
        let body = json!({"dataspaceSpec": {"credentialSpecs": [spec]}, "properties": {"profile": "first"}});
        let dataspace = self.made("/dataspace-profiles", body).await;
        let line = format!("POST /dataspace-profiles/{dataspace}/deployments");
        let answer = self.call(&line, Some(json!({"cellId": cell}))).await;
        assert_eq!((answer.status, answer.body), (202, Value::Null));
        (cell, dataspace)
    }

    /// A profile that is active, its path, and the manifest that made it so.
    pub async fn active(&mut self, tenant: &str, did: &str) -> (String, OrchestrationManifest) {
        let path = format!("/tenants/{tenant}/participant-profiles");
        let id = self.made(&path, json!({"identifier": did})).await;
        let manifest = self.manifest().await;
        self.respond(tenant, &answer_to(&manifest, None)).await;
        self.told("participant.profile.active", &id).await;
        (format!("{path}/{id}"), manifest)
    }

    /// The next order to the Provision Manager.
    pub async fn manifest(&mut self) -> OrchestrationManifest {
        let next = tokio::time::timeout(PATIENCE, self.manifests.recv()).await;
        next.expect("a manifest comes").expect("the worker lives")
    }

    pub fn no_manifest(&mut self) {
        assert!(self.manifests.try_recv().is_err(), "nothing was ordered");
    }

    /// Answers as the Provision Manager does.
    pub async fn respond(&self, tenant: &str, response: &OrchestrationResponse) {
        let scope = self.server.tenant(tenant);
        let mut transaction = self.server.store.begin(&scope);
        transaction.enqueue(NewJob::new(RESPONSE, response.order_key(), response));
        transaction.commit().await.expect("stored");
    }

    /// Waits for the first event of this type about this subject.
    pub async fn told(&self, kind: &str, subject: &str) -> Event {
        told(&self.server, kind, subject).await
    }

    /// Types of the tenant's events, in order.
    pub async fn events(&self, tenant: &str) -> Vec<String> {
        let scope = self.server.tenant(tenant);
        let events = self.server.store.events(&scope, EventCursor(0), 100).await.expect("read");
        events.into_iter().map(|event| event.kind).collect()
    }
}

/// The answer of the Provision Manager; an error, or success.
pub fn answer_to(manifest: &OrchestrationManifest, error: Option<&str>) -> OrchestrationResponse {
    let outputs = json!({"participantContextId": "ctx-1", "holderPid": "h"});
    OrchestrationResponse {
        id: "r".to_owned(),
        manifest_id: manifest.id.clone(),
        correlation_id: manifest.correlation_id.clone(),
        orchestration_type: manifest.orchestration_type.clone(),
        success: error.is_none(),
        error_detail: error.map(str::to_owned),
        properties: outputs.as_object().expect("an object").clone(),
    }
}
