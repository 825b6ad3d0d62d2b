//! Which rules each route of a server answers by. A route that none of these rules names fails the test: whoever adds
//! one says here what it is.

use heddle_web::testing::Route;

/// By which rules a route says no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Surface {
    /// 401 and 403 from the token and the path alone.
    Administration,
    /// Planes with tokens of their own: as the Administration APIs, but what is another plane's is as if it did not exist.
    Signaling,
    /// The Dataspace Protocol: nobody is told more than that there is nothing.
    Dataspace,
    /// The Decentralized Claims Protocol: a self-issued token that does not hold is one sentence, 401.
    Claims,
    /// Data: one refusal for whatever does not open the flow.
    Data,
    /// Open to everybody, by [`PUBLIC`].
    Public,
}

/// Routes that nobody needs a token for, each with the reason. It is reviewed like the code that it is about.
pub const PUBLIC: [(&str, &str); 19] = [
    ("/.well-known/oauth-authorization-server", "RFC 8414: clients read it before they have a token"),
    ("/api/check/health", "health, by its older path"),
    ("/api/check/liveness", "health, by its older path"),
    ("/api/check/readiness", "health, by its older path"),
    ("/api/check/startup", "health, by its older path"),
    (
        "/api/dsp/{context}/.well-known/dspace-version",
        "DSP 2025-1 §4.3: versions are told before anybody is known",
    ),
    (
        "/api/issuance/v1alpha/participants/{context}/metadata",
        "DCP 1.0 §6.7: what an issuer offers is public",
    ),
    (
        "/api/issuance/v1alpha/participants/{context}/schemas/{definition}",
        "schemas of credentials are public",
    ),
    ("/api/issuance/v1beta/participants/{context}/metadata", "DCP 1.0 §6.7: what an issuer offers is public"),
    ("/api/issuance/v1beta/participants/{context}/schemas/{definition}", "schemas of credentials are public"),
    ("/api/sts/token", "proves the client by its secret, in the form"),
    ("/api/v1/version", "which release this is, by its older path"),
    ("/health/liveness", "orchestrators ask it and have no token"),
    ("/health/readiness", "load balancers ask it and have no token"),
    ("/health/startup", "orchestrators ask it and have no token"),
    (
        "/metrics",
        "scraped; an operator moves the group 'operations' to a listener that strangers do not reach",
    ),
    ("/oauth/jwks", "public keys: resource servers check tokens with them"),
    ("/oauth/token", "proves the client by its secret, in the form"),
    ("/statuslist/{id}", "status lists are public credentials, signed by their issuer"),
];

/// One more, which says nothing that is not in the health answer.
pub const PUBLIC_VERSION: (&str, &str) = ("/version", "which release this is");

/// What paths that no route fits lead to.
pub const FALLBACK: (&str, &str) = ("DID documents, by host and path", "did:web: the documents are public");

const ADMINISTRATION: [&str; 10] = [
    "/api/admin/",
    "/api/audit/",
    "/api/dataplane/v1/participants/{context}",
    "/api/identity/",
    "/api/management/",
    "/api/mgmt/",
    "/api/operations/",
    "/api/pm/",
    "/api/tm/",
    "/oauth/",
];
const SIGNALING: [&str; 2] = ["/api/dataplane/v1/participants/{context}/dataflows/", "/api/signaling/"];
const DATASPACE: &str = "/api/dsp/{context}/{profile}/";
const CLAIMS: [&str; 2] = ["/api/credentials/", "/api/issuance/"];
const DATA: &str = "/public/{flow}";

/// By which rules `route` says no.
pub fn of(route: &Route) -> Surface {
    let template = route.template.as_str();
    let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| template.starts_with(prefix));
    match template {
        _ if PUBLIC.iter().any(|(public, _)| *public == template) || template == PUBLIC_VERSION.0 => {
            Surface::Public
        }
        _ if begins(&SIGNALING) => Surface::Signaling,
        _ if begins(&ADMINISTRATION) => Surface::Administration,
        _ if begins(&[DATASPACE]) => Surface::Dataspace,
        _ if begins(&CLAIMS) => Surface::Claims,
        DATA => Surface::Data,
        _ => panic!("{} {template} is new: say in surfaces.rs by which rules it says no", route.method),
    }
}

/// The template in its first spelling: APIs answer under several versions, some under two names.
pub fn canonical(template: &str) -> String {
    let aliases = [
        ("/api/management/", "/api/mgmt/"),
        ("/api/mgmt/v5/", "/api/mgmt/v5beta/"),
        ("/api/mgmt/v5alpha/", "/api/mgmt/v5beta/"),
        ("/api/identity/v1alpha/", "/api/identity/v1beta/"),
        ("/api/admin/v1alpha/", "/api/admin/v1beta/"),
        ("/api/issuance/v1alpha/", "/api/issuance/v1beta/"),
    ];
    aliases.iter().fold(template.to_owned(), |text, (alias, first)| match text.strip_prefix(alias) {
        Some(rest) => format!("{first}{rest}"),
        None => text,
    })
}
