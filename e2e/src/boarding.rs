//! Organisations that come on board in other ways than the story's: without a credential, or in several dataspaces.

use heddle::demo::{
    Client, ClientError,
    client::text_of,
    feed::Feed,
    founding::{ATTESTATION, did_on, tm_profile},
    onboarding::{Organisation, path_segment},
};
use serde_json::{Value, json};

use crate::Scene;

const TM: &str = "/api/tm/v1alpha1";

impl Scene {
    /// The paths of the issuer's administration.
    pub fn issuer_admin(&self) -> String {
        format!("/api/admin/v1beta/participants/{}", self.dataspace.issuer_context)
    }

    /// The governance body approves an application.
    pub async fn approve(&self, name: &str, did: &str) {
        let path =
            format!("{}/attestations/{ATTESTATION}/records/{}", self.issuer_admin(), path_segment(did));
        let claims = json!({"claims": {"membership": {"level": "full", "name": name}}});
        self.operator.put(&path, &claims).await.expect("it is attested");
    }

    /// Brings an organisation on board that takes part in the dataspace and holds no credential at all.
    pub async fn onboard_without_credential(&self, name: &str) -> Organisation {
        let credentialless = self.credentialless().await.expect("a dataspace profile that asks for nothing");
        board(self, name, &[credentialless]).await.unwrap_or_else(|failure| panic!("{name}: {failure}"))
    }

    /// What the Tenant Manager knows as a dataspace whose members hold no credentials: the same dataspace.
    async fn credentialless(&self) -> Result<String, ClientError> {
        let cells = self.operator.get(&format!("{TM}/cells")).await?;
        let cell = text_of(&cells[0], "id", "cells")?;
        let body = json!({
            "dataspaceSpec": {"protocolStack": ["dsp-2025-1", "dcp-1.0"], "credentialSpecs": []},
            "properties": {"profile": self.dataspace.profile, "issuerContextId": self.dataspace.issuer_context},
        });
        let path = format!("{TM}/dataspace-profiles");
        let created = self.operator.create("tm-profile-without-credentials", &path, &body).await?;
        let id = text_of(&created, "id", "dataspace-profiles")?;
        let body = json!({"profileId": id, "cellId": cell});
        self.operator.create("deployment-2", &format!("{path}/{id}/deployments"), &body).await?;
        Ok(id)
    }
}

/// Brings an organisation on board in several dataspaces at once; all of them approve it.
pub async fn onboard_in(scenes: &[&Scene], name: &str) -> Organisation {
    let did = scenes[0].did(name);
    let mut profiles = Vec::new();
    for scene in scenes {
        scene.approve(name, &did).await;
        profiles.push(tm_profile(&scene.operator, &scene.dataspace).await.expect("the dataspace is known"));
    }
    board(scenes[0], name, &profiles).await.unwrap_or_else(|failure| panic!("{name}: {failure}"))
}

/// The organisation under another of its dataspaces.
pub fn under(scene: &Scene, organisation: &Organisation) -> Organisation {
    Organisation { profile: scene.dataspace.profile.clone(), ..organisation.clone() }
}

async fn board(scene: &Scene, name: &str, profiles: &[String]) -> Result<Organisation, ClientError> {
    let operator = &scene.operator;
    let did = scene.did(name);
    let step = |what: &str| format!("{what}-{name}");
    let tenant = json!({"properties": {"name": name}});
    let tenant = operator.create(&step("tenant"), &format!("{TM}/tenants"), &tenant).await?;
    let tenant = text_of(&tenant, "id", "tenants")?;
    let mut feed = Feed::open(operator, &format!("{TM}/events")).await?;
    let body = json!({"identifier": did, "dataspaceProfileIds": profiles, "properties": {"name": name}});
    let path = format!("{TM}/tenants/{tenant}/participant-profiles");
    let profile = operator.create(&step("profile"), &path, &body).await?;
    let profile = text_of(&profile, "id", "participant-profiles")?;
    let context = provisioned(&mut feed, &profile).await?;
    let client = json!({"participantContextId": context});
    let client = operator.create(&step("client"), "/oauth/clients", &client).await?;
    Ok(Organisation {
        name: name.to_owned(),
        did,
        context,
        profile: scene.dataspace.profile.clone(),
        server: operator.base().to_owned(),
        client_id: text_of(&client, "clientId", "clients")?,
        client_secret: text_of(&client, "clientSecret", "clients")?,
    })
}

/// Waits until the profile is active; gives its participant context.
async fn provisioned(feed: &mut Feed, profile: &str) -> Result<String, ClientError> {
    let event = feed
        .wait("the participant profile is provisioned", |event| {
            event.kind.starts_with("participant.profile.")
                && event.kind != "participant.profile.pending"
                && event.tells("participantProfileId", profile)
        })
        .await?;
    if event.kind != "participant.profile.active" {
        let reason = event.payload["errorDetail"].as_str().unwrap_or(&event.kind).to_owned();
        return Err(ClientError::Waited(reason));
    }
    text_of(&event.payload, "participantContextId", "participant.profile.active")
}

/// The credentials in an organisation's wallet.
pub async fn wallet(client: &Client, organisation: &Organisation) -> Vec<Value> {
    let path = format!("/api/identity/v1beta/participants/{}/credentials", organisation.context);
    let credentials = client.get(&path).await.expect("the wallet is shown");
    credentials.as_array().expect("a list").clone()
}

impl Scene {
    fn did(&self, name: &str) -> String {
        did_on(self.operator.base(), &format!("{name}-{}", self.run))
    }
}
