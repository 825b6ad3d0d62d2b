//! Dataspace profiles as documents (Management API, schema `dataspace-profile`).

use heddle_clock::Timestamp;
use heddle_dsp::wire;
use heddle_ids::ProfileName;
use heddle_web::Rejection;
use serde::{Deserialize, Serialize};

use super::TYPE;
use crate::{
    ControlPlane,
    api::{answer::Shown, document::Described, query::Queryable},
    model::{DataspaceProfile, IdentityService, ProfileIssuer, ProtocolBinding},
};

/// The only binding of the protocol.
const BINDING: &str = "HTTPS";

/// A profile as a client writes it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProfileDocument {
    pub(super) name: ProfileName,
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
    /// The profile, if this server can work in it.
    pub(super) fn into_profile(
        self,
        plane: &ControlPlane,
        created_at: Timestamp,
    ) -> Result<DataspaceProfile, Rejection> {
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
            let message =
                "this server has no table for the static identity service, which is for development";
            return Err(Rejection::invalid("/identity", message));
        }
        if let Some(index) = self.trusted_issuers.iter().position(|issuer| issuer.supported_types.is_empty())
        {
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

/// A profile as it is shown.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct ProfileBody<'a> {
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
pub(in crate::api) fn shown(profile: &DataspaceProfile) -> Shown<ProfileBody<'_>> {
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
}
