//! Data Plane Signaling as a control plane: which call a step is, and what its answer means.

use heddle_dps::{
    TransferProfile,
    flow::State as FlowState,
    wire::{
        DataAddress, DataFlowBaseMessage, DataFlowPrepareMessage, DataFlowResumeMessage,
        DataFlowStartMessage, DataFlowStartedNotificationMessage, DataFlowSuspendMessage,
        DataFlowTerminateMessage, ReceivedStatus,
    },
};
use heddle_dsp::{process::Role, transfer::DataPlaneStep, wire};
use heddle_ids::DataFlowId;
use heddle_outbound::{OutboundError, Request};
use serde_json::{Map, Value};

use super::{TransferRecord, record::Signal};
use crate::model::DataPlane;

/// What a data plane has answered.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Progress {
    /// Done; with the address, where this side owns it.
    Done(Option<Box<wire::DataAddress>>),
    /// Still at work; it will call back.
    UnderWay,
}

/// Whether the data plane is given the address with this step.
pub(super) fn takes_address(record: &TransferRecord, step: DataPlaneStep) -> bool {
    let owner = record.process.role() == record.process.flow().address_owner();
    match step {
        DataPlaneStep::Start => true,
        DataPlaneStep::Resume => !owner,
        _ => false,
    }
}

/// Asks where the flow is.
pub(super) fn status_request(record: &TransferRecord, plane: &DataPlane) -> Request {
    Request::get(format!("{}/{}/status", plane.dataflows_url(), record.process.id()))
}

/// Whether the answer to that says that no data moves any more, as after `step`.
pub(super) fn shows_stopped(step: DataPlaneStep, body: &[u8]) -> bool {
    let state = ReceivedStatus::parse_answer(body).ok().and_then(|status| status.state);
    state.is_some_and(|state| {
        state.is_terminal() || (step == DataPlaneStep::Suspend && state == FlowState::Suspended)
    })
}

/// The request that a signal is; `address` is that of the process, opened.
pub(super) fn request(
    record: &TransferRecord,
    plane: &DataPlane,
    signal: &Signal,
    address: Option<&wire::DataAddress>,
) -> Result<Request, String> {
    let base = plane.dataflows_url();
    let flow = format!("{base}/{}", record.process.id());
    let message_id = signal.message_id.clone();
    let consumer = record.process.role() == Role::Consumer;
    let address = || address.map(to_signaling);
    Ok(match signal.step {
        DataPlaneStep::Prepare => {
            let message = DataFlowPrepareMessage(base_message(record, signal, None)?);
            Request::post(format!("{base}/prepare")).json_of(&message)
        }
        DataPlaneStep::Start if consumer => {
            let message =
                DataFlowStartedNotificationMessage { message_id, data_address: address().transpose()? };
            Request::post(format!("{flow}/started")).json_of(&message)
        }
        DataPlaneStep::Start => {
            let message = DataFlowStartMessage(base_message(record, signal, address().transpose()?)?);
            Request::post(format!("{base}/start")).json_of(&message)
        }
        DataPlaneStep::Suspend => {
            let message = DataFlowSuspendMessage { message_id, reason: signal.reason.clone() };
            Request::post(format!("{flow}/suspend")).json_of(&message)
        }
        DataPlaneStep::Resume => {
            let message = DataFlowResumeMessage { message_id, data_address: address().transpose()? };
            Request::post(format!("{flow}/resume")).json_of(&message)
        }
        DataPlaneStep::Complete => Request::post(format!("{flow}/completed")),
        DataPlaneStep::Terminate => {
            let message = DataFlowTerminateMessage { message_id, reason: signal.reason.clone() };
            Request::post(format!("{flow}/terminate")).json_of(&message)
        }
    })
}

fn base_message(
    record: &TransferRecord,
    signal: &Signal,
    data_address: Option<DataAddress>,
) -> Result<DataFlowBaseMessage, String> {
    let process = &record.process;
    let flow_id = DataFlowId::parse(process.id().as_str()).map_err(|error| error.to_string())?;
    let claims = match &record.claims {
        Value::Object(claims) => claims.clone(),
        _ => Map::new(),
    };
    Ok(DataFlowBaseMessage {
        message_id: signal.message_id.clone(),
        participant_id: record.participant.clone(),
        counter_party_id: process.counter_party().clone(),
        dataspace_context: process.profile().to_string(),
        data_flow_id: flow_id,
        agreement_id: process.agreement_id().clone(),
        dataset_id: process.dataset().clone(),
        profile: TransferProfile::parse(process.format()).map_err(|error| error.to_string())?,
        claims,
        labels: record.metadata.labels.clone(),
        metadata: record.metadata.properties.clone(),
        data_address,
    })
}

/// Reads the answer to a signal. Only the state and the address count; peers leave the rest out.
pub(super) fn progress(step: DataPlaneStep, body: &[u8]) -> Result<Progress, OutboundError> {
    let malformed = |reason: String| OutboundError::Malformed {
        subject: "the answer of the data plane".to_owned(),
        reason,
    };
    if !matches!(step, DataPlaneStep::Prepare | DataPlaneStep::Start | DataPlaneStep::Resume) {
        return Ok(Progress::Done(None));
    }
    let status = ReceivedStatus::parse_answer(body).map_err(|error| malformed(error.to_string()))?;
    if matches!(status.state, Some(FlowState::Preparing | FlowState::Starting)) {
        return Ok(Progress::UnderWay);
    }
    let address = status.data_address.as_ref().map(from_signaling).transpose().map_err(malformed)?;
    Ok(Progress::Done(address.map(Box::new)))
}

/// The same address in the other crate's type: both have the shape of DSP 2025-1, `DataAddress`.
pub(super) fn from_signaling(address: &DataAddress) -> Result<wire::DataAddress, String> {
    let value = serde_json::to_value(address).map_err(|error| error.to_string())?;
    serde_json::from_value(value).map_err(|error| error.to_string())
}

fn to_signaling(address: &wire::DataAddress) -> Result<DataAddress, String> {
    let value = serde_json::to_value(address).map_err(|error| error.to_string())?;
    serde_json::from_value(value).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use heddle_clock::Timestamp;
    use heddle_dsp::transfer::{Flow, Setup, TransferProcess};

    use super::*;

    fn record(role: Role, flow: Flow) -> TransferRecord {
        fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
            text.parse().expect("legal")
        }
        let setup = Setup {
            id: id("t"),
            role,
            counter_party: id("did:web:other"),
            profile: id("space"),
            agreement_id: id("a"),
            dataset: id("d"),
            format: "any".to_owned(),
            flow,
            counter_party_address: "http://other.example".to_owned(),
        };
        let process = TransferProcess::new(setup, Timestamp::from_millis(0));
        TransferRecord::new(process, id("a"), id("did:web:we"), id("dp"))
    }

    #[test]
    fn no_stop_takes_the_address() {
        for (role, flow) in [
            (Role::Consumer, Flow::Pull),
            (Role::Provider, Flow::Pull),
            (Role::Consumer, Flow::Push),
            (Role::Provider, Flow::Push),
        ] {
            let record = record(role, flow);
            for step in [DataPlaneStep::Suspend, DataPlaneStep::Complete, DataPlaneStep::Terminate] {
                assert!(!takes_address(&record, step), "{step}");
            }
            assert!(takes_address(&record, DataPlaneStep::Start));
            assert_eq!(takes_address(&record, DataPlaneStep::Resume), role != flow.address_owner());
        }
    }
}
