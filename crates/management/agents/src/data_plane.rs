//! `dataplane-activity`: control plane and data plane get to know each other for a participant.

use std::sync::Arc;

use async_trait::async_trait;
use heddle_agent::{ActivityAgent, ActivityContext, ActivityResult, AdminClient};
use heddle_outbound::Request;
use http::Method;

use crate::{
    AgentsConfig,
    removal::gone,
    settings::{Service, segment},
    wire::{ControlPlaneRegistration, DataPlaneRegistration, PlaneAuthorization},
};

/// The transfer type that the shipped data plane serves.
const TRANSFER_TYPE: &str = "HttpData-PULL";

pub(crate) struct DataPlaneAgent {
    client: AdminClient,
    config: Arc<AgentsConfig>,
}

impl DataPlaneAgent {
    pub(crate) fn new(client: AdminClient, config: Arc<AgentsConfig>) -> Self {
        Self { client, config }
    }

    fn at_data_plane(&self, context: &ActivityContext, id: &str) -> String {
        let base = self.config.base(Service::DataPlane, context);
        format!("{base}/api/dataplane/v1/participants/{}", segment(id))
    }

    fn at_control_plane(&self, context: &ActivityContext, id: &str) -> String {
        let base = self.config.base(Service::ControlPlane, context);
        format!("{base}/api/mgmt/v5beta/participants/{}/dataplanes", segment(id))
    }

    /// Both registrations replace what was registered before, so they may be repeated.
    async fn register(&self, context: &ActivityContext) -> Result<(), ActivityResult> {
        let id = context.text("participantContextId")?;
        let AgentsConfig { token_endpoint, control_plane, data_plane, .. } = self.config.as_ref();
        let signaling = self.config.base(Service::Signaling, context);
        let data = self.at_data_plane(context, &id);

        let callbacks = ControlPlaneRegistration {
            controlplane_id: &control_plane.id,
            endpoint: format!("{signaling}/api/signaling/{}", segment(&id)),
            authorization: PlaneAuthorization::new(token_endpoint, data_plane),
        };
        self.client
            .send(Request::new(Method::PUT, format!("{data}/controlplanes")).json_of(&callbacks))
            .await?;

        let signals = DataPlaneRegistration {
            dataplane_id: &data_plane.id,
            endpoint: format!("{data}/dataflows"),
            transfer_types: [TRANSFER_TYPE],
            labels: [],
            authorization: PlaneAuthorization::new(token_endpoint, control_plane),
        };
        let url = self.at_control_plane(context, &id);
        self.client.send(Request::new(Method::PUT, url).json_of(&signals)).await?;
        Ok(())
    }

    /// Nothing of the participant stays: its flows end, and what it has uploaded goes.
    async fn withdraw(&self, context: &ActivityContext) -> Result<(), ActivityResult> {
        let id = context.text("participantContextId")?;
        let signals = self.at_control_plane(context, &id);
        let signals = format!("{signals}/{}", segment(&self.config.data_plane.id));
        self.client.remove(Request::new(Method::DELETE, signals)).await?;
        gone(&self.client, context, self.at_data_plane(context, &id)).await
    }
}

#[async_trait]
impl ActivityAgent for DataPlaneAgent {
    fn activity_type(&self) -> &str {
        "dataplane-activity"
    }

    async fn deploy(&self, context: &mut ActivityContext) -> ActivityResult {
        self.register(context).await.into()
    }

    async fn dispose(&self, context: &mut ActivityContext) -> ActivityResult {
        self.withdraw(context).await.into()
    }
}
