//! Dotted paths into claims, such as `onboarding.signedDocuments`.

use serde_json::{Map, Value};

/// Most levels of a path.
pub(super) const LEVELS_MAX: usize = 16;

/// Whether a text is a path: segments that are not empty, not too many.
pub(super) fn is_path(text: &str) -> bool {
    !text.split('.').any(str::is_empty) && text.split('.').count() <= LEVELS_MAX
}

/// What a path leads to. A member whose whole name is the path comes first: claims are often flat.
pub(super) fn at<'a>(claims: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    if let Some(value) = claims.get(path) {
        return Some(value);
    }
    let (first, rest) = path.split_once('.')?;
    at(claims.get(first)?.as_object()?, rest)
}

/// Puts a value where a path leads, over whatever is there.
pub(super) fn put(claims: &mut Map<String, Value>, path: &str, value: Value) {
    let Some((first, rest)) = path.split_once('.') else {
        claims.insert(path.to_owned(), value);
        return;
    };
    let next = claims.entry(first).or_insert_with(|| Value::Object(Map::new()));
    if !next.is_object() {
        *next = Value::Object(Map::new());
    }
    if let Value::Object(members) = next {
        put(members, rest, value);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_finds_nested_and_flat_members() {
        let claims = json!({"a": {"b": {"c": 1}, "b.d": 2}, "x.y": 3, "t": "text"});
        let claims = claims.as_object().expect("an object");
        for (path, found) in
            [("a.b.c", Some(1)), ("a.b.d", Some(2)), ("x.y", Some(3)), ("a.c", None), ("t.b", None)]
        {
            assert_eq!(at(claims, path).and_then(Value::as_i64), found, "{path}");
        }
    }

    #[test]
    fn a_value_is_put_where_the_path_leads() {
        let mut claims = Map::new();
        put(&mut claims, "a.b", json!(1));
        put(&mut claims, "a.c", json!(2));
        put(&mut claims, "a.b.d", json!(3));
        assert_eq!(Value::Object(claims), json!({"a": {"b": {"d": 3}, "c": 2}}));
    }

    #[test]
    fn texts_that_are_no_paths() {
        assert!(is_path("a.b-c"));
        for bad in ["", ".", "a.", ".a", "a..b", &["x"; LEVELS_MAX + 1].join(".")] {
            assert!(!is_path(bad), "{bad}");
        }
    }
}
