//! What tests of the client share.

use std::{io, net::IpAddr, sync::Arc};

use async_trait::async_trait;
use axum::Router;
use heddle_clock::Environment;
use heddle_outbound::{NameLookup, Outbound, OutboundConfig};
use tokio::net::TcpListener;

/// Everything on this machine is allowed.
pub fn development() -> OutboundConfig {
    OutboundConfig { allow_http: true, allow_private_addresses: true, ..OutboundConfig::default() }
}

pub fn outbound(config: OutboundConfig) -> Outbound {
    Outbound::new(config, Environment::system()).expect("a client")
}

/// A client that looks names up in a table.
pub fn named(config: OutboundConfig, lookup: impl NameLookup + 'static) -> Outbound {
    Outbound::with_lookup(config, Environment::system(), Arc::new(lookup)).expect("a client")
}

/// Serves a router; gives its origin.
pub async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    base
}

/// Addresses of names.
#[derive(Clone, Copy)]
pub struct Names(pub &'static [(&'static str, &'static str)]);

#[async_trait]
impl NameLookup for Names {
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let found = self.0.iter().filter(|(known, _)| *known == name);
        Ok(found.map(|(_, address)| address.parse().expect("an address")).collect())
    }
}
