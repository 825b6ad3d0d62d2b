//! Brings one organisation on board, in the six stages of the onboarding journey.

use heddle_outbound::Request;
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    client::{Client, ClientError, text_of},
    feed::Feed,
    founding::{ATTESTATION, CREDENTIAL, Dataspace, did_on, tm_profile},
    report::{Failure, Teller},
};

/// An organisation that is on board, with the client that acts for it.
#[derive(Clone, Serialize, Deserialize)]
pub struct Organisation {
    /// Its name in the story.
    pub name: String,
    /// Its DID.
    pub did: String,
    /// Its participant context.
    pub context: String,
    /// The runtime's name of its dataspace.
    pub profile: String,
    /// Its server.
    pub server: String,
    /// Its client at the token service.
    pub client_id: String,
    /// The client's secret.
    pub client_secret: String,
}

impl Organisation {
    /// A client that acts for it.
    pub fn client(&self, operator: &Client) -> Client {
        operator.as_client(self.client_id.clone(), self.client_secret.clone())
    }

    /// The base of its Management API paths.
    pub fn management(&self) -> String {
        format!("/api/mgmt/v5beta/participants/{}", self.context)
    }

    /// The address of its DSP endpoints.
    pub fn protocol(&self) -> String {
        format!("{}/api/dsp/{}/{}", self.server, self.context, self.profile)
    }
}

/// Who takes part in bringing somebody on board.
pub struct Bodies<'a> {
    /// The operator of the installation that hosts the organisation.
    pub operator: &'a Client,
    /// The governance body, at the issuer.
    pub governance: &'a Client,
    /// The dataspace.
    pub dataspace: &'a Dataspace,
}

/// Brings `name` on board.
pub async fn onboard(
    teller: &mut Teller,
    bodies: &Bodies<'_>,
    run: &str,
    name: &str,
) -> Result<Organisation, Failure> {
    let Bodies { operator, dataspace, .. } = bodies;
    let did = did_on(operator.base(), &format!("{name}-{run}"));
    let title = |stage: &str| format!("{name}: {stage}");

    let tenant = teller
        .step(&title("application"), async {
            apply(operator, name, &did).await.map(|tenant| (tenant, Vec::new()))
        })
        .await?;
    teller
        .step(&title("verification"), async { approve(bodies, name, &did).await.map(|()| ((), Vec::new())) })
        .await?;
    let (mut feed, profile) = teller
        .step(&title("tenant provisioning"), async {
            let profile = tm_profile(operator, dataspace).await?;
            let parts = provision(operator, name, (&tenant, &did), &[profile]).await?;
            Ok((parts, Vec::new()))
        })
        .await?;
    let context = teller
        .step(&title("credential issuance"), async {
            provisioned(&mut feed, &profile).await.map(|context| (context, Vec::new()))
        })
        .await?;
    let organisation = teller
        .step(&title("configuration"), async {
            configure(bodies, name, did, context).await.map(|organisation| (organisation, Vec::new()))
        })
        .await?;
    teller
        .step(&title("active participation"), async {
            check_membership(operator, &organisation).await?;
            Ok(((), Vec::new()))
        })
        .await?;
    Ok(organisation)
}

/// Applies; gives the tenant.
pub async fn apply(operator: &Client, name: &str, did: &str) -> Result<String, ClientError> {
    let application = json!({"properties": {"name": name, "did": did}});
    let step = format!("tenant-{name}");
    text_of(&operator.create(&step, "/api/tm/v1alpha1/tenants", &application).await?, "id", "tenants")
}

/// The governance body approves an application: it attests what it has verified. Without this, the issuer
/// refuses to issue.
pub async fn approve(bodies: &Bodies<'_>, name: &str, did: &str) -> Result<(), ClientError> {
    let Bodies { operator, governance, dataspace } = bodies;
    let admin = format!("/api/admin/v1beta/participants/{}", dataspace.issuer_context);
    let holder = path_segment(did);
    let path = format!("{admin}/attestations/{ATTESTATION}/records/{holder}");
    governance.put(&path, &json!({"claims": {"membership": {"level": "full", "name": name}}})).await?;
    if governance.base() != operator.base() {
        let body = json!({"holderId": did, "did": did, "name": name});
        governance.ensure(&format!("holder-{name}"), &format!("{admin}/holders"), &body).await?;
    }
    Ok(())
}

/// Gives a tenant its participant, which takes part in the dataspaces that the Tenant Manager knows as `dataspaces`;
/// gives the feed that tells of it, and its participant profile.
pub async fn provision(
    operator: &Client,
    name: &str,
    (tenant, did): (&str, &str),
    dataspaces: &[String],
) -> Result<(Feed, String), ClientError> {
    let feed = Feed::open(operator, "/api/tm/v1alpha1/events").await?;
    let body = json!({
        "identifier": did,
        "dataspaceProfileIds": dataspaces,
        "properties": {"name": name},
    });
    let path = format!("/api/tm/v1alpha1/tenants/{tenant}/participant-profiles");
    let answer = operator.create(&format!("profile-{name}"), &path, &body).await?;
    Ok((feed, text_of(&answer, "id", "participant-profiles")?))
}

/// Waits until the profile is active, its credentials included; gives its participant context.
pub async fn provisioned(feed: &mut Feed, profile: &str) -> Result<String, ClientError> {
    let event = feed
        .wait("the participant profile is active", |event| {
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

/// Makes the client by which the organisation acts.
pub async fn configure(
    bodies: &Bodies<'_>,
    name: &str,
    did: String,
    context: String,
) -> Result<Organisation, ClientError> {
    let body = json!({"participantContextId": context});
    let answer = bodies.operator.create(&format!("client-{name}"), "/oauth/clients", &body).await?;
    Ok(Organisation {
        name: name.to_owned(),
        did,
        context,
        profile: bodies.dataspace.profile.clone(),
        server: bodies.operator.base().to_owned(),
        client_id: text_of(&answer, "clientId", "clients")?,
        client_secret: text_of(&answer, "clientSecret", "clients")?,
    })
}

/// As the organisation itself: is the credential in its wallet?
async fn check_membership(operator: &Client, organisation: &Organisation) -> Result<(), ClientError> {
    let client = organisation.client(operator);
    let path =
        format!("/api/identity/v1beta/participants/{}/credentials?type={CREDENTIAL}", organisation.context);
    let wallet = client.send(|| Request::new(Method::GET, format!("{}{path}", client.base()))).await?;
    let credentials: Vec<serde_json::Value> = wallet.json()?;
    match credentials.len() {
        1 => Ok(()),
        n => Err(ClientError::Waited(format!(
            "the wallet holds {n} credentials of type {CREDENTIAL}, not one"
        ))),
    }
}

/// A text as one segment of a path.
fn path_segment(text: &str) -> String {
    text.bytes().fold(String::new(), |mut segment, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => segment.push(byte.into()),
            _ => segment.push_str(&format!("%{byte:02X}")),
        }
        segment
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_did_is_one_segment() {
        assert_eq!(path_segment("did:web:a%3A1:b/c"), "did%3Aweb%3Aa%253A1%3Ab%2Fc");
    }
}
