//! `dataplane-activity`: control plane and data plane get to know each other for a participant.

use std::sync::Arc;

use async_trait::async_trait;
use heddle_agent::{ActivityAgent, ActivityContext, ActivityResult, AdminClient};
use heddle_outbound::Request;
use http::Method;

use crate::{
    AgentsConfig,
    settings::segment,
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

    fn at_data_plane(&self, id: &str) -> String {
        format!("{}/api/dataplane/v1/participants/{}", self.config.data_plane_url, segment(id))
    }

    fn at_control_plane(&self, id: &str) -> String {
        let base = &self.config.control_plane_url;
        format!("{base}/api/mgmt/v5beta/participants/{}/dataplanes", segment(id))
    }

    async fn register(&self, context: &ActivityContext) -> Result<(), ActivityResult> {
        let id = context.text("participantContextId")?;
        let AgentsConfig { token_endpoint, control_plane, data_plane, .. } = self.config.as_ref();
        let callbacks = ControlPlaneRegistration {
            controlplane_id: &control_plane.id,
            endpoint: format!("{}/api/signaling/{}", self.config.control_plane_url, segment(&id)),
            authorization: PlaneAuthorization::new(token_endpoint, data_plane),
        };
        let url = format!("{}/controlplanes", self.at_data_plane(&id));
        let request = Request::new(Method::PUT, url).json_of(&callbacks);
        self.client.send(request).await.map_err(|error| ActivityResult::of_failure(&error))?;
        let signals = DataPlaneRegistration {
            dataplane_id: &data_plane.id,
            endpoint: format!("{}/dataflows", self.at_data_plane(&id)),
            transfer_types: [TRANSFER_TYPE],
            labels: [],
            authorization: PlaneAuthorization::new(token_endpoint, control_plane),
        };
        let request = Request::new(Method::PUT, self.at_control_plane(&id)).json_of(&signals);
        self.client.send(request).await.map(drop).map_err(|error| ActivityResult::of_failure(&error))
    }
}

#[async_trait]
impl ActivityAgent for DataPlaneAgent {
    fn activity_type(&self) -> &str {
        "dataplane-activity"
    }

    async fn deploy(&self, context: &mut ActivityContext) -> ActivityResult {
        self.register(context).await.map_or_else(|failure| failure, |()| ActivityResult::Complete)
    }

    async fn dispose(&self, context: &mut ActivityContext) -> ActivityResult {
        let id = match context.text("participantContextId") {
            Ok(id) => id,
            Err(missing) => return missing.into(),
        };
        let urls = [
            format!("{}/{}", self.at_control_plane(&id), segment(&self.config.data_plane.id)),
            format!("{}/controlplanes/{}", self.at_data_plane(&id), segment(&self.config.control_plane.id)),
        ];
        for url in urls {
            if let Err(error) = self.client.remove(Request::new(Method::DELETE, url)).await {
                return ActivityResult::of_failure(&error);
            }
        }
        ActivityResult::Complete
    }
}
