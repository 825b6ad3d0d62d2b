//! What a program does with a server over its APIs.

use std::{fs, path::Path};

use heddle::{demo::client, home::Credentials};
use heddle_clock::Environment;
use heddle_outbound::{Authorization, Outbound, OutboundError, Request};
use serde_json::{Value, json};

use crate::server::Server;

/// The operator, with a token.
#[derive(Clone)]
pub struct Api {
    outbound: Outbound,
    url: String,
    token: String,
}

impl Api {
    /// With the credentials that the server has left in its data directory.
    pub async fn of(server: &Server, data_dir: &Path) -> Self {
        let outbound = client::outbound(&Environment::system()).expect("the settings are right");
        let file = fs::read(data_dir.join("operator.json")).expect("they are generated");
        let credentials: Credentials = serde_json::from_slice(&file).expect("they are JSON");
        let url = server.url.trim_end_matches('/').to_owned();
        let request = Request::post(format!("{url}/oauth/token")).form(&[
            ("grant_type", "client_credentials"),
            ("client_id", &credentials.client_id),
            ("client_secret", &credentials.client_secret),
        ]);
        let issued: Value = outbound.send(request).await.expect("a token").json().expect("JSON");
        let token = issued["access_token"].as_str().expect("a token").to_owned();
        Self { outbound, url, token }
    }

    /// Asks, once.
    pub async fn get(&self, path: &str) -> Result<Value, OutboundError> {
        let request = Request::get(format!("{}{path}", self.url));
        self.outbound.send(request.authorization(Authorization::bearer(&self.token))).await?.json()
    }

    /// Asks without a token.
    pub async fn ask(&self, path: &str) -> Result<Value, OutboundError> {
        self.outbound.send(Request::get(format!("{}{path}", self.url))).await?.json()
    }

    /// Has something stored, once; its id when that was acknowledged.
    pub async fn keep(&self, text: &str) -> Result<String, OutboundError> {
        let request = Request::post(format!("{}/api/tm/v1alpha1/tenants", self.url))
            .json_of(&json!({ "properties": { "name": text } }))
            .authorization(Authorization::bearer(&self.token));
        let kept: Value = self.outbound.send(request).await?.json()?;
        Ok(kept["id"].as_str().expect("it has an id").to_owned())
    }

    /// All of `ids` are there.
    pub async fn has_kept(&self, ids: &[String]) {
        for id in ids {
            let found = self.get(&format!("/api/tm/v1alpha1/tenants/{id}")).await;
            found.unwrap_or_else(|error| panic!("what was acknowledged is lost: {error}"));
        }
    }
}
