//! Requests that fail, with secrets where they belong and where they do not.

use heddle::demo::{Client, onboarding::Organisation};
use heddle_outbound::{Authorization, Outbound, Request};
use http::Method;
use serde_json::json;

use super::{Scanner, story::outbound};

/// Makes one of each at the organisation's server; every secret of them is remembered.
pub async fn commit(scanner: &mut Scanner, client: &Client, organisation: &Organisation) {
    let (server, context) = (&organisation.server, &organisation.context);
    let mut secret = |place: &str| {
        let text = format!("wrong-{place}-of-{}-0123456789", organisation.name);
        scanner.know(place, &text);
        text
    };
    let (outbound, management) = (outbound(), format!("{server}{}", organisation.management()));
    let wrong = secret("client-secret");
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", organisation.client_id.as_str()),
        ("client_secret", wrong.as_str()),
    ];
    refused(&outbound, Request::post(format!("{server}/oauth/token")).form(&form)).await;
    let wrong = Authorization::verbatim(format!("Basic {}", secret("basic-authorization")));
    let form = [("grant_type", "client_credentials")];
    refused(&outbound, Request::post(format!("{server}/oauth/token")).form(&form).authorization(wrong)).await;
    for (place, method, path) in [
        ("bearer-at-management", Method::GET, format!("/api/mgmt/v5beta/participants/{context}/assets/a")),
        ("bearer-at-wallet", Method::GET, format!("/api/identity/v1beta/participants/{context}/credentials")),
        ("bearer-at-catalog", Method::POST, format!("{}/catalog/request", dsp(organisation))),
        ("bearer-at-data", Method::GET, "/public/flow".to_owned()),
        ("bearer-at-tenants", Method::GET, "/api/tm/v1alpha1/tenants".to_owned()),
    ] {
        let request = Request::new(method, format!("{server}{path}"))
            .json_of(&json!({}))
            .authorization(Authorization::bearer(&secret(place)));
        refused(&outbound, request).await;
    }
    let query = format!("{management}/assets/none?token={}", secret("query"));
    let path = format!("{server}/api/{}/nowhere", secret("path"));
    for url in [query, path] {
        let failed = client.send(|| Request::get(url.clone())).await;
        assert!(failed.is_err(), "{url} must not be answered well");
    }
    let malformed = format!("{{\"clientSecret\": \"{}\", ", secret("malformed-body"));
    let mistyped =
        json!({"baseUrl": [secret("mistyped-member")], "authorization": secret("authorization-member")});
    let source = format!("{server}/api/dataplane/v1/participants/{context}/sources/origin");
    for (method, url, body) in [
        (Method::POST, format!("{management}/assets"), malformed.clone()),
        (Method::POST, format!("{server}/oauth/clients"), malformed),
        (Method::PUT, source.clone(), mistyped.to_string()),
    ] {
        let put = || Request::new(method.clone(), url.clone()).json(body.clone().into_bytes());
        assert!(client.send(put).await.is_err(), "{url} must not take this");
    }
    // One that is kept: the secret of an origin belongs into the vault.
    let origin = json!({
        "baseUrl": format!("{server}/none?key={}", secret("key-in-the-url")),
        "authorization": format!("Bearer {}", secret("secret-of-an-origin")),
    });
    let put = || Request::new(Method::PUT, source.clone()).json_of(&origin);
    client.send(put).await.expect("a source is described");
}

fn dsp(organisation: &Organisation) -> String {
    format!("/api/dsp/{}/{}", organisation.context, organisation.profile)
}

async fn refused(outbound: &Outbound, request: Request) {
    let answer = outbound.send(request).await;
    let status = answer.expect_err("it must be refused").status().expect("by an answer").as_u16();
    assert!((400..500).contains(&status), "{status}");
}
