//! Finding what a request proves itself with. Whether the proof is good is judged elsewhere.

use http::{HeaderMap, header};

use crate::{Kind, Rejection};

/// Longest bearer token that is looked at, in bytes. A self-issued token carries an access token inside.
pub const BEARER_BYTES_MAX: usize = 32 * 1024;

/// The value of the only `Authorization` header, whatever its scheme.
///
/// None, several, or one that is no visible ASCII is [`Kind::Unauthorized`].
pub fn authorization(headers: &HeaderMap) -> Result<&str, Rejection> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (first, second) = (values.next(), values.next());
    match (first, second) {
        (None, _) => Err(unauthorized("The request has no Authorization header.")),
        (Some(_), Some(_)) => Err(unauthorized("The request has several Authorization headers.")),
        (Some(value), None) if value.len() > BEARER_BYTES_MAX + "Bearer ".len() => {
            Err(unauthorized("The Authorization header is too long."))
        }
        (Some(value), None) => value
            .to_str()
            .map_err(|_| unauthorized("The Authorization header has characters that no token has.")),
    }
}

/// The bearer token of the only `Authorization` header (RFC 6750 §2.1); the scheme's case does not matter.
pub fn bearer_token(headers: &HeaderMap) -> Result<&str, Rejection> {
    let value = authorization(headers)?;
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    let token = token.trim_start_matches(' ');
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(unauthorized("The Authorization header must be of the form 'Bearer <token>'."));
    }
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    if token.is_empty() || !token.bytes().all(legal) {
        return Err(unauthorized("The Authorization header holds no bearer token."));
    }
    Ok(token)
}

fn unauthorized(message: &str) -> Rejection {
    Rejection::new(Kind::Unauthorized, message)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        let value = |text: &&str| (header::AUTHORIZATION, HeaderValue::from_str(text).expect("a value"));
        values.iter().map(value).collect()
    }

    #[test]
    fn a_token_is_found() {
        for value in ["Bearer a.b-c_d~e+f/g==", "bearer a.b-c_d~e+f/g==", "BEARER   a.b-c_d~e+f/g=="] {
            assert_eq!(bearer_token(&headers(&[value])).ok(), Some("a.b-c_d~e+f/g=="), "{value}");
        }
        let longest = "x".repeat(BEARER_BYTES_MAX);
        assert!(bearer_token(&headers(&[&format!("Bearer {longest}")])).is_ok());
    }

    #[test]
    fn everything_else_is_unauthorized_and_not_repeated() {
        let long = format!("Bearer {}", "x".repeat(BEARER_BYTES_MAX + 1));
        for values in [
            &[][..],
            &["Bearer a", "Bearer a"],
            &["Basic YTpi"],
            &["Bearer"],
            &["Bearer "],
            &["Bearer a b"],
            &["Bearer a,b"],
            &["Bearera"],
            &["secret"],
            &[long.as_str()],
        ] {
            let map = headers(values);
            let rejection = bearer_token(&map).expect_err("refused");
            assert_eq!(rejection.kind, Kind::Unauthorized, "{values:?}");
            assert!(!rejection.message.contains("secret"), "{rejection}");
        }
        assert_eq!(authorization(&headers(&["secret"])).ok(), Some("secret"), "any scheme");
    }
}
