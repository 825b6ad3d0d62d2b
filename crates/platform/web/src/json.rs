//! JSON text to typed values, with errors that say where and what was expected.

use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

use crate::{Kind, Rejection};

/// Deepest nesting of arrays and objects that is accepted.
pub const DEPTH_MAX: usize = 64;

/// Parses `text`: UTF-8, at most [`DEPTH_MAX`] levels deep, nothing after the value.
///
/// A text that is no JSON is [`Kind::Malformed`]; JSON of another shape is [`Kind::Invalid`] with a pointer.
pub fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<T, Rejection> {
    check(text)?;
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let inner = error.inner();
        match inner.classify() {
            serde_json::error::Category::Data => Rejection::invalid(pointer(error.path()), sentence(inner)),
            _ => Rejection::new(Kind::Malformed, format!("The body is not JSON: {inner}.")),
        }
    })?;
    deserializer
        .end()
        .map_err(|error| Rejection::new(Kind::Malformed, format!("The body is not JSON: {error}.")))?;
    Ok(value)
}

/// As [`parse`], for a text that must be an object: serde takes an array for a struct, member by member.
pub(crate) fn object<T: DeserializeOwned>(text: &[u8]) -> Result<T, Rejection> {
    if text.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
        check(text)?;
        return Err(Rejection::invalid("", "expected an object, not an array"));
    }
    parse(text)
}

/// What can be said without a shape: UTF-8, not empty, not too deep.
pub(crate) fn check(text: &[u8]) -> Result<(), Rejection> {
    let malformed = |message: String| Err(Rejection::new(Kind::Malformed, message));
    if text.iter().all(u8::is_ascii_whitespace) {
        return malformed("The body is empty; a JSON value was expected.".to_owned());
    }
    if let Err(error) = std::str::from_utf8(text) {
        return malformed(format!("The body is not UTF-8: byte {} is wrong.", error.valid_up_to()));
    }
    if depth(text) > DEPTH_MAX {
        return malformed(format!("The body is nested more than {DEPTH_MAX} levels deep."));
    }
    Ok(())
}

/// The deepest nesting. Counts brackets outside strings, so it is right for JSON and harmless for all else.
fn depth(text: &[u8]) -> usize {
    let (mut now, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in text {
        match (in_string, byte) {
            _ if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_string = !in_string,
            (false, b'{' | b'[') => {
                now += 1;
                deepest = deepest.max(now);
            }
            (false, b'}' | b']') => now = now.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// A JSON pointer (RFC 6901 §3).
fn pointer(path: &serde_path_to_error::Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => {
                pointer.push('/');
                pointer.push_str(&index.to_string());
            }
            Segment::Map { key } => {
                pointer.push('/');
                pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
            }
            // A variant is no level of the text.
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

/// serde's message without the place in the text, which the pointer tells better.
fn sentence(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let end = text.rfind(" at line ").unwrap_or(text.len());
    text[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Outer {
        #[expect(dead_code, reason = "only its type matters")]
        list: Vec<Inner>,
    }

    #[derive(Debug, Deserialize)]
    struct Inner {
        #[serde(rename = "a/b~c")]
        #[expect(dead_code, reason = "only its type matters")]
        number: u8,
    }

    fn rejected(text: &[u8]) -> Rejection {
        parse::<Outer>(text).expect_err("refused")
    }

    #[test]
    fn the_pointer_leads_to_the_fault() {
        let rejection = rejected(br#"{"list":[{"a/b~c":1},{"a/b~c":"x"}]}"#);
        assert_eq!(rejection.pointer.as_deref(), Some("/list/1/a~1b~0c"));
        assert_eq!(rejection.message, "invalid type: string \"x\", expected u8");
        let rejection = rejected(br#"{"list":[{}]}"#);
        assert_eq!(rejection.pointer.as_deref(), Some("/list/0"));
        assert_eq!(rejection.message, "missing field `a/b~c`");
        assert_eq!(rejected(b"1").pointer.as_deref(), Some(""));
    }

    #[test]
    fn an_array_does_not_stand_for_an_object() {
        assert!(parse::<Outer>(b"[[]]").is_ok(), "serde alone takes it");
        let rejection = object::<Outer>(b" [[]]").expect_err("refused");
        assert_eq!(rejection.kind, Kind::Invalid);
        assert!(object::<Outer>(b" {\"list\":[]}").is_ok());
    }

    #[test]
    fn a_text_that_is_no_json_is_malformed() {
        for text in [&b""[..], b" \n", b"{", b"{\"list\":[]} x", b"\xff\xfe", b"{\"list\":\"\xff\"}", b"nul"]
        {
            assert_eq!(rejected(text).kind, Kind::Malformed, "{text:?}");
        }
        assert!(parse::<Outer>(b" {\"list\":[]} \n").is_ok());
    }

    #[test]
    fn depth_is_bounded_and_brackets_in_strings_do_not_count() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(parse::<serde_json::Value>(nested(DEPTH_MAX).as_bytes()).is_ok());
        let rejection = parse::<serde_json::Value>(nested(DEPTH_MAX + 1).as_bytes()).expect_err("too deep");
        assert!(rejection.message.contains("64"), "{rejection}");
        let text = format!("\"\\\"{}\"", "[".repeat(1000));
        assert!(parse::<serde_json::Value>(text.as_bytes()).is_ok());
    }
}
