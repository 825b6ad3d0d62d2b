//! `GET /statuslist/{id}`: a status list credential, signed, or as plain JSON for a person. Open to everybody.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use heddle_credentials::status::STATUS_CREDENTIAL_BYTES_MAX;
use heddle_ids::StatusListId;
use heddle_jose::Token;
use heddle_web::{Kind, Path, Plain, PlainProblem, Refused, Rejection, reply};

use crate::{
    IssuerService,
    status_list::{PublishedList, STATUS_LIST},
};

const JWT: HeaderValue = HeaderValue::from_static("application/vc+jwt");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// Nobody uses a list without asking whether it is still the newest: a revocation counts at once.
const CACHE: HeaderValue = HeaderValue::from_static("no-cache");

/// What a client wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Signed,
    Plain,
}

pub(super) async fn show(
    State(service): State<Arc<IssuerService>>,
    Path(id, ..): Path<StatusListId, Plain>,
    headers: HeaderMap,
) -> Result<Response, Refused<Plain>> {
    let unknown = || Rejection::new(Kind::NotFound, "There is no such status list.");
    let row = service.parts.store.lookup(STATUS_LIST, id.as_str()).await?.ok_or_else(unknown)?;
    let Some(form) = form(&headers) else { return Ok(not_acceptable()) };
    let list: PublishedList = row.value()?;
    let (media_type, body) = match form {
        Form::Signed => (JWT, list.jwt),
        Form::Plain => (JSON, plain(&list)?),
    };
    let headers = [
        (header::CONTENT_TYPE, media_type),
        (header::CACHE_CONTROL, CACHE),
        (header::VARY, HeaderValue::from_static("accept")),
    ];
    Ok((StatusCode::OK, headers, body).into_response())
}

/// The first form in the order of preference here that the client takes; quality values are not weighed.
fn form(headers: &HeaderMap) -> Option<Form> {
    let mut accepted = headers.get_all(header::ACCEPT).iter().peekable();
    if accepted.peek().is_none() {
        return Some(Form::Signed);
    }
    let texts: Vec<&str> = accepted.filter_map(|value| value.to_str().ok()).collect();
    let named = |wanted: &[&str]| {
        texts.iter().flat_map(|text| text.split(',')).any(|range| {
            let essence = range.split(';').next().unwrap_or_default().trim();
            wanted.iter().any(|name| essence.eq_ignore_ascii_case(name))
        })
    };
    if named(&["application/vc+jwt", "*/*", "application/*"]) {
        Some(Form::Signed)
    } else if named(&["application/json"]) {
        Some(Form::Plain)
    } else {
        None
    }
}

fn plain(list: &PublishedList) -> Result<String, Rejection> {
    let token = Token::parse_bounded(&list.jwt, STATUS_CREDENTIAL_BYTES_MAX);
    let token = token.map_err(|error| Rejection::internal(&error))?;
    let credential = token.claims_unverified().get("vc");
    credential.map(ToString::to_string).ok_or_else(|| Rejection::internal(&"a status list has no 'vc'"))
}

fn not_acceptable() -> Response {
    let status = StatusCode::NOT_ACCEPTABLE;
    let detail = "A status list is application/vc+jwt or application/json.".to_owned();
    reply(status, &PlainProblem { title: "Not Acceptable", status: status.as_u16(), detail })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signed_list_unless_the_client_wants_json() {
        let form = |accept: &'static str| {
            form(&HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]))
        };
        assert_eq!(super::form(&HeaderMap::new()), Some(Form::Signed));
        for signed in ["*/*", "application/vc+jwt", "application/json, */*;q=0.1", "Application/VC+JWT; q=1"]
        {
            assert_eq!(form(signed), Some(Form::Signed), "{signed}");
        }
        assert_eq!(form("application/json"), Some(Form::Plain));
        for neither in ["text/html", "application/xml, text/plain", ""] {
            assert_eq!(form(neither), None, "{neither}");
        }
    }
}
