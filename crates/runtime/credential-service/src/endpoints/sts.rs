//! `POST /api/sts/token`: self-issued tokens for a participant's own software (DCP 1.0, the non-normative secure
//! token service API).
//!
//! Who may ask: an API client of the participant that has the scope `identity-api:sts:write`.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use heddle_auth::{RequiredScope, SelfIssuedError, SelfIssuedTokens, TokenRefusal, endpoints::client_form};
use heddle_ids::ParticipantId;
use heddle_web::reply;
use serde::Serialize;

use crate::{CredentialService, self_issued::TOKEN_LIFETIME};

const REQUIRED: RequiredScope = RequiredScope::write("identity-api", "sts");

/// A token (RFC 6749 §5.1).
#[derive(Serialize)]
struct TokenResponse {
    access_token: String,
    expires_in: u64,
    token_type: &'static str,
}

/// An error (RFC 6749 §5.2).
#[derive(Serialize)]
struct ErrorResponse {
    error: &'static str,
    error_description: String,
}

pub(super) async fn token(
    State(service): State<Arc<CredentialService>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, TokenRefusal> {
    let body =
        body.map_err(|_| TokenRefusal::InvalidRequest("the body cannot be read, or is larger than 16 KiB"))?;
    let text = |name| headers.get(name).map(|value: &HeaderValue| value.to_str().unwrap_or_default());
    let (client, mut fields) = client_form(text(header::CONTENT_TYPE), text(header::AUTHORIZATION), &body)?;
    let clients = service.token_service.as_ref().ok_or(TokenRefusal::InvalidClient)?;
    let scope = clients.participant_of(&client, &REQUIRED).await?;
    let missing = TokenRefusal::InvalidRequest("the parameter 'audience' is missing or no id");
    let audience =
        fields.remove("audience").and_then(|text| ParticipantId::parse(text).ok()).ok_or(missing)?;
    let bearer_scope = fields.remove("bearer_access_scope").unwrap_or_default();
    let bearer_scope: Vec<String> = bearer_scope.split_whitespace().map(str::to_owned).collect();
    let given = fields.remove("token");
    Ok(match service.tokens.token(&scope, &audience, &bearer_scope, given.as_deref()).await {
        Ok(access_token) => {
            let expires_in = TOKEN_LIFETIME.as_secs();
            answer(StatusCode::OK, &TokenResponse { access_token, expires_in, token_type: "Bearer" })
        }
        Err(error) => refused(&error),
    })
}

fn refused(refusal: &SelfIssuedError) -> Response {
    let (status, error) = match refusal {
        SelfIssuedError::Unable { .. } => (StatusCode::BAD_REQUEST, "unauthorized_client"),
        SelfIssuedError::Refused { .. } => (StatusCode::BAD_REQUEST, "invalid_request"),
        SelfIssuedError::Unavailable { .. } => {
            tracing::error!(component = "credential-service", action = "sts", %refusal, "no token was issued");
            return TokenRefusal::Unavailable.into_response();
        }
    };
    answer(status, &ErrorResponse { error, error_description: refusal.to_string() })
}

/// Never stored on the way (RFC 6749 §5.1).
fn answer(status: StatusCode, body: &impl Serialize) -> Response {
    let mut response = reply(status, body);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
