//! A Keycloak of a test's own: an identity provider that is not ours, as it is published.
//!
//! The distribution is fetched once with Maven, which knows how to unpack it, into `target/keycloak`; without Maven or
//! Java the test fails and says what to install. The server keeps nothing, and ends with the test, however that ends.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use heddle_outbound::{Authorization, Outbound, Request};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, ChildStdin, Command},
};

use crate::answer::{Answer, answer_to, outbound};

const VERSION: &str = "26.7.3";
const INSTALL: &str = "install what it needs with './dev setup' (Debian: openjdk-17-jre-headless, maven)";
const ADMINISTRATOR: &str = "admin";
/// Longest time for fetching the distribution, and longest time for a start on a busy machine.
const FETCH_MAX: Duration = Duration::from_secs(600);
const START_MAX: Duration = Duration::from_secs(600);

/// Ends the server and everything that it started when standard input ends: with the test, however that ends.
const KEEPER: &str = r#"
bin/kc.sh start-dev "$@" < /dev/null &
read -r _
kill -TERM 0
"#;

/// A place for a server that does not run yet: its URL is known, and nobody answers there.
pub struct Reserved {
    port: u16,
}

/// A running server.
pub struct Keycloak {
    url: String,
    outbound: Outbound,
    process: Child,
    _input: ChildStdin,
}

/// A client of a realm, as Keycloak writes it.
pub struct RealmClient<'a> {
    /// Its id.
    pub id: &'a str,
    /// What goes into the `aud` of its tokens, if anything does.
    pub audience: Option<&'a str>,
    /// Claims of its tokens.
    pub claims: &'a [(&'a str, &'a str)],
    /// A role of the realm that its tokens have.
    pub role: Option<&'a str>,
    /// Their scopes.
    pub scopes: &'a [&'a str],
}

impl Default for Reserved {
    fn default() -> Self {
        Self::new()
    }
}

impl Reserved {
    /// A free port below those that the system gives out by itself, so that nobody takes it meanwhile.
    pub fn new() -> Self {
        let first = 24_000 + u16::try_from(std::process::id() % 5_000).expect("it is small");
        let port = (first..first + 2_000).find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
        Self { port: port.expect("a free port") }
    }

    /// What its tokens have as `iss`.
    pub fn issuer(&self, realm: &str) -> String {
        format!("{}/realms/{realm}", self.url())
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Starts the server; returns when it answers.
    pub async fn start(self) -> Keycloak {
        let home = distribution().await;
        let mut process = Command::new("bash")
            .args(["-c", KEEPER, "keycloak", "--http-host=127.0.0.1", "--db=dev-mem", "--cache=local"])
            .arg(format!("--http-port={}", self.port))
            .current_dir(&home)
            .env("KC_BOOTSTRAP_ADMIN_USERNAME", ADMINISTRATOR)
            .env("KC_BOOTSTRAP_ADMIN_PASSWORD", ADMINISTRATOR)
            .env("JAVA_OPTS_KC_HEAP", "-Xms64m -Xmx512m")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("bash starts");
        let input = process.stdin.take().expect("it is piped");
        let mut lines = BufReader::new(process.stdout.take().expect("it is piped")).lines();
        let mut log = Vec::new();
        let listening = async {
            while let Some(line) = lines.next_line().await.expect("its output is text") {
                let listens = line.contains("Listening on:");
                log.push(line);
                if listens {
                    return;
                }
            }
            panic!("Keycloak does not start; {INSTALL}:\n{}", log.join("\n"));
        };
        tokio::time::timeout(START_MAX, listening).await.expect("Keycloak starts in time");
        // Whatever it says later must not fill the pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let outbound = outbound(&heddle_clock::Environment::system());
        Keycloak { url: self.url(), outbound, process, _input: input }
    }
}

/// The folder of the distribution, unpacked.
async fn distribution() -> PathBuf {
    let cache = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/keycloak");
    std::fs::create_dir_all(&cache).expect("a folder for it");
    let cache = cache.canonicalize().expect("it is there");
    let (home, complete) =
        (cache.join(format!("keycloak-{VERSION}")), cache.join(format!("{VERSION}.complete")));
    if complete.exists() {
        return home;
    }
    let status = Command::new("mvn")
        .args(["-q", "-B", "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:unpack"])
        .arg(format!("-Dartifact=org.keycloak:keycloak-quarkus-dist:{VERSION}:zip"))
        .arg(format!("-DoutputDirectory={}", cache.display()))
        .current_dir(&cache)
        .kill_on_drop(true)
        .status();
    let status = tokio::time::timeout(FETCH_MAX, status).await.expect("Maven is done in time");
    let status = status.unwrap_or_else(|error| panic!("Maven does not start ({error}); {INSTALL}"));
    assert!(status.success(), "Maven cannot fetch Keycloak {VERSION}: {status}");
    std::fs::write(&complete, b"").expect("it can be written");
    home
}

impl Keycloak {
    /// Makes a realm whose tokens live for five minutes, with these scopes to give.
    pub async fn realm(&self, realm: &str, scopes: &[&str]) {
        self.administer(&json!({"realm": realm, "enabled": true, "accessTokenLifespan": 300}), "").await;
        for scope in scopes {
            let scope = json!({
                "name": scope, "protocol": "openid-connect", "attributes": {"include.in.token.scope": "true"},
            });
            self.administer(&scope, &format!("/{realm}/client-scopes")).await;
        }
    }

    /// Makes a role of a realm.
    pub async fn role(&self, realm: &str, role: &str) {
        self.administer(&json!({"name": role}), &format!("/{realm}/roles")).await;
    }

    /// Makes a client of a realm.
    pub async fn client(&self, realm: &str, client: &RealmClient<'_>) {
        let mut mappers = Vec::new();
        for (name, value) in client.claims {
            mappers.push(mapper(
                name,
                "oidc-hardcoded-claim-mapper",
                &json!({"claim.name": name, "claim.value": value, "jsonType.label": "String"}),
            ));
        }
        if let Some(audience) = client.audience {
            mappers.push(mapper(
                "audience",
                "oidc-audience-mapper",
                &json!({"included.custom.audience": audience}),
            ));
        }
        if let Some(role) = client.role {
            mappers.push(mapper("role of the realm", "oidc-hardcoded-role-mapper", &json!({"role": role})));
        }
        let scopes: Vec<&str> = ["basic", "roles"].into_iter().chain(client.scopes.iter().copied()).collect();
        let body = json!({
            "clientId": client.id, "secret": secret(client.id), "protocol": "openid-connect",
            "publicClient": false, "serviceAccountsEnabled": true, "standardFlowEnabled": false,
            "defaultClientScopes": scopes, "protocolMappers": mappers,
        });
        self.administer(&body, &format!("/{realm}/clients")).await;
    }

    /// Lets a realm sign with a new key from here on; the one before it is published on.
    pub async fn rotate(&self, realm: &str, name: &str, priority: u32) {
        let body = json!({
            "name": name, "providerId": "rsa-generated", "providerType": "org.keycloak.keys.KeyProvider",
            "config": {"priority": [priority.to_string()], "enabled": ["true"], "active": ["true"],
                "keySize": ["2048"], "algorithm": ["RS256"]},
        });
        self.administer(&body, &format!("/{realm}/components")).await;
    }

    /// A token of a client.
    pub async fn token(&self, realm: &str, client: &str) -> String {
        self.given(
            realm,
            &[
                ("grant_type", "client_credentials"),
                ("client_id", client),
                ("client_secret", &secret(client)),
            ],
        )
        .await
    }

    async fn given(&self, realm: &str, form: &[(&str, &str)]) -> String {
        let url = format!("{}/realms/{realm}/protocol/openid-connect/token", self.url);
        let answer = self.outbound.send(Request::post(url).form(form)).await;
        let answer: Value = answer.expect("Keycloak gives a token").json().expect("JSON");
        answer["access_token"].as_str().expect("a token").to_owned()
    }

    async fn administer(&self, body: &Value, path: &str) {
        let form = [
            ("grant_type", "password"),
            ("client_id", "admin-cli"),
            ("username", ADMINISTRATOR),
            ("password", ADMINISTRATOR),
        ];
        let token = self.given("master", &form).await;
        let request = Request::post(format!("{}/admin/realms{path}", self.url)).json_of(body);
        let answer: Answer = answer_to(request.authorization(Authorization::bearer(&token))).await;
        assert_eq!(answer.status, 201, "{path}: {body}: {answer:?}");
    }

    /// Ends it; returns when it has ended.
    pub async fn stop(self) {
        let Self { mut process, _input: input, .. } = self;
        drop(input);
        process.wait().await.expect("it ends");
    }
}

fn mapper(name: &str, kind: &str, config: &Value) -> Value {
    let mut config = config.clone();
    config["access.token.claim"] = json!("true");
    json!({"name": name, "protocol": "openid-connect", "protocolMapper": kind, "config": config})
}

fn secret(client: &str) -> String {
    format!("the secret of {client}")
}
