//! What can be made of a real token by somebody who has no key: the two oldest forgeries.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use heddle_jose::{Algorithm, Header, SoftwareKey, sign_compact};
use serde_json::{Value, json};

/// The same claims, which no key vouches for (RFC 7519 §6).
pub fn unsigned(token: &str) -> String {
    let (mut header, claims) = parts(token);
    header["alg"] = json!("none");
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.", encode(&header), encode(&claims))
}

/// The same header and claims, signed with a key that nobody knows.
pub fn signed_by_another(token: &str) -> String {
    let (header, claims) = parts(token);
    let text = |name: &str| header[name].as_str();
    let algorithm = Algorithm::parse(text("alg").expect("an algorithm")).expect("a known one");
    let key = SoftwareKey::generate(algorithm).expect("entropy");
    let mut forged = Header::jwt(algorithm, text("kid").unwrap_or_default());
    forged.kid = text("kid").map(str::to_owned);
    forged.typ = text("typ").map(str::to_owned);
    sign_compact(&key, forged, &claims).expect("it signs")
}

fn parts(token: &str) -> (Value, Value) {
    let read = |part: &str| {
        let bytes = URL_SAFE_NO_PAD.decode(part).expect("base64url");
        serde_json::from_slice(&bytes).expect("JSON")
    };
    let mut parts = token.split('.');
    (read(parts.next().expect("a header")), read(parts.next().expect("claims")))
}
