//! Tells the control plane what has happened here by itself.

use std::sync::Arc;

use async_trait::async_trait;
use heddle_dps::flow::Callback;
use heddle_ids::MessageId;
use heddle_outbound::{OutboundError, Request, RetryClass};
use heddle_store::{JobContext, JobHandler, Outcome, StoreError};
use heddle_tenancy::{JobScope, ParticipantScope};
use serde::{Deserialize, Serialize};

use super::FlowRecord;
use crate::{DataPlane, control_planes::RegisteredControlPlane};

/// The kind of the jobs that call back.
pub(crate) const CALLBACK: &str = "flow.callback";

/// Payload of a callback job.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CallbackJob {
    pub(super) flow: String,
    pub(super) message_id: MessageId,
    pub(super) callback: Callback,
}

/// Runs `flow.callback`.
pub(crate) struct Caller(pub(crate) Arc<DataPlane>);

impl Caller {
    async fn call(
        &self,
        scope: &ParticipantScope,
        record: &FlowRecord,
        plane: &RegisteredControlPlane,
        job: &CallbackJob,
    ) -> Result<(), OutboundError> {
        let message = job.callback.to_message(job.message_id.clone(), record.flow.id());
        let base = plane.endpoint.trim_end_matches('/');
        let url = format!("{base}/transfers/{}/dataflow/{}", record.flow.id(), job.callback.kind.as_str());
        let mut request = Request::post(url).json_of(&message);
        if let Some(authorization) = self.0.callback_tokens.authorization(scope, plane).await? {
            request = request.authorization(authorization);
        }
        self.0.outbound.send(request).await.map(drop)
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
        let Some(record) = transaction.load::<FlowRecord>(&job.flow).await? else { return Ok(Outcome::Done) };
        let plane = transaction.load::<RegisteredControlPlane>(&record.control_plane).await?;
        drop(transaction);
        let Some(plane) = plane else {
            return Ok(Outcome::Bury {
                error: format!("the control plane {} is not registered any more", record.control_plane),
            });
        };
        match self.call(scope, record.value(), plane.value(), &job).await {
            Ok(()) => Ok(Outcome::Done),
            Err(error) => Ok(match error.class() {
                RetryClass::Retry { after } => Outcome::Retry { error: error.to_string(), after },
                // A control plane may learn of its own step a moment later than we do.
                RetryClass::RetryBriefly => Outcome::Retry { error: error.to_string(), after: None },
                RetryClass::Final => Outcome::Bury { error: error.to_string() },
            }),
        }
    }
}
