//! The provider publishes a file under a policy.

use futures::{StreamExt, TryStreamExt};
use heddle_outbound::{Body, Request};
use http::Method;
use serde_json::{Value, json};

use super::{
    client::{Client, ClientError},
    content::{Content, Digest},
    founding::CREDENTIAL,
    management::{criterion, typed},
    onboarding::Organisation,
};

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

/// Offers the dataset `asset` to members: others do not see it.
pub async fn offer(client: &Client, provider: &Organisation, asset: &str) -> Result<(), ClientError> {
    offer_to(client, provider, asset, (Some(CREDENTIAL), None)).await
}

/// Offers the dataset `asset`. Who sees it and who may use it needs a valid credential of the type that stands there.
pub async fn offer_to(
    client: &Client,
    provider: &Organisation,
    asset: &str,
    (access, usage): (Option<&str>, Option<&str>),
) -> Result<(), ClientError> {
    let base = provider.management();
    let properties = json!({"name": "A shared file", "contenttype": "application/octet-stream"});
    let body = typed("Asset", json!({"@id": asset, "properties": properties}));
    client.create(&format!("asset-{asset}"), &format!("{base}/assets"), &body).await?;
    for (id, credential) in [("access", access), ("usage", usage)] {
        let policy = json!({"@type": "Set", "permission": [permission(credential)]});
        let body = typed("PolicyDefinition", json!({"@id": format!("{id}-{asset}"), "policy": policy}));
        client.create(&format!("{id}-{asset}"), &format!("{base}/policydefinitions"), &body).await?;
    }
    let body = typed(
        "ContractDefinition",
        json!({
            "@id": format!("offer-{asset}"),
            "accessPolicyId": format!("access-{asset}"), "contractPolicyId": format!("usage-{asset}"),
            "assetsSelector": [criterion("https://w3id.org/edc/v0.0.1/ns/id", asset)],
        }),
    );
    client.create(&format!("offer-{asset}"), &format!("{base}/contractdefinitions"), &body).await?;
    Ok(())
}

fn permission(credential: Option<&str>) -> Value {
    let mut permission = json!({"action": "use"});
    if let Some(credential) = credential {
        permission["constraint"] =
            json!([{"leftOperand": credential, "operator": "eq", "rightOperand": "active"}]);
    }
    permission
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
    client
        .open(|| {
            let (chunks, digest) = content.read();
            *seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = digest;
            let bytes = chunks.map_err(Into::into).boxed();
            Request::new(Method::PUT, url.clone())
                .body(Body::Stream { bytes, length: Some(content.length()) })
        })
        .await?;
    Ok(seen.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
}
