//! Parties with keys and documents, and what they sign.

use std::time::Duration;

use heddle_clock::Timestamp;
use heddle_credentials::{StatusKind, StatusPurpose, status::StatusListDraft};
use heddle_dcp::{
    Rules, Scope,
    token::{SelfIssuedToken, self_issued, self_issued::SelfIssuedDraft},
    trust::{self, Evidence, Gathered, TrustedIssuer},
    wire::PresentationResponseMessage,
};
use heddle_did::{Did, DidDocument, Relationship};
use heddle_jose::{Algorithm, Header, SoftwareKey, sign_compact};
use serde_json::{Map, Value, json};

pub const MEMBERSHIP: &str = "org.eclipse.dspace.dcp.vc.type:MembershipCredential:read";
pub const LIST: &str = "https://issuer.example/statuslist/1";

pub fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2026-03-01T12:00:00Z").expect("a time")
}

pub fn seconds(offset: i64) -> i64 {
    now().as_seconds() + offset
}

/// RFC 3339 text of a time that is so many seconds from now.
pub fn date(offset: i64) -> String {
    Timestamp::from_seconds(seconds(offset)).to_string()
}

pub struct Party {
    pub did: Did,
    pub key: SoftwareKey,
    pub document: DidDocument,
}

impl Party {
    pub fn new(name: &str) -> Self {
        Self::with_relationships(name, &Relationship::ALL)
    }

    pub fn with_relationships(name: &str, relationships: &[Relationship]) -> Self {
        let did = Did::parse(&format!("did:web:{name}.example")).expect("a DID");
        let key = SoftwareKey::generate(Algorithm::Es256).expect("a key");
        let document = DidDocument::new(did.clone()).with_key("key-1", key.public_jwk(None), relationships);
        Self { did, key, document }
    }

    pub fn kid(&self) -> String {
        self.did.url("key-1")
    }

    pub fn header(&self) -> Header {
        Header::jwt(Algorithm::Es256, self.kid())
    }

    pub fn sign(&self, claims: &Value) -> String {
        sign_compact(&self.key, self.header(), claims).expect("signs")
    }

    /// The claims of a self-issued token.
    pub fn token_claims(&self, audience: &Did) -> Value {
        json!({"iss": self.did, "sub": self.did, "aud": audience, "jti": "token-1",
               "iat": seconds(0), "exp": seconds(300), "token": "opaque"})
    }

    /// A verified self-issued token for `audience` that hands over `token`.
    pub fn proves_itself_to(&self, audience: &Did, token: &str) -> SelfIssuedToken {
        let draft = SelfIssuedDraft {
            participant: &self.did,
            audience: audience.as_str(),
            jti: "token-1",
            now: now(),
            lifetime: Duration::from_secs(300),
            access_token: Some(token),
            pre_authorized_code: None,
        };
        let text =
            draft.unsigned(&self.kid(), Algorithm::Es256).and_then(|u| u.sign(&self.key)).expect("signs");
        self_issued::verify(&text, &self.document, audience, now(), &Rules::default()).expect("valid")
    }

    /// The claims of a credential about `subject`.
    pub fn credential_claims(&self, subject: &Did, kind: &str) -> Value {
        json!({"iss": self.did, "sub": subject, "jti": "jti-1", "nbf": seconds(-60), "iat": seconds(-60),
               "exp": seconds(3600),
               "vc": {"@context": ["https://www.w3.org/2018/credentials/v1"], "id": "vc-1",
                      "type": ["VerifiableCredential", kind], "issuer": self.did,
                      "issuanceDate": date(-60), "expirationDate": date(3600),
                      "credentialSubject": {"id": subject, "level": "gold"}}})
    }

    /// The claims of a presentation for `audience`.
    pub fn presentation_claims(&self, audience: &Did, credentials: &[String]) -> Value {
        json!({"iss": self.did, "sub": self.did, "aud": audience, "jti": "vp-1", "nbf": seconds(0),
               "iat": seconds(0), "exp": seconds(60),
               "vp": {"@context": ["https://www.w3.org/2018/credentials/v1"],
                      "type": "VerifiablePresentation", "verifiableCredential": credentials}})
    }

    /// A signed status list with these bits set.
    pub fn status_list(&self, kind: StatusKind, purpose: StatusPurpose, set: &[u64]) -> String {
        let mut list = heddle_credentials::StatusList::new(1).expect("a list");
        set.iter().for_each(|index| list.set(*index).expect("within the list"));
        let draft = StatusListDraft {
            url: LIST.to_owned(),
            issuer: self.did.to_string(),
            kind,
            purpose,
            issued_at: now() - Duration::from_secs(60),
            valid_until: now() + Duration::from_secs(3600),
        };
        let unsigned = heddle_credentials::status::status_credential_unsigned(
            &draft,
            &list,
            &self.kid(),
            Algorithm::Es256,
        );
        unsigned.expect("a draft").sign(&self.key).expect("signs")
    }
}

/// A status entry on the wire.
pub fn entry(kind: &str, purpose: &str, index: &Value) -> Value {
    json!({"id": "e", "type": kind, "statusPurpose": purpose, "statusListIndex": index,
           "statusListCredential": LIST})
}

/// `base` with the value at each pointer replaced; `null` removes the member.
pub fn changed(base: &Value, changes: &[(&str, Value)]) -> Value {
    let mut document = base.clone();
    for (pointer, value) in changes {
        let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
        let members: &mut Map<String, Value> =
            document.pointer_mut(parent).and_then(Value::as_object_mut).expect("an object");
        match value {
            Value::Null => _ = members.remove(key),
            value => _ = members.insert(key.to_owned(), value.clone()),
        }
    }
    document
}

/// A verifier, a holder, a trusted issuer, and what the verifier has gathered about them.
pub struct World {
    pub verifier: Party,
    pub holder: Party,
    pub issuer: Party,
    pub gathered: Gathered,
    pub rules: Rules,
    pub trusted: Vec<TrustedIssuer>,
    pub scopes: Vec<Scope>,
    pub optional_scopes: Vec<Scope>,
}

impl World {
    pub fn new() -> Self {
        let (verifier, holder, issuer) = (Party::new("verifier"), Party::new("holder"), Party::new("issuer"));
        let mut gathered = Gathered::default();
        for party in [&holder, &issuer] {
            gathered.documents.insert(party.did.clone(), Ok(party.document.clone()));
        }
        let trusted = vec![TrustedIssuer { did: issuer.did.clone(), supported_types: vec!["*".to_owned()] }];
        let scopes = vec![Scope::parse(MEMBERSHIP).expect("a scope")];
        Self {
            verifier,
            holder,
            issuer,
            gathered,
            rules: Rules::default(),
            trusted,
            scopes,
            optional_scopes: Vec::new(),
        }
    }

    /// The claims of a good credential of the holder.
    pub fn membership(&self) -> Value {
        self.issuer.credential_claims(&self.holder.did, "MembershipCredential")
    }

    /// The holder's presentation of these credentials.
    pub fn presentation(&self, credentials: &[String]) -> String {
        self.holder.sign(&self.holder.presentation_claims(&self.verifier.did, credentials))
    }

    pub fn with_evidence<T>(&self, presentations: Vec<String>, use_it: impl FnOnce(&Evidence<'_>) -> T) -> T {
        let self_issued = self.holder.proves_itself_to(&self.verifier.did, "opaque");
        let response = PresentationResponseMessage::new(presentations);
        use_it(&Evidence {
            self_issued: &self_issued,
            response: &response,
            scopes: &self.scopes,
            optional_scopes: &self.optional_scopes,
            trusted_issuers: &self.trusted,
            gathered: &self.gathered,
            now: now(),
            rules: &self.rules,
        })
    }

    pub fn judge(
        &self,
        presentations: Vec<String>,
    ) -> Result<trust::VerifiedPresentation, heddle_dcp::Refusal> {
        self.with_evidence(presentations, trust::verify)
    }

    /// Presents credentials with these claims, signed by the issuer.
    pub fn judge_claims(&self, claims: &[Value]) -> Result<trust::VerifiedPresentation, heddle_dcp::Refusal> {
        let credentials: Vec<String> = claims.iter().map(|claims| self.issuer.sign(claims)).collect();
        self.judge(vec![self.presentation(&credentials)])
    }
}

/// The names of the checks that failed, in order.
pub fn failed(checks: &[heddle_credentials::Check]) -> Vec<&'static str> {
    checks.iter().filter(|check| !check.passed()).map(|check| check.name).collect()
}
