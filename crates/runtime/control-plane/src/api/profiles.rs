//! `/dataspaceprofiles`: the dataspaces that the installation knows.
//!
//! Beside the members of the Management API a profile has `identity` (`dcp` or, in development, `static`) and
//! `strict`.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    routing::{get, post},
};
use heddle_clock::Timestamp;
use heddle_dsp::wire;
use heddle_ids::ProfileName;
use heddle_web::{Management, Path, Rejection, Reply};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    answer::{Outcome, Shown, done, not_found, ok, taken},
    document::{Creation, Described, Document, OptionalDocument},
    guard::{Installation, ProfilesRead, ProfilesWrite},
    query::{QuerySpec, Queryable, select},
};
use crate::{
    ControlPlane,
    model::{DataspaceProfile, IdentityService, ProfileIssuer, ProtocolBinding},
};

const TYPE: &str = "DataspaceProfile";
/// The only binding of the protocol.
const BINDING: &str = "HTTPS";

pub(super) fn routes() -> Router<Arc<ControlPlane>> {
    Router::new()
        .route("/dataspaceprofiles", post(create).put(update))
        .route("/dataspaceprofiles/request", post(query))
        .route("/dataspaceprofiles/{name}", get(show).delete(remove))
}

/// A profile as a client writes it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProfileDocument {
    name: ProfileName,
    protocol: ProtocolBinding,
    #[serde(default)]
    json_ld_contexts_url: Vec<String>,
    #[serde(default)]
    trusted_issuers: Vec<IssuerDocument>,
    #[serde(default)]
    identity: IdentityService,
    #[serde(default)]
    strict: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct IssuerDocument {
    #[serde(rename = "@id")]
    id: String,
    supported_types: Vec<String>,
}

impl Described for ProfileDocument {
    const TYPES: &'static [&'static str] = &[TYPE];
}

impl ProfileDocument {
    fn into_profile(self, plane: &ControlPlane, created_at: Timestamp) -> Result<DataspaceProfile, Rejection> {
        let name = self.name.as_str();
        let legal = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        if name.starts_with('.') || !name.bytes().all(legal) {
            let message = "a profile's name is a segment of a path: letters, digits, '-', '.', '_' and '~'";
            return Err(Rejection::invalid("/name", message));
        }
        let path = format!("/{name}");
        let fixed = [
            ("/protocol/version", self.protocol.version.as_str(), wire::VERSION),
            ("/protocol/binding", self.protocol.binding.as_str(), BINDING),
            ("/protocol/path", self.protocol.path.as_deref().unwrap_or(&path), path.as_str()),
        ];
        if let Some((pointer, is, must)) = fixed.into_iter().find(|(_, is, must)| is != must) {
            return Err(Rejection::invalid(pointer, format!("'{is}' is not supported; it must be '{must}'")));
        }
        if self.identity == IdentityService::Static && !plane.identity.knows_static_peers() {
            let message = "this server has no table for the static identity service, which is for development";
            return Err(Rejection::invalid("/identity", message));
        }
        if let Some(index) = self.trusted_issuers.iter().position(|issuer| issuer.supported_types.is_empty()) {
            let message = "name at least one credential type, or '*' for all";
            return Err(Rejection::invalid(format!("/trustedIssuers/{index}/supportedTypes"), message));
        }
        let issuers = self.trusted_issuers.into_iter();
        let issuers = issuers.map(|one| ProfileIssuer { id: one.id, supported_types: one.supported_types });
        Ok(DataspaceProfile {
            name: self.name,
            protocol: ProtocolBinding { path: Some(path), ..self.protocol },
            contexts: self.json_ld_contexts_url,
            trusted_issuers: issuers.collect(),
            identity: self.identity,
            strict: self.strict,
            created_at,
        })
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProfileBody<'a> {
    name: &'a ProfileName,
    protocol: &'a ProtocolBinding,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    json_ld_contexts_url: &'a [String],
    trusted_issuers: Vec<IssuerBody<'a>>,
    identity: IdentityService,
    strict: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct IssuerBody<'a> {
    #[serde(rename = "@type")]
    kind: &'static str,
    #[serde(rename = "@id")]
    id: &'a str,
    supported_types: &'a [String],
}

/// What a client sees.
pub(super) fn shown(profile: &DataspaceProfile) -> Shown<ProfileBody<'_>> {
    let body = ProfileBody {
        name: &profile.name,
        protocol: &profile.protocol,
        json_ld_contexts_url: &profile.contexts,
        trusted_issuers: profile.trusted_issuers.iter().map(IssuerBody::from).collect(),
        identity: profile.identity,
        strict: profile.strict,
    };
    Shown::new(TYPE, body)
}

impl<'a> From<&'a ProfileIssuer> for IssuerBody<'a> {
    fn from(issuer: &'a ProfileIssuer) -> Self {
        Self { kind: "TrustedIssuer", id: &issuer.id, supported_types: &issuer.supported_types }
    }
}

impl Queryable for DataspaceProfile {
    const PATHS: &'static [&'static str] = &["name", "createdAt", "identity", "protocol."];

    fn at(&self, path: &str) -> Option<Value> {
        match path {
            "name" => Some(self.name.as_str().into()),
            "createdAt" => Some(self.created_at.as_millis().into()),
            "identity" => serde_json::to_value(self.identity).ok(),
            _ => serde_json::to_value(&self.protocol).ok()?.get(path.strip_prefix("protocol.")?).cloned(),
        }
    }
}

async fn create(
    State(plane): State<Arc<ControlPlane>>,
    leave: Installation<ProfilesWrite>,
    Creation(document, idempotency): Creation<ProfileDocument>,
) -> Outcome {
    let mut transaction = plane.store.begin(&leave.scope);
    let key = leave.caller.key();
    if let Some(earlier) = idempotency.earlier(&mut transaction, &key).await? {
        return Ok(earlier);
    }
    let profile = document.into_profile(&plane, transaction.now())?;
    transaction.insert(&profile);
    transaction.publish(profile.published());
    let reply = Reply::json(StatusCode::OK, &shown(&profile));
    let done = idempotency.conclude((&plane.store, &leave.scope), transaction, &key, reply).await;
    Ok(done.map_err(taken(TYPE, profile.name.as_str()))?)
}

async fn update(
    State(plane): State<Arc<ControlPlane>>,
    leave: Installation<ProfilesWrite>,
    Document(document): Document<ProfileDocument>,
) -> Outcome {
    let mut transaction = plane.store.begin(&leave.scope);
    let loaded = transaction.load::<DataspaceProfile>(document.name.as_str()).await?;
    let loaded = loaded.ok_or_else(|| not_found(TYPE, document.name.as_str()))?;
    let next = document.into_profile(&plane, loaded.created_at)?;
    transaction.save(&loaded, &next);
    transaction.publish(next.published());
    transaction.commit().await?;
    Ok(done())
}

async fn query(
    State(plane): State<Arc<ControlPlane>>,
    leave: Installation<ProfilesRead>,
    OptionalDocument(spec): OptionalDocument<QuerySpec>,
) -> Outcome {
    let found = select::<DataspaceProfile>(&mut plane.store.begin(&leave.scope), &spec).await?;
    Ok(ok(&found.iter().map(shown).collect::<Vec<_>>()))
}

async fn show(
    State(plane): State<Arc<ControlPlane>>,
    leave: Installation<ProfilesRead>,
    Path(name, ..): Path<String, Management>,
) -> Outcome {
    let profile = plane.store.begin(&leave.scope).load::<DataspaceProfile>(&name).await?;
    Ok(ok(&shown(profile.ok_or_else(|| not_found(TYPE, &name))?.value())))
}

async fn remove(
    State(plane): State<Arc<ControlPlane>>,
    leave: Installation<ProfilesWrite>,
    Path(name, ..): Path<String, Management>,
) -> Outcome {
    let mut transaction = plane.store.begin(&leave.scope);
    let loaded = transaction.load::<DataspaceProfile>(&name).await?.ok_or_else(|| not_found(TYPE, &name))?;
    transaction.delete(&loaded);
    transaction.withdraw(DataspaceProfile::DIRECTORY, name);
    transaction.commit().await?;
    Ok(done())
}
