//! From what is attested to what the credential says.

use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::{Map, Value};

use super::path;

/// Where a mapping may lead to.
const SUBJECT: &str = "credentialSubject.";
/// The one place that no mapping fills: the subject is the holder, whatever is attested.
const SUBJECT_ID: &str = "credentialSubject.id";

/// One claim on its way into the credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mapping {
    /// A path into the attested claims.
    pub(crate) input: String,
    /// A path that begins with `credentialSubject`.
    pub(crate) output: String,
    /// Whether there is no credential without it.
    #[serde(default, deserialize_with = "flag")]
    pub(crate) required: bool,
}

/// `true`, `false`, or one of these as text, as deployed clients write it.
fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Bool(flag) => Ok(flag),
        Value::String(text) if text == "true" => Ok(true),
        Value::String(text) if text == "false" => Ok(false),
        _ => Err(de::Error::custom("expected true or false")),
    }
}

impl Mapping {
    /// Refuses paths that mean nothing: the member and what was expected of it.
    pub(crate) fn check(&self) -> Result<(), (&'static str, &'static str)> {
        if !path::is_path(&self.input) {
            return Err(("input", "expected a path into the claims, such as membership.level"));
        }
        let inner = self.output.strip_prefix(SUBJECT);
        if !inner.is_some_and(path::is_path) {
            return Err((
                "output",
                "expected a path that begins with credentialSubject, such as credentialSubject.level",
            ));
        }
        Ok(())
    }
}

/// What a credential says of its subject; else the input that is required and not there.
pub(crate) fn subject_of(
    mappings: &[Mapping],
    claims: &Map<String, Value>,
) -> Result<Map<String, Value>, String> {
    let mut subject = Map::new();
    for mapping in mappings.iter().filter(|mapping| mapping.output != SUBJECT_ID) {
        match (path::at(claims, &mapping.input), mapping.output.strip_prefix(SUBJECT)) {
            (Some(value), Some(output)) => path::put(&mut subject, output, value.clone()),
            _ if mapping.required => return Err(mapping.input.clone()),
            _ => {}
        }
    }
    Ok(subject)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn mapping(input: &str, output: &str, required: bool) -> Mapping {
        Mapping { input: input.to_owned(), output: output.to_owned(), required }
    }

    #[test]
    fn claims_go_where_the_mappings_say_and_nowhere_else() {
        let claims = json!({"level": "gold", "secret": 1, "id": "did:web:mallory"});
        let mappings = [
            mapping("level", "credentialSubject.membership.level", true),
            mapping("since", "credentialSubject.since", false),
            mapping("id", "credentialSubject.id", true),
        ];
        let subject = subject_of(&mappings, claims.as_object().expect("an object")).expect("all there");
        assert_eq!(Value::Object(subject), json!({"membership": {"level": "gold"}}));
    }

    #[test]
    fn a_required_claim_that_is_missing_stops_the_credential() {
        let mappings = [mapping("level", "credentialSubject.level", true)];
        assert_eq!(subject_of(&mappings, &Map::new()), Err("level".to_owned()));
        let optional = [mapping("level", "credentialSubject.level", false)];
        assert_eq!(subject_of(&optional, &Map::new()), Ok(Map::new()));
    }

    #[test]
    fn a_mapping_stays_within_the_subject() {
        assert!(mapping("a", "credentialSubject.a.b", true).check().is_ok());
        for (input, output) in [
            ("", "credentialSubject.a"),
            ("a", "issuer"),
            ("a", "credentialSubject"),
            ("a", "credentialSubject."),
        ] {
            assert!(mapping(input, output, true).check().is_err(), "{input} {output}");
        }
    }

    #[test]
    fn required_may_be_written_as_text() {
        let read = |text: &str| {
            let json = format!(r#"{{"input":"a","output":"credentialSubject.a","required":{text}}}"#);
            serde_json::from_str::<Mapping>(&json).map(|mapping| mapping.required).ok()
        };
        assert_eq!(
            (read("true"), read("\"true\""), read("\"false\"")),
            (Some(true), Some(true), Some(false))
        );
        assert_eq!((read("1"), read("\"yes\"")), (None, None));
    }
}
