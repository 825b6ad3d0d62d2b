//! `heddle token-keys`: the keys that access tokens are signed with.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use heddle_clock::Environment;
use heddle_outbound::Request;
use http::Method;
use serde::{Deserialize, Serialize};

use super::output::{self, Format};
use crate::{
    demo::{Client, client::outbound},
    home::Home,
};

const PATH: &str = "/oauth/keys";

/// Arguments of `heddle token-keys`.
#[derive(Debug, Args)]
pub struct TokenKeys {
    #[command(subcommand)]
    action: Action,
    /// The server; without it, the one that was started last.
    #[arg(long, global = true)]
    server: Option<String>,
    /// Its credentials file, in place of the remembered one.
    #[arg(long, global = true)]
    credentials: Option<PathBuf>,
    /// How to print.
    #[arg(short, long, default_value = "text", global = true)]
    output: Format,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show the keys: which one signs, which will, and which only check tokens until the last has expired.
    List,
    /// Begin to replace the signing key. No request fails by it; it is done after two and a half minutes.
    Rotate,
    /// Refuse everything that a key has signed, at once: it is in wrong hands.
    Revoke {
        /// The key, by its name in the list.
        kid: String,
    },
}

#[derive(Debug, Serialize, Deserialize)]
struct Keys {
    keys: Vec<Key>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Key {
    kid: String,
    state: String,
    created_at: String,
    signs_from: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ends_at: Option<String>,
}

impl TokenKeys {
    /// Does it and prints the keys as they are then.
    pub async fn run(self) -> anyhow::Result<()> {
        let home = Home::of_user();
        let url = match &self.server {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => home.newest()?,
        };
        let credentials = home.credentials(&url, self.credentials.as_deref())?;
        let environment = Environment::system();
        let run = environment.uuid();
        let client = Client::new(outbound(&environment)?, environment, credentials, &run);
        match &self.action {
            Action::List => {}
            Action::Rotate => {
                client.create("rotate", PATH, &serde_json::Map::new().into()).await?;
            }
            Action::Revoke { kid } => {
                let name: String = url::form_urlencoded::byte_serialize(kid.as_bytes()).collect();
                let path = format!("{}{PATH}/{name}", client.base());
                client.send(|| Request::new(Method::DELETE, path.as_str())).await?;
            }
        }
        let keys: Keys = serde_json::from_value(client.get(PATH).await?)?;
        print(&keys, self.output);
        Ok(())
    }
}

fn print(keys: &Keys, format: Format) {
    if format == Format::Json {
        return output::json(keys);
    }
    for key in &keys.keys {
        let until = match &key.ends_at {
            Some(end) => format!("until {end}"),
            None => "until it is replaced".to_owned(),
        };
        output::line(&format!(
            "{:<10} {}  signs from {}, checks {until}",
            key.state, key.kid, key.signs_from
        ));
    }
}
