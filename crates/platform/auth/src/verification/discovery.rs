//! Asking an identity provider for its keys: at its JWKS URL (RFC 7517 §5), or where it says that they are
//! (`OpenID` Connect Discovery 1.0 §4, RFC 8414 §3).

use std::time::Duration;

use heddle_jose::JwkSet;
use heddle_outbound::{Outbound, OutboundError, Request};
use serde::Deserialize;

/// Longest wait for an answer. Requests wait for it.
const ANSWER_WAIT: Duration = Duration::from_secs(4);
/// Largest key set, and largest description of a provider, in bytes.
const BODY_BYTES_MAX: usize = 256 * 1024;

/// A provider, and the client that it is reached by.
pub(super) struct Provider {
    pub(super) place: Place,
    pub(super) outbound: Outbound,
}

/// Where the keys are.
#[derive(Debug)]
pub(super) enum Place {
    /// At this URL.
    Url(String),
    /// Where the provider of this name says; asked anew with the keys.
    Issuer(String),
}

/// What a provider says of itself.
#[derive(Deserialize)]
struct Description {
    issuer: String,
    jwks_uri: String,
}

/// Why no keys were fetched.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    #[error("'{asked}' describes itself as '{issuer}'; tokens name the issuer byte by byte")]
    Issuer { asked: String, issuer: String },
}

impl Provider {
    /// Asks for the keys.
    pub(super) async fn keys(&self) -> Result<JwkSet, Failure> {
        let url = match &self.place {
            Place::Url(url) => url.clone(),
            Place::Issuer(issuer) => self.described(issuer).await?,
        };
        Ok(self.get(&url).await?.json()?)
    }

    async fn described(&self, issuer: &str) -> Result<String, Failure> {
        let base = issuer.trim_end_matches('/');
        let answer = match self.get(&format!("{base}/.well-known/openid-configuration")).await {
            // An authorization server that knows no users; RFC 8414 puts the path behind the well-known part.
            Err(error) if error.status().is_some_and(|status| status.as_u16() == 404) => {
                self.get(&metadata_url(base).ok_or(error)?).await?
            }
            answer => answer?,
        };
        let description: Description = answer.json()?;
        if description.issuer != issuer {
            return Err(Failure::Issuer { asked: issuer.to_owned(), issuer: description.issuer });
        }
        Ok(description.jwks_uri)
    }

    async fn get(&self, url: &str) -> Result<heddle_outbound::Response, OutboundError> {
        let request = Request::get(url).accept("application/json").body_bytes_max(BODY_BYTES_MAX);
        self.outbound.send(request.timeout(ANSWER_WAIT)).await
    }
}

/// Where RFC 8414 §3.1 puts the description of an issuer with a path.
fn metadata_url(issuer: &str) -> Option<String> {
    let url = url::Url::parse(issuer).ok()?;
    let origin = url.origin().ascii_serialization();
    Some(format!("{origin}/.well-known/oauth-authorization-server{}", url.path().trim_end_matches('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_description_of_an_issuer_with_a_path_lies_behind_the_well_known_part() {
        let url = metadata_url("https://id.example/realms/a/").expect("a URL");
        assert_eq!(url, "https://id.example/.well-known/oauth-authorization-server/realms/a");
        let url = metadata_url("https://id.example").expect("a URL");
        assert_eq!(url, "https://id.example/.well-known/oauth-authorization-server");
    }
}
