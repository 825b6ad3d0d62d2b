//! Tells the control plane what has happened here by itself.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use heddle_dps::flow::Callback;
use heddle_ids::{DataFlowId, MessageId};
use heddle_outbound::{OutboundError, Request, RetryClass};
use heddle_store::{JobContext, JobHandler, Outcome, StoreError};
use heddle_telemetry::spans;
use heddle_tenancy::{JobScope, ParticipantScope};
use serde::{Deserialize, Serialize};
use tracing::Instrument;

use super::{FlowRecord, address::segment};
use crate::{
    DataPlane,
    control_planes::{CallbackError, RegisteredControlPlane},
    telling,
};

/// The kind of the jobs that call back.
pub(crate) const CALLBACK: &str = "flow.callback";
/// How long 401 and 404 are believed to be a control plane that restarts, or that learns of its own step a moment
/// later than we do.
const BRIEFLY: Duration = Duration::from_secs(120);

/// Payload of a callback job.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CallbackJob {
    pub(super) flow: DataFlowId,
    pub(super) message_id: MessageId,
    pub(super) callback: Callback,
}

/// Runs `flow.callback`.
pub(crate) struct Caller(pub(crate) Arc<DataPlane>);

impl Caller {
    async fn call(
        &self,
        scope: &ParticipantScope,
        plane: &RegisteredControlPlane,
        job: &CallbackJob,
    ) -> Result<(), CallbackError> {
        let message = job.callback.to_message(job.message_id.clone(), &job.flow);
        let (base, kind) = (plane.endpoint.trim_end_matches('/'), job.callback.kind.as_str());
        let url = format!("{base}/transfers/{}/dataflow/{kind}", segment(job.flow.as_str()));
        let mut request = Request::post(url).json_of(&message);
        if let Some(authorization) = self.0.callback_tokens.authorization(scope, plane).await? {
            request = request.authorization(authorization);
        }
        let span = spans::part(&format!("dps.{kind}"), scope.participant().as_str(), None);
        match self.0.outbound.send(request).instrument(span).await {
            Ok(_) => Ok(()),
            Err(error) => {
                if error.status() == Some(http::StatusCode::UNAUTHORIZED) {
                    self.0.callback_tokens.forget(scope, &plane.id);
                }
                Err(error.into())
            }
        }
    }
}

#[async_trait]
impl JobHandler for Caller {
    async fn run(&self, context: &JobContext) -> Result<Outcome, StoreError> {
        let JobScope::Participant(scope) = &context.scope else {
            return Ok(Outcome::Bury { error: "a flow belongs to a participant".to_owned() });
        };
        let job: CallbackJob = context.job.payload()?;
        let mut transaction = self.0.store.begin(scope);
        let Some(record) = transaction.load::<FlowRecord>(job.flow.as_str()).await? else {
            return Ok(Outcome::Done);
        };
        let plane = transaction.load::<RegisteredControlPlane>(&record.control_plane).await?;
        drop(transaction);
        let Some(plane) = plane else {
            let error = format!("the control plane '{}' is not registered any more", record.control_plane);
            return Ok(Outcome::Bury { error });
        };
        let waited = self.0.environment.now().since(context.job.created_at);
        match self.call(scope, plane.value(), &job).await {
            Ok(()) => {
                telling::sent(&record.flow, job.callback.kind);
                Ok(Outcome::Done)
            }
            Err(CallbackError::Store(error)) => Err(error),
            Err(CallbackError::Secret(error)) => Ok(Outcome::Retry { error, after: None }),
            Err(CallbackError::Outbound(error)) => Ok(after(&error, waited)),
        }
    }
}

fn after(error: &OutboundError, waited: Duration) -> Outcome {
    let reason = error.to_string();
    match error.class() {
        RetryClass::Retry { after } => Outcome::Retry { error: reason, after },
        RetryClass::RetryBriefly if waited < BRIEFLY => Outcome::Retry { error: reason, after: None },
        RetryClass::RetryBriefly | RetryClass::Final => Outcome::Bury { error: reason },
    }
}
