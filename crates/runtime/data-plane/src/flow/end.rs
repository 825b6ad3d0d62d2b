//! The end of all flows of a participant that is being removed.

use heddle_dps::{
    State,
    flow::{self, Event, Step},
};
use heddle_store::{Query, StoreError};
use heddle_tenancy::ParticipantScope;

use super::{FlowRecord, settle::tell};
use crate::{DataPlane, removal::BATCH_ROWS, table::DIRECTORY};

const REASON: &str = "the participant is being removed from this data plane";

impl DataPlane {
    /// Ends a batch of the flows that are not over, in one commit; how many. Their addresses stay in the vault for
    /// whoever deletes the records, and no control plane is called back: none is registered any more.
    pub(crate) async fn end_flows(&self, scope: &ParticipantScope) -> Result<usize, StoreError> {
        let mut transaction = self.store.begin(scope);
        let now = transaction.now();
        let open = State::ALL.into_iter().filter(|state| !state.is_terminal());
        let states = open.map(|state| state.as_str().into()).collect();
        let query = Query { states, limit: BATCH_ROWS, ..Query::default() };
        let mut ended = Vec::new();
        for loaded in transaction.list::<FlowRecord>(&query).await? {
            let event = Event::Terminate { reason: Some(REASON.to_owned()) };
            let Ok(Step::Moved { flow, .. }) = flow::apply(&loaded.flow, event, None, now) else { continue };
            let mut record = loaded.value().clone();
            record.flow = *flow;
            record.revision += 1;
            transaction.save(&loaded, &record);
            let live = record.live(scope.participant());
            if live.is_some() {
                transaction.withdraw(DIRECTORY, record.flow.id().as_str());
            }
            // The event makes other replicas look, and cut off what they are sending.
            tell(&mut transaction, scope, &record);
            ended.push((record.flow.id().clone(), live));
        }
        transaction.commit().await?;
        for (id, live) in &ended {
            if let Some(live) = live {
                self.table.end(id.as_str(), live.clone());
            }
        }
        Ok(ended.len())
    }
}
