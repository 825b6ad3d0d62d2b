//! Finds secrets in a line: those that are known, and whatever looks like one.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};

/// Shorter secrets would be found by chance.
const KNOWN_CHARS_MIN: usize = 10;
/// What 32 random bytes are in Base64url: a generated client secret.
const OPAQUE_CHARS: usize = 43;
/// What the tokens that open flows begin with.
const FLOW_TOKEN: &str = "hdl_dp_";

/// Whether a line has something of a shape.
type Shape = fn(&str) -> bool;

/// What secrets look like that nobody has told.
const SHAPES: [(&str, Shape); 6] = [
    ("something like a JWT", has_jwt),
    ("an Authorization value", has_authorization),
    ("a private key", has_private_key),
    ("a form or JSON member that is a secret", has_secret_member),
    ("a token that opens a flow", has_flow_token),
    ("something like a generated secret", has_opaque),
];

/// Knows secrets.
#[derive(Default)]
pub struct Scanner {
    known: Vec<(String, String)>,
}

impl Scanner {
    /// Also looks for this text.
    pub fn know(&mut self, name: &str, secret: &str) {
        assert!(secret.len() >= KNOWN_CHARS_MIN, "{name} is too short to be found");
        self.known.push((name.to_owned(), secret.to_owned()));
    }

    /// Also looks for these bytes, in every usual spelling.
    pub fn know_bytes(&mut self, name: &str, secret: &[u8]) {
        let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        self.know(name, &hex.to_uppercase());
        self.know(name, &hex);
        for base64 in [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD] {
            self.know(name, &base64.encode(secret));
        }
        self.know(name, &format!("{secret:?}"));
        if let Ok(text) = std::str::from_utf8(secret) {
            self.know(name, text);
        }
    }

    /// What a line gives away. The line comes along, its secrets with it: whoever reads this looks for the leak.
    pub fn scan(&self, line: &str) -> Vec<String> {
        let known =
            self.known.iter().filter(|(_, secret)| line.contains(secret)).map(|(name, _)| name.as_str());
        let shaped = SHAPES.into_iter().filter(|(_, is_in)| is_in(line)).map(|(name, _)| name);
        known.chain(shaped).map(|name| format!("{name}: {line}")).collect()
    }
}

fn is_base64url(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

/// Three parts with dots between them, of which the first is a JSON object in Base64url.
fn has_jwt(line: &str) -> bool {
    line.match_indices("eyJ").any(|(at, _)| {
        let mut parts = line[at..].split('.');
        let whole = |part: Option<&str>, chars_min: usize| {
            part.is_some_and(|part| part.len() >= chars_min && part.chars().all(is_base64url))
        };
        whole(parts.next(), 13) && whole(parts.next(), 1) && parts.next().is_some()
    })
}

fn has_authorization(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    ["bearer ", "basic "].iter().any(|scheme| {
        line.match_indices(scheme).any(|(at, _)| {
            let value =
                line[at + scheme.len()..].chars().take_while(|c| is_base64url(*c) || *c == '.').count();
            value >= 8
        })
    })
}

fn has_private_key(line: &str) -> bool {
    let plain = line.replace(['\\', ' '], "");
    plain.contains("PRIVATEKEY") || plain.contains("\"d\":\"")
}

fn has_secret_member(line: &str) -> bool {
    let plain = line.replace(['\\', ' '], "");
    ["client_secret=", "clientSecret\":\"", "client_secret\":\"", "access_token\":\"", "authorization\":\""]
        .iter()
        .any(|member| plain.contains(member))
}

fn has_flow_token(line: &str) -> bool {
    line.contains(FLOW_TOKEN)
}

fn has_opaque(line: &str) -> bool {
    line.split(|c| !is_base64url(c)).any(|word| {
        let has = |test: fn(&char) -> bool| word.chars().any(|c| test(&c));
        word.len() == OPAQUE_CHARS
            && has(char::is_ascii_uppercase)
            && has(char::is_ascii_lowercase)
            && has(char::is_ascii_digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_secret_is_found_where_it_is_planted() {
        let mut scanner = Scanner::default();
        scanner.know("a password", "correct-horse-battery");
        let key: Vec<u8> = (100..132).collect();
        scanner.know_bytes("the master key", &key);
        let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        let opaque = URL_SAFE_NO_PAD.encode([0xA7; 30]);
        for planted in [
            "correct-horse-battery".to_owned(),
            hex.to_uppercase(),
            hex,
            STANDARD.encode(&key),
            URL_SAFE_NO_PAD.encode(&key),
            format!("{key:?}"),
            "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln".to_owned(),
            "Authorization: Bearer abcdefgh12".to_owned(),
            "authorization: bearer ABCDEFGH12".to_owned(),
            "Basic dXNlcjpwYXNz".to_owned(),
            "-----BEGIN PRIVATE KEY-----".to_owned(),
            "-----BEGIN EC PRIVATE KEY-----".to_owned(),
            "{\\\"crv\\\":\\\"P-256\\\",\\\"d\\\": \\\"abc\\\"}".to_owned(),
            "grant_type=client_credentials&client_secret=x".to_owned(),
            "{\\\"clientSecret\\\": \\\"x\\\"}".to_owned(),
            format!("{opaque}A1b"),
            "hdl_dp_abc".to_owned(),
        ] {
            let line = format!("{{\"level\":\"INFO\",\"message\":\"before {planted} behind\"}}");
            assert!(!scanner.scan(&line).is_empty(), "{planted}");
        }
    }

    #[test]
    fn what_is_no_secret_is_left_alone() {
        let mut scanner = Scanner::default();
        scanner.know("a password", "correct-horse-battery");
        for line in [
            "{\"trace_id\":\"4bf92f3577b34da6a3ce929d0e0e4736\",\"message\":\"the token was used before\"}",
            "the request has no Authorization header; expected a bearer token",
            "did:web:127.0.0.1%3A7979:provider-0123456789 urn:uuid:0197a1b2-0000-7000-8000-000000000000",
            "eyJhbGciOiJFUzI1NiJ9 alone",
        ] {
            assert_eq!(scanner.scan(line), Vec::<String>::new());
        }
    }
}
