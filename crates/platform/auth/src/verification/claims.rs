//! Which claims of an issuer's tokens say who and what: every provider has names of its own.

use heddle_ids::{ClientId, ParticipantContextId, TenantId};
use heddle_jose::JoseError;
use serde_json::{Map, Value};

use crate::{
    Role,
    principal::{PrincipalClaims, Subject},
};

/// The names of the claims of an issuer. A name is that of a member of the payload or, where there is none of this
/// name, a path of members separated by dots, such as `realm_access.roles`.
///
/// The default is that of both dialects: `role`, `participant_context_id` or `sub`, `tenant_id`, `scope`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimNames {
    /// The role: a text, or a list of texts of which at most one is a role.
    pub role: String,
    /// What the issuer calls each role, where that is not its own name. Other values mean nothing.
    pub role_values: Vec<(String, Role)>,
    /// The participant context. `None` is `participant_context_id` and, without it, `sub`.
    pub participant: Option<String>,
    /// The tenant that a token is restricted to.
    pub tenant: String,
    /// The scopes: a text with spaces between them, or a list.
    pub scope: String,
}

impl Default for ClaimNames {
    fn default() -> Self {
        Self {
            role: "role".to_owned(),
            role_values: Vec::new(),
            participant: None,
            tenant: "tenant_id".to_owned(),
            scope: "scope".to_owned(),
        }
    }
}

impl ClaimNames {
    /// What `sub` is where no participant context is named apart.
    pub(crate) fn subject(&self) -> Subject {
        if self.participant.is_none() { Subject::ParticipantContext } else { Subject::Opaque }
    }

    /// Reads the claims. What is there must be right; an unknown role is an error where the claim is a text, and
    /// nothing where it is a list, since providers put everything that somebody is into lists.
    pub(crate) fn read(&self, claims: &Map<String, Value>) -> Result<PrincipalClaims, JoseError> {
        let subject = heddle_jose::claims::text(claims, "sub")?;
        let subject = subject.ok_or_else(|| wrong("sub", "present and a string"))?.to_owned();
        let name = self.participant.as_deref().unwrap_or("participant_context_id");
        let client = find(claims, "client_id").or_else(|| find(claims, "azp"));
        Ok(PrincipalClaims {
            subject,
            role: self.role(claims)?,
            participant: one(claims, name, |text| ParticipantContextId::parse(text).ok())?,
            tenant: one(claims, &self.tenant, |text| TenantId::parse(text).ok())?,
            scope: scope(claims, &self.scope)?,
            client: client.and_then(Value::as_str).and_then(|id| ClientId::parse(id).ok()),
        })
    }

    fn role(&self, claims: &Map<String, Value>) -> Result<Option<Role>, JoseError> {
        let expected =
            "one of admin, provisioner and participant, or what the configuration maps to one of them";
        match find(claims, &self.role) {
            None => Ok(None),
            Some(Value::String(text)) => {
                self.role_of(text).map(Some).ok_or_else(|| wrong(&self.role, expected))
            }
            Some(Value::Array(list)) => {
                let mut roles: Vec<Role> =
                    list.iter().filter_map(Value::as_str).filter_map(|text| self.role_of(text)).collect();
                roles.sort_by_key(|role| role.name());
                roles.dedup();
                match roles.as_slice() {
                    [] => Ok(None),
                    [one] => Ok(Some(*one)),
                    _ => Err(wrong(&self.role, "a list with at most one role")),
                }
            }
            Some(_) => Err(wrong(&self.role, expected)),
        }
    }

    fn role_of(&self, text: &str) -> Option<Role> {
        if self.role_values.is_empty() {
            return Role::ALL.into_iter().find(|role| role.name() == text);
        }
        self.role_values.iter().find(|(value, _)| value == text).map(|(_, role)| *role)
    }
}

/// A claim that is one text, or a list of one: providers that know attributes of several values write lists.
fn one<T>(
    claims: &Map<String, Value>,
    name: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, JoseError> {
    let text = match find(claims, name) {
        None => return Ok(None),
        Some(Value::String(text)) => Some(text.as_str()),
        Some(Value::Array(list)) => match list.as_slice() {
            [Value::String(text)] => Some(text.as_str()),
            _ => None,
        },
        Some(_) => None,
    };
    text.and_then(parse).map(Some).ok_or_else(|| wrong(name, "one identifier"))
}

fn scope(claims: &Map<String, Value>, name: &str) -> Result<String, JoseError> {
    match find(claims, name) {
        None => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Array(list)) => {
            let texts: Option<Vec<&str>> = list.iter().map(Value::as_str).collect();
            texts.map(|texts| texts.join(" ")).ok_or_else(|| wrong(name, "a text or a list of texts"))
        }
        Some(_) => Err(wrong(name, "a text or a list of texts")),
    }
}

/// The claim of this name or, without one, at the end of this path; `null` is none.
fn find<'c>(claims: &'c Map<String, Value>, name: &str) -> Option<&'c Value> {
    let found = claims.get(name).or_else(|| {
        let (first, rest) = name.split_once('.')?;
        rest.split('.').try_fold(claims.get(first)?, |value, part| value.get(part))
    });
    found.filter(|value| !value.is_null())
}

fn wrong(name: &str, expected: &'static str) -> JoseError {
    JoseError::Claim { name: name.to_owned(), expected }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(names: &ClaimNames, claims: &str) -> Result<PrincipalClaims, JoseError> {
        names.read(&serde_json::from_str(claims).expect("an object"))
    }

    fn mapped() -> ClaimNames {
        ClaimNames {
            role: "realm_access.roles".to_owned(),
            role_values: vec![
                ("hd-admin".to_owned(), Role::Admin),
                ("hd-user".to_owned(), Role::Participant),
            ],
            participant: Some("https://claims.example/context".to_owned()),
            scope: "scp".to_owned(),
            ..ClaimNames::default()
        }
    }

    #[test]
    fn names_may_be_paths_and_may_have_dots() {
        let claims = r#"{"sub":"u","realm_access":{"roles":["offline_access","hd-user"]},"scp":["a:read","b:write"],
            "https://claims.example/context":["acme"],"azp":"portal"}"#;
        let read = read(&mapped(), claims).expect("legal");
        assert_eq!(read.role, Some(Role::Participant));
        assert_eq!(read.participant.expect("named").as_str(), "acme");
        assert_eq!(read.scope, "a:read b:write");
        assert_eq!(read.client.expect("named").as_str(), "portal");
    }

    #[test]
    fn of_a_list_at_most_one_is_a_role() {
        let with =
            |roles: &str| read(&mapped(), &format!(r#"{{"sub":"u","realm_access":{{"roles":{roles}}}}}"#));
        assert_eq!(with(r#"["admin"]"#).expect("not what this issuer calls it").role, None);
        assert_eq!(with("[]").expect("none").role, None);
        assert!(with(r#"["hd-admin","hd-user"]"#).is_err(), "which of them?");
        assert!(with(r#""root""#).is_err(), "a text is a role or wrong");
    }

    #[test]
    fn what_is_there_must_be_right() {
        let names = ClaimNames::default();
        for claims in [
            r#"{"sub":7}"#,
            "{}",
            r#"{"sub":"u","role":"Admin"}"#,
            r#"{"sub":"u","role":7}"#,
            r#"{"sub":"u","participant_context_id":""}"#,
            r#"{"sub":"u","participant_context_id":["a","b"]}"#,
            r#"{"sub":"u","tenant_id":{}}"#,
            r#"{"sub":"u","scope":["a:read",7]}"#,
        ] {
            assert!(read(&names, claims).is_err(), "{claims}");
        }
        assert!(read(&names, r#"{"sub":"u","role":null,"tenant_id":null}"#).is_ok(), "null is none");
    }
}
