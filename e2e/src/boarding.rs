//! Parties that come on board in other ways than the story's: without a credential, or in several dataspaces.

use heddle::demo::{
    ClientError,
    client::text_of,
    founding::{did_on, tm_profile},
    onboarding,
};
use serde_json::json;

use crate::{Party, Scene};

impl Scene {
    /// Brings an organisation on board that takes part in the dataspace and holds no credential at all.
    pub async fn onboard_without_credential(&self, name: &str) -> Party {
        let credentialless = self.credentialless().await.expect("a dataspace profile that asks for nothing");
        self.board(name, &[credentialless]).await.unwrap_or_else(|failure| panic!("{name}: {failure}"))
    }

    /// What the Tenant Manager knows as a dataspace whose members hold no credentials: the same dataspace.
    async fn credentialless(&self) -> Result<String, ClientError> {
        let tm = "/api/tm/v1alpha1";
        let cells = self.operator.get(&format!("{tm}/cells")).await?;
        let cell = text_of(&cells[0], "id", "cells")?;
        let body = json!({
            "dataspaceSpec": {"protocolStack": ["dsp-2025-1", "dcp-1.0"], "credentialSpecs": []},
            "properties": {"profile": self.dataspace.profile, "issuerContextId": self.dataspace.issuer_context},
        });
        let path = format!("{tm}/dataspace-profiles");
        let created = self.operator.create("tm-profile-without-credentials", &path, &body).await?;
        let id = text_of(&created, "id", "dataspace-profiles")?;
        let body = json!({"profileId": id, "cellId": cell});
        self.operator.create("deployment-2", &format!("{path}/{id}/deployments"), &body).await?;
        Ok(id)
    }

    /// As the story does, in the dataspaces that the Tenant Manager knows as `dataspaces`, with what they ask for.
    async fn board(&self, name: &str, dataspaces: &[String]) -> Result<Party, ClientError> {
        let bodies = self.bodies(&self.operator);
        let did = self.did(name);
        let tenant = onboarding::apply(&self.operator, name, &did).await?;
        let (mut feed, profile) =
            onboarding::provision(&self.operator, name, (&tenant, &did), dataspaces).await?;
        let context = onboarding::provisioned(&mut feed, &profile).await?;
        let organisation = onboarding::configure(&bodies, name, did, context).await?;
        Ok(Party::acting(organisation, &self.operator).await)
    }

    fn did(&self, name: &str) -> String {
        did_on(self.operator.base(), &format!("{name}-{}", self.run))
    }
}

/// Brings an organisation on board in several dataspaces at once; all of them approve it.
pub async fn onboard_in(scenes: &[&Scene], name: &str) -> Party {
    let did = scenes[0].did(name);
    let mut dataspaces = Vec::new();
    for scene in scenes {
        scene.approve(name, &did).await;
        dataspaces.push(tm_profile(&scene.operator, &scene.dataspace).await.expect("the dataspace is known"));
    }
    scenes[0].board(name, &dataspaces).await.unwrap_or_else(|failure| panic!("{name}: {failure}"))
}
