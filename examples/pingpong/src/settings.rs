//! The flags of a server.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;

/// Who a server is, who it plays with, and where it keeps things.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    /// The address to listen on.
    #[arg(long, default_value = "127.0.0.1:7981")]
    pub listen: SocketAddr,
    /// The URL under which the other side reaches this one; http:// and the address, unless something stands in front.
    #[arg(long)]
    pub url: Option<String>,
    /// The URL of the other side.
    #[arg(long)]
    pub opponent: String,
    /// The directory of the master key, of the umpire's credentials and, without PostgreSQL, of the database. Replicas
    /// of one side share the key.
    #[arg(long)]
    pub data_dir: PathBuf,
    /// A PostgreSQL database, which any number of replicas share.
    #[arg(long, env = "PINGPONG_POSTGRES_URL", hide_env_values = true)]
    pub postgres_url: Option<String>,
}

impl Settings {
    /// The URL of this side, without a slash at its end.
    #[must_use]
    pub fn own_url(&self) -> String {
        let url = self.url.clone().unwrap_or_else(|| format!("http://{}", self.listen));
        url.trim_end_matches('/').to_owned()
    }

    /// The URL of the other side, without a slash at its end.
    #[must_use]
    pub fn opponent_url(&self) -> String {
        self.opponent.trim_end_matches('/').to_owned()
    }

    /// The authority of the other side, by which its jobs are counted.
    #[must_use]
    pub fn opponent_host(&self) -> String {
        let url = self.opponent_url();
        url.split_once("://").map_or(url.as_str(), |(_, authority)| authority).to_owned()
    }
}
