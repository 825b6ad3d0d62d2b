//! Who may do what: decided from the token and the path alone.

use heddle_auth::NewClient;
use heddle_tenancy::Actor;
use serde_json::{Value, json};

use crate::{server::with_scopes, world::World};

/// Every route, and whether it changes something; `{t}` is a tenant.
const ROUTES: [(&str, bool); 17] = [
    ("GET /tenants", false),
    ("POST /tenants", true),
    ("GET /tenants/{t}", false),
    ("PATCH /tenants/{t}", true),
    ("DELETE /tenants/{t}", true),
    ("GET /tenants/{t}/participant-profiles", false),
    ("POST /tenants/{t}/participant-profiles", true),
    ("GET /tenants/{t}/participant-profiles/p", false),
    ("DELETE /tenants/{t}/participant-profiles/p", true),
    ("GET /cells", false),
    ("POST /cells", true),
    ("DELETE /cells/c", true),
    ("GET /dataspace-profiles", false),
    ("POST /dataspace-profiles", true),
    ("GET /dataspace-profiles/d", false),
    ("DELETE /dataspace-profiles/d", true),
    ("POST /dataspace-profiles/d/deployments", true),
];

fn malformed(line: &str) -> Option<String> {
    let has_body = line.starts_with("POST") || line.starts_with("PATCH");
    has_body.then(|| "{".to_owned())
}

impl World {
    async fn refused(&self, token: &str, line: &str) {
        let authorization = format!("Bearer {token}");
        let answer = self.send(line, &[("authorization", &authorization)], malformed(line)).await;
        assert_eq!(answer.status, 403, "{line}: {answer:?}");
        assert_eq!(answer.body["error"], "Forbidden", "{line}");
    }
}

#[tokio::test]
async fn nobody_and_those_without_the_scope_are_refused_before_anything_is_read() {
    let world = World::new().await;
    let tenant = world.new_tenant().await;
    let provisioner = NewClient::provisioner().with_scopes(vec!["tenant-manager-api:write".to_owned()]);
    let participant = world.server.scopes.participant("ctx".parse().expect("legal"), Actor::new("test"));
    let of_participant = NewClient::participant().with_scopes(vec!["tenant-manager-api:write".to_owned()]);
    let strangers = [
        world.server.token_of(with_scopes(&["provision-manager-api:write", "management-api:admin"])).await,
        world.server.token_of(provisioner).await,
        world.server.token(&participant, of_participant).await,
    ];
    let events = ("GET /events", false);
    for (line, writes) in ROUTES.into_iter().chain([events]) {
        // It makes no difference whether the tenant exists.
        for tenant in [tenant.as_str(), "nobody"] {
            let line = line.replace("{t}", tenant);
            for headers in
                [&[][..], &[("authorization", "Bearer nonsense")], &[("authorization", "Basic YTpi")]]
            {
                let answer = world.send(&line, headers, malformed(&line)).await;
                assert_eq!(answer.status, 401, "{line}");
                assert_eq!(answer.body["error"], "Unauthorized", "{line}");
                assert_eq!(answer.body["code"], Value::Null, "{line}");
            }
            for token in &strangers {
                world.refused(token, &line).await;
            }
            if writes {
                world.refused(&world.reader, &line).await;
            }
        }
    }
}

#[tokio::test]
async fn a_token_that_names_a_tenant_opens_that_tenant_alone() {
    let world = World::new().await;
    world.dataspace().await;
    let (own, other) = (world.new_tenant().await, world.new_tenant().await);
    let token = world.server.token(&world.server.tenant(&own), NewClient::tenant()).await;

    for (line, _) in ROUTES {
        if line.contains("{t}") {
            for tenant in [&other, "nobody"] {
                world.refused(&token, &line.replace("{t}", tenant)).await;
            }
        } else if line != "GET /tenants" {
            world.refused(&token, line).await;
        }
    }

    let listed = world.call_as(&token, "GET /tenants", None).await;
    assert_eq!((listed.status, &listed.headers["x-total-count"]), (200, &"1".parse().expect("a value")));
    assert_eq!(listed.body, json!([{"id": own, "version": 1}]));
    let line = format!("PATCH /tenants/{own}");
    assert_eq!(world.call_as(&token, &line, Some(json!({"properties": {"a": 1}}))).await.status, 200);
    let shown = world.call_as(&token, &format!("GET /tenants/{own}"), None).await;
    assert_eq!(shown.body["properties"], json!({"a": 1}));
    let line = format!("POST /tenants/{own}/participant-profiles");
    let made = world.call_as(&token, &line, Some(json!({"identifier": "did:web:acme"}))).await;
    assert_eq!(made.status, 202, "{made:?}");
    let line = format!("GET /tenants/{own}/participant-profiles/{}", made.id());
    assert_eq!(world.call_as(&token, &line, None).await.body["id"], made.id());
}

#[tokio::test]
async fn a_tenant_that_is_gone_is_not_listed_for_its_own_token() {
    let world = World::new().await;
    let own = world.new_tenant().await;
    let token = world.server.token(&world.server.tenant(&own), NewClient::tenant()).await;
    assert_eq!(world.call(&format!("DELETE /tenants/{own}"), None).await.status, 200);
    assert_eq!(world.call_as(&token, "GET /tenants", None).await.body, json!([]));
    assert_eq!(world.call_as(&token, &format!("GET /tenants/{own}"), None).await.error(), (404, "Not found"));
}
