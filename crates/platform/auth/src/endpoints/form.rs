//! Requests to the token endpoint as they come over the wire (RFC 6749 §2.3.1, §4.4.2).

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use heddle_vault::Secret;
use url::form_urlencoded;

use crate::{ClientAuthentication, TokenRefusal, TokenRequest};

const FORM: &str = "application/x-www-form-urlencoded";

/// Reads a request of the token endpoint.
pub(super) fn token_request(
    content_type: Option<&str>,
    authorization: Option<&str>,
    body: &[u8],
) -> Result<TokenRequest, TokenRefusal> {
    let (client, mut fields) = client_form(content_type, authorization, body)?;
    Ok(TokenRequest { client, scope: fields.remove("scope") })
}

/// Reads the form of any token endpoint for client credentials: who asks, and the other parameters. The client
/// authenticates by header or by form, and by one of them alone.
///
/// # Errors
/// [`TokenRefusal::InvalidRequest`], [`TokenRefusal::InvalidClient`], [`TokenRefusal::UnsupportedGrantType`].
pub fn client_form(
    content_type: Option<&str>,
    authorization: Option<&str>,
    body: &[u8],
) -> Result<(ClientAuthentication, BTreeMap<String, String>), TokenRefusal> {
    let media_type = content_type.and_then(|value| value.split(';').next()).unwrap_or_default();
    if !media_type.trim().eq_ignore_ascii_case(FORM) {
        return Err(TokenRefusal::InvalidRequest("the body must be application/x-www-form-urlencoded"));
    }
    let mut fields = fields(body)?;
    let grant = fields.remove("grant_type");
    let grant = grant.ok_or(TokenRefusal::InvalidRequest("the parameter grant_type is missing"))?;
    if grant != "client_credentials" {
        return Err(TokenRefusal::UnsupportedGrantType);
    }
    let by_form = (fields.remove("client_id"), fields.remove("client_secret"));
    let client = match (authorization, by_form) {
        (Some(header), (id, None)) => {
            let client = basic(header).ok_or(TokenRefusal::InvalidClient)?;
            if id.is_some_and(|id| id != client.client_id) {
                return Err(TokenRefusal::InvalidRequest("the header and the body name different clients"));
            }
            client
        }
        (Some(_), (_, Some(_))) => {
            return Err(TokenRefusal::InvalidRequest("the client must authenticate in one way, not in two"));
        }
        (None, (Some(client_id), Some(secret))) => {
            ClientAuthentication { client_id, client_secret: Secret::from_text(secret) }
        }
        (None, _) => return Err(TokenRefusal::InvalidClient),
    };
    Ok((client, fields))
}

/// The parameters; one that comes twice is an error (RFC 6749 §3.2), an unknown one is ignored.
fn fields(body: &[u8]) -> Result<BTreeMap<String, String>, TokenRefusal> {
    let mut fields = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(body) {
        if fields.insert(name.into_owned(), value.into_owned()).is_some() {
            return Err(TokenRefusal::InvalidRequest("a parameter comes more than once"));
        }
    }
    Ok(fields)
}

/// `client_secret_basic`: both parts are form-encoded before they are joined.
fn basic(header: &str) -> Option<ClientAuthentication> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    let client_secret = Secret::from_text(decoded(secret)?);
    Some(ClientAuthentication { client_id: decoded(id)?, client_secret })
}

/// A form-encoded text that is one value.
fn decoded(text: &str) -> Option<String> {
    if text.contains(['&', '=']) {
        // Not encoded by the client; such characters are unambiguous here.
        return Some(text.to_owned());
    }
    form_urlencoded::parse(text.as_bytes()).next().map(|(value, _)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(authorization: Option<&str>, body: &str) -> Result<TokenRequest, TokenRefusal> {
        token_request(
            Some("application/x-www-form-urlencoded; charset=UTF-8"),
            authorization,
            body.as_bytes(),
        )
    }

    fn basic_header(text: &str) -> String {
        format!("Basic {}", STANDARD.encode(text))
    }

    #[test]
    fn both_ways_to_authenticate_mean_the_same() {
        let by_form =
            read(None, "grant_type=client_credentials&client_id=a%3Ab&client_secret=s%2B1&scope=x%3Aread");
        let header = basic_header("a%3Ab:s%2B1");
        let by_header = read(Some(&header), "grant_type=client_credentials&scope=x:read");
        let request = by_form.expect("legal");
        assert_eq!(request.client.client_id, "a:b");
        assert_eq!(request.client.client_secret, Secret::from_text("s+1".to_owned()));
        assert_eq!(request.scope.as_deref(), Some("x:read"));
        assert_eq!(by_header.expect("legal"), request);
    }

    #[test]
    fn what_is_ambiguous_or_incomplete_is_refused() {
        let header = basic_header("a:s");
        let grant = "grant_type=client_credentials";
        let invalid = |result: Result<TokenRequest, TokenRefusal>| {
            matches!(result, Err(TokenRefusal::InvalidRequest(_)))
        };
        assert!(invalid(read(Some(&header), "")));
        assert!(invalid(read(Some(&header), &format!("{grant}&{grant}"))));
        assert!(invalid(read(Some(&header), &format!("{grant}&client_id=a&client_secret=s"))));
        assert!(invalid(read(Some(&header), &format!("{grant}&client_id=b"))));
        assert!(invalid(token_request(Some("application/json"), Some(&header), grant.as_bytes())));
        assert!(read(Some(&header), &format!("{grant}&client_id=a")).is_ok());
        assert_eq!(read(Some(&header), "grant_type=password"), Err(TokenRefusal::UnsupportedGrantType));
        for header in [None, Some("Bearer x"), Some("Basic"), Some("Basic !!"), Some("Basic YQ==")] {
            assert_eq!(read(header, grant), Err(TokenRefusal::InvalidClient), "{header:?}");
        }
    }
}
