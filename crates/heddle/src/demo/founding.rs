//! Founds a dataspace: an issuer, what it issues and on which grounds, and the rules that policies speak of.
//!
//! This is the work of a governance body and of the operators of the installations that take part.

use serde_json::{Value, json};

use super::{
    client::{Client, ClientError, text_of},
    management::typed,
};

/// The attestation definition by which an application is approved.
pub const ATTESTATION: &str = "membership-approval";
/// The credential definition.
pub const DEFINITION: &str = "membership";
/// The credential's type; policies name it.
pub const CREDENTIAL: &str = "MembershipCredential";
const TEMPLATE: &str = "onboarding";
const DEPLOY: &str = "cfm.orchestration.vpa.deploy";
const DISPOSE: &str = "cfm.orchestration.vpa.dispose";

/// A founded dataspace.
#[derive(Debug, Clone)]
pub struct Dataspace {
    /// The runtime's name of its profile.
    pub profile: String,
    /// The issuer's DID.
    pub issuer: String,
    /// The issuer's participant context.
    pub issuer_context: String,
    /// Where the issuer lives.
    pub issuer_base: String,
}

/// `did:web` of a participant called `name` on the server at `base`.
pub fn did_on(base: &str, name: &str) -> String {
    let authority = base.split_once("://").map_or(base, |(_, rest)| rest);
    format!("did:web:{}:{name}", authority.replace(':', "%3A"))
}

/// Creates the issuer and what it issues.
pub async fn found(governance: &Client, run: &str) -> Result<Dataspace, ClientError> {
    let dataspace = Dataspace {
        profile: format!("dataspace-{run}"),
        issuer: did_on(governance.base(), &format!("issuer-{run}")),
        issuer_context: format!("issuer-{run}"),
        issuer_base: governance.base().to_owned(),
    };
    let Dataspace { issuer, issuer_context, .. } = &dataspace;
    let endpoint = format!("{}/api/issuance/v1beta/participants/{issuer_context}", governance.base());
    let participant = json!({
        "participantContextId": issuer_context,
        "did": issuer,
        "active": true,
        "keys": [{
            "keyId": format!("{issuer}#key-1"),
            "privateKeyAlias": "key-1",
            "keyGeneratorParams": {"algorithm": "EC", "curve": "secp256r1"},
        }],
        "serviceEndpoints": [
            {"id": format!("{issuer}#issuer-service"), "type": "IssuerService", "serviceEndpoint": endpoint},
        ],
    });
    governance.create("issuer", "/api/identity/v1beta/participants", &participant).await?;
    let admin = format!("/api/admin/v1beta/participants/{issuer_context}");
    let attestation =
        json!({"id": ATTESTATION, "attestationType": "record", "configuration": {"required": true}});
    governance.create("attestation", &format!("{admin}/attestations"), &attestation).await?;
    define(governance, &dataspace, DEFINITION, CREDENTIAL).await?;
    Ok(dataspace)
}

/// The issuer learns to issue a credential to whoever has been approved; no installation trusts it for that yet.
pub async fn define(
    governance: &Client,
    dataspace: &Dataspace,
    id: &str,
    credential: &str,
) -> Result<(), ClientError> {
    let definition = json!({
        "id": id,
        "credentialType": credential,
        "attestations": [ATTESTATION],
        "jsonSchema": "{}",
        "format": "vc11-sl2021/jwt",
        "validity": 604_800,
        "mappings": [{"input": "membership", "output": "credentialSubject.membership", "required": true}],
        "rules": [],
    });
    let admin = format!("/api/admin/v1beta/participants/{}", dataspace.issuer_context);
    let path = format!("{admin}/credentialdefinitions");
    governance.create(&format!("definition-{id}"), &path, &definition).await.map(drop)
}

/// Teaches one installation the dataspace: its profile, the meaning of its policies, how members come on board.
pub async fn join(operator: &Client, dataspace: &Dataspace) -> Result<(), ClientError> {
    let profile = json!({
        "name": dataspace.profile,
        "protocol": {
            "version": "2025-1",
            "path": format!("/{}", dataspace.profile),
            "binding": "HTTPS",
            "namespace": "https://w3id.org/dspace/2025/1/",
        },
        "jsonLdContextsUrl": ["https://w3id.org/dspace/2025/1/context.jsonld"],
        "trustedIssuers": [trusted_issuer(dataspace, &[CREDENTIAL])],
    });
    let profile = typed("DataspaceProfile", profile);
    operator.create("profile", "/api/mgmt/v5beta/dataspaceprofiles", &profile).await?;
    let expression = expression(DEFINITION, CREDENTIAL);
    operator.ensure("expression", "/api/mgmt/v5beta/celexpressions", &expression).await?;
    let scope = scope(dataspace, DEFINITION, CREDENTIAL, true);
    operator.create("scope", "/api/mgmt/v5beta/dcpscopes", &scope).await?;
    provisioning(operator, dataspace).await
}

/// The issuer, trusted for these types of credentials.
pub fn trusted_issuer(dataspace: &Dataspace, credentials: &[&str]) -> Value {
    json!({"@type": "TrustedIssuer", "@id": dataspace.issuer, "supportedTypes": credentials})
}

/// What policies mean by the type of a credential.
pub fn expression(id: &str, credential: &str) -> Value {
    let members = json!({
        "@id": id,
        "leftOperand": credential,
        "expression": "ctx.agent.claims.vc.valid().hasCredential(this.leftOperand)",
        "description":
            format!("The counter-party holds a valid {credential} of an issuer that the dataspace trusts"),
        "scopes": ["catalog", "contract.negotiation", "transfer.process"],
        "actions": [],
    });
    typed("CelExpression", members)
}

/// By which counter-parties are asked for a credential: in every request if `everywhere`, else where a policy speaks of
/// it.
pub fn scope(dataspace: &Dataspace, id: &str, credential: &str, everywhere: bool) -> Value {
    let mut members = json!({
        "@id": format!("{id}-{}", dataspace.profile),
        "value": scope_value(credential),
        "profile": dataspace.profile,
        "type": "DEFAULT",
    });
    if !everywhere {
        members["type"] = json!("POLICY");
        members["prefixMapping"] = json!(credential);
    }
    typed("DcpScope", members)
}

/// The DCP scope that lets a counter-party read credentials of a type.
pub fn scope_value(credential: &str) -> String {
    format!("org.eclipse.dspace.dcp.vc.type:{credential}:read")
}

async fn provisioning(operator: &Client, dataspace: &Dataspace) -> Result<(), ClientError> {
    let pm = "/api/pm/v1alpha1";
    // The issuer is administered where it lives; elsewhere the governance body registers holders itself.
    let registers = dataspace.issuer_base == operator.base();
    for (activity, _) in activities(registers) {
        operator.ensure(activity, &format!("{pm}/activity-definitions"), &json!({"type": activity})).await?;
    }
    let template = if registers { TEMPLATE.to_owned() } else { format!("{TEMPLATE}-foreign-issuer") };
    let steps: Vec<Value> = activities(registers)
        .iter()
        .map(|(activity, needs)| json!({"id": activity, "type": activity, "dependsOn": needs}))
        .collect();
    let undo: Vec<Value> =
        activities(registers).iter().map(|(activity, _)| json!({"id": activity, "type": activity})).collect();
    let definition = json!({"id": template, "activities": {DEPLOY: steps, DISPOSE: undo}});
    operator.ensure("template", &format!("{pm}/orchestration-definitions"), &definition).await?;
    cell_and_profile(operator, dataspace).await
}

/// Activity types of the onboarding, each with the ones that it needs.
fn activities(registers: bool) -> Vec<(&'static str, Vec<&'static str>)> {
    let mut list = vec![
        ("edcv-activity", vec![]),
        ("identityhub-activity", vec![]),
        ("dataplane-activity", vec!["edcv-activity"]),
    ];
    let mut needs = vec!["edcv-activity", "identityhub-activity"];
    if registers {
        list.push(("registration-activity", vec![]));
        needs.push("registration-activity");
    }
    list.push(("onboarding-activity", needs));
    list
}

async fn cell_and_profile(operator: &Client, dataspace: &Dataspace) -> Result<(), ClientError> {
    let tm = "/api/tm/v1alpha1";
    let cells = operator.get(&format!("{tm}/cells")).await?;
    let known = cells.as_array().and_then(|cells| cells.iter().find(|cell| cell["state"] == "active"));
    let cell = match known {
        Some(cell) => text_of(cell, "id", "cells")?,
        None => {
            let body =
                json!({"externalId": "local", "state": "active", "stateTimestamp": "2026-01-01T00:00:00Z"});
            text_of(&operator.create("cell", &format!("{tm}/cells"), &body).await?, "id", "cells")?
        }
    };
    let body = json!({
        "dataspaceSpec": {
            "protocolStack": ["dsp-2025-1", "dcp-1.0"],
            "credentialSpecs": [
                {"id": DEFINITION, "type": CREDENTIAL, "issuer": dataspace.issuer, "format": "VC1_0_JWT"},
            ],
        },
        "properties": {"profile": dataspace.profile, "issuerContextId": dataspace.issuer_context},
    });
    let created = operator.create("tm-profile", &format!("{tm}/dataspace-profiles"), &body).await?;
    let id = text_of(&created, "id", "dataspace-profiles")?;
    let deployment = json!({"profileId": id, "cellId": cell});
    operator.create("deployment", &format!("{tm}/dataspace-profiles/{id}/deployments"), &deployment).await?;
    Ok(())
}

/// The Tenant Manager's id of the dataspace on an installation.
pub async fn tm_profile(operator: &Client, dataspace: &Dataspace) -> Result<String, ClientError> {
    let profiles = operator.get("/api/tm/v1alpha1/dataspace-profiles").await?;
    let ours = |profile: &&Value| profile["properties"]["profile"] == dataspace.profile.as_str();
    let found = profiles.as_array().and_then(|profiles| profiles.iter().find(ours)).cloned();
    text_of(&found.unwrap_or_default(), "id", "dataspace-profiles")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_did_names_host_and_port() {
        assert_eq!(did_on("http://127.0.0.1:7979", "a"), "did:web:127.0.0.1%3A7979:a");
        assert_eq!(did_on("https://data.example.org", "a"), "did:web:data.example.org:a");
    }
}
