//! The provider publishes a file under a policy.

use futures::{StreamExt, TryStreamExt};
use heddle_outbound::{Body, Request};
use http::Method;
use serde_json::{Value, json};

use super::{
    client::{Client, ClientError},
    content::{Content, Digest},
    founding::CREDENTIAL,
    onboarding::Organisation,
};

const MANAGEMENT_CONTEXT: &str = "https://w3id.org/edc/connector/management/v2";

/// Uploads the content and offers it to members; gives the digest of what was uploaded.
pub async fn publish(
    client: &Client,
    provider: &Organisation,
    asset: &str,
    content: &Content,
) -> Result<Digest, ClientError> {
    let digest = upload(client, provider, asset, content).await?;
    offer(client, provider, asset).await?;
    Ok(digest)
}

/// Offers the dataset `asset` to members.
pub async fn offer(client: &Client, provider: &Organisation, asset: &str) -> Result<(), ClientError> {
    let base = provider.management();
    let body = json!({
        "@context": [MANAGEMENT_CONTEXT], "@type": "Asset", "@id": asset,
        "properties": {"name": "A shared file", "contenttype": "application/octet-stream"},
    });
    client.create(&format!("asset-{asset}"), &format!("{base}/assets"), &body).await?;
    for (id, constraints) in [("access", members_only()), ("usage", json!([]))] {
        let permission = if constraints == json!([]) {
            json!([{"action": "use"}])
        } else {
            json!([{"action": "use", "constraint": constraints}])
        };
        let body = json!({
            "@context": [MANAGEMENT_CONTEXT], "@type": "PolicyDefinition", "@id": format!("{id}-{asset}"),
            "policy": {"@type": "Set", "permission": permission},
        });
        client.create(&format!("{id}-{asset}"), &format!("{base}/policydefinitions"), &body).await?;
    }
    let selector = json!({
        "@type": "Criterion", "operandLeft": "https://w3id.org/edc/v0.0.1/ns/id", "operator": "=", "operandRight": asset,
    });
    let body = json!({
        "@context": [MANAGEMENT_CONTEXT], "@type": "ContractDefinition", "@id": format!("offer-{asset}"),
        "accessPolicyId": format!("access-{asset}"), "contractPolicyId": format!("usage-{asset}"),
        "assetsSelector": [selector],
    });
    client.create(&format!("offer-{asset}"), &format!("{base}/contractdefinitions"), &body).await?;
    Ok(())
}

fn members_only() -> Value {
    json!([{"leftOperand": CREDENTIAL, "operator": "eq", "rightOperand": "active"}])
}

/// Uploads the content of the dataset `asset`; gives its digest.
pub async fn upload(
    client: &Client,
    provider: &Organisation,
    asset: &str,
    content: &Content,
) -> Result<Digest, ClientError> {
    let path = format!("/api/dataplane/v1/participants/{}/sources/{asset}/content", provider.context);
    let url = format!("{}{path}", client.base());
    let seen = std::sync::Mutex::new(Digest::new());
    let response = client
        .stream(|| {
            let (chunks, digest) = content.read();
            *seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = digest;
            let bytes = chunks.map_err(Into::into).boxed();
            Request::new(Method::PUT, url.clone())
                .body(Body::Stream { bytes, length: Some(content.length()) })
        })
        .await?;
    if !response.status().is_success() {
        return Err(ClientError::Waited(format!("the upload was answered with {}", response.status())));
    }
    Ok(seen.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
}
