//! One server's Provision Manager with agents, and a Tenant Manager that only listens.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use axum::{Router, body::Body, http::Request};
use heddle_agent::{ActivityAgent, ActivityContext, ActivityResult, agent_jobs};
use heddle_auth::{AudienceRule, Authenticator, StaticKeys, TrustedIssuer};
use heddle_clock::Environment;
use heddle_ids::TenantId;
use heddle_jose::{Algorithm, Header, JwkSet, SoftwareKey, sign_compact};
use heddle_provision_manager::{
    MANIFEST, OrchestrationManifest, OrchestrationResponse, Parts, ProvisionManager, RESPONSE,
};
use heddle_store::{
    EventCursor, JobContext, JobHandler, NewJob, Outcome, RunningWorker, Store, StoreError, Worker,
    WorkerLimits,
};
use heddle_store_sqlite::SqliteDatabase;
use heddle_tenancy::{Actor, ScopeIssuer, TenantScope};
use http_body_util::BodyExt;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;
use tower::ServiceExt;

const ISSUER: &str = "https://idp.example";
const AUDIENCE: &str = "https://heddle.example";
pub const READ: &str = "provision-manager-api:read";
pub const WRITE: &str = "provision-manager-api:read provision-manager-api:write";
/// More than any test needs; it only ends one that hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// What an agent does in one run.
pub enum Step {
    Output(&'static str),
    Panic,
    Result(ActivityResult),
}

/// Does what its plan says, run by run, then completes. Notes what it was called for.
struct Scripted {
    kind: String,
    plan: Mutex<VecDeque<Step>>,
    calls: mpsc::UnboundedSender<String>,
}

impl Scripted {
    fn run(&self, what: &str, context: &mut ActivityContext) -> ActivityResult {
        let seen = context.text("seen").unwrap_or_default();
        let line = format!("{what} {} {} {seen}", self.kind, context.attempt());
        self.calls.send(line.trim_end().to_owned()).expect("the test listens");
        context.set_value("seen", format!("{seen}{}", self.kind));
        let step = self.plan.lock().expect("not poisoned").pop_front();
        match step {
            Some(Step::Output(value)) => context.set_output("out", value),
            Some(Step::Panic) => panic!("as planned"),
            Some(Step::Result(result)) => return result,
            None => {}
        }
        ActivityResult::Complete
    }
}

#[async_trait]
impl ActivityAgent for Scripted {
    fn activity_type(&self) -> &str {
        &self.kind
    }

    async fn deploy(&self, context: &mut ActivityContext) -> ActivityResult {
        self.run("deploy", context)
    }

    async fn dispose(&self, context: &mut ActivityContext) -> ActivityResult {
        self.run("dispose", context)
    }
}

struct Listener(mpsc::UnboundedSender<OrchestrationResponse>);

#[async_trait]
impl JobHandler for Listener {
    async fn run(&self, context: &JobContext) -> Result<Outcome, StoreError> {
        self.0.send(context.job.payload()?).expect("the test listens");
        Ok(Outcome::Done)
    }
}

pub struct World {
    pub store: Store,
    pub scopes: Arc<ScopeIssuer>,
    router: Router,
    key: SoftwareKey,
    worker: RunningWorker,
    responses: mpsc::UnboundedReceiver<OrchestrationResponse>,
    calls: mpsc::UnboundedReceiver<String>,
}

impl World {
    /// With an agent for each type, that does as planned.
    #[expect(clippy::disallowed_methods, reason = "the test is the composition root of its server")]
    pub async fn with(plans: Vec<(&str, Vec<Step>)>) -> Self {
        let environment = Environment::system();
        let database = SqliteDatabase::temporary(&environment).await.expect("a temporary database");
        let store = Store::new(Arc::new(database), environment.clone());
        let scopes = Arc::new(ScopeIssuer::new());
        let key = SoftwareKey::generate(Algorithm::Es256).expect("entropy");
        let keys = StaticKeys(JwkSet { keys: vec![key.public_jwk(Some("k1"))] });
        let issuer =
            TrustedIssuer::external(ISSUER, AudienceRule::Contains(AUDIENCE.to_owned()), Arc::new(keys));
        let authenticator = Arc::new(Authenticator::new(scopes.clone(), vec![issuer], environment.clone()));
        let (store_of_parts, scopes_of_parts) = (store.clone(), scopes.clone());
        let parts = Parts { store: store_of_parts, environment, scopes: scopes_of_parts, authenticator };
        let manager = ProvisionManager::new(parts);
        let (calls_in, calls) = mpsc::unbounded_channel();
        let (responses_in, responses) = mpsc::unbounded_channel();
        let agents = plans.into_iter().map(|(kind, plan)| {
            let (kind, plan) = (kind.to_owned(), Mutex::new(plan.into()));
            Arc::new(Scripted { kind, plan, calls: calls_in.clone() }) as Arc<dyn ActivityAgent>
        });
        let worker = Worker::new(store.clone(), scopes.clone(), WorkerLimits::default());
        let worker = manager.jobs(worker).handle(RESPONSE, Arc::new(Listener(responses_in)));
        let worker = agent_jobs(&store, worker, agents.collect()).start();
        Self { store, scopes, router: manager.router(), key, worker, responses, calls }
    }

    pub async fn new() -> Self {
        Self::with(Vec::new()).await
    }

    pub fn token(&self, claims: &Value) -> String {
        let now = self.store.environment().now().as_seconds();
        let mut all =
            json!({"iss": ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + 300, "sub": "operator"});
        let more = claims.as_object().expect("an object").clone();
        all.as_object_mut().expect("an object").extend(more);
        sign_compact(&self.key, Header::jwt(self.key.algorithm(), "k1"), &all).expect("signs")
    }

    /// Sends a request as an operator with these scopes.
    pub async fn call(&self, scopes: &str, line: &str, body: Option<Value>) -> (u16, Value) {
        let token = self.token(&json!({"role": "admin", "scope": scopes}));
        let body = body.map(|body| body.to_string());
        self.send(line, &[("authorization", &format!("Bearer {token}"))], body).await
    }

    pub async fn send(&self, line: &str, headers: &[(&str, &str)], body: Option<String>) -> (u16, Value) {
        let (method, path) = line.split_once(' ').expect("method and path");
        let mut request = Request::builder().method(method).uri(format!("/api/pm/v1alpha1{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let request = request.body(body.map_or_else(Body::empty, Body::from)).expect("a request");
        let response = self.router.clone().oneshot(request).await.expect("infallible");
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.expect("a body").to_bytes();
        let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).expect("JSON") };
        (status, body)
    }

    /// Defines each type, and a template of these graphs: `a`, or `b<a` for one that depends on another. An activity's
    /// id is its type.
    pub async fn define(&self, template: &str, graphs: &[(&str, &[&str])]) {
        let mut activities: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
        for (kind, graph) in graphs {
            for one in *graph {
                let (id, before) =
                    one.split_once('<').map_or((*one, None), |(id, before)| (id, Some(before)));
                let depends_on: Vec<&str> = before.into_iter().flat_map(|all| all.split(',')).collect();
                let (status, body) =
                    self.call(WRITE, "POST /activity-definitions", Some(json!({"type": id}))).await;
                assert_eq!(status, 201, "{body}");
                let activity = json!({"id": id, "type": id, "dependsOn": depends_on});
                activities.entry(kind).or_default().push(activity);
            }
        }
        let template = json!({"id": template, "activities": activities});
        let (status, body) = self.call(WRITE, "POST /orchestration-definitions", Some(template)).await;
        assert_eq!(status, 201, "{body}");
    }

    pub fn tenant(&self) -> TenantScope {
        self.scopes.tenant(TenantId::parse("t1").expect("legal"), Actor::new("test"))
    }

    /// Orders as the Tenant Manager does.
    pub async fn order(&self, id: &str, kind: &str) {
        let manifest = OrchestrationManifest {
            id: id.to_owned(),
            correlation_id: "profile-1".to_owned(),
            orchestration_type: kind.to_owned(),
            template_ref: None,
            payload: Map::new(),
        };
        let scope = self.tenant();
        let mut transaction = self.store.begin(&scope);
        transaction.enqueue(NewJob::new(MANIFEST, format!("orchestration/{id}"), &manifest));
        transaction.commit().await.expect("stored");
    }

    pub async fn response(&mut self) -> OrchestrationResponse {
        let next = tokio::time::timeout(PATIENCE, self.responses.recv()).await;
        next.expect("a response comes").expect("the worker lives")
    }

    /// What the agents were called for, in order, so far.
    pub fn calls(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.calls.try_recv().ok()).collect()
    }

    /// Kinds of the tenant's events, in order.
    pub async fn events(&self) -> Vec<String> {
        let events = self.store.events(&self.tenant(), EventCursor(0), 100).await.expect("read");
        events.into_iter().map(|event| format!("{} {}", event.kind, event.subject)).collect()
    }

    /// Ends the server; all jobs have ended then, and there are no further responses.
    pub async fn end(mut self) -> Vec<OrchestrationResponse> {
        self.worker.drain(PATIENCE).await;
        std::iter::from_fn(|| self.responses.try_recv().ok()).collect()
    }
}
