//! Looking names up, and dropping addresses that must not be connected to.
//!
//! The HTTP client connects to the addresses that this resolver returns and looks nothing up again, so a name
//! whose answer changes between check and use (DNS rebinding) gains nothing.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::{Refusal, address::Class, allowed::Rules};

/// Turns a host name into addresses.
#[async_trait]
pub trait NameLookup: Send + Sync {
    /// All addresses of `name`.
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The operating system's resolver.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemLookup;

#[async_trait]
impl NameLookup for SystemLookup {
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// A refusal on its way through the HTTP client's error chain.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct RefusedAddress(pub Refusal);

pub(crate) struct Resolver {
    pub lookup: Arc<dyn NameLookup>,
    /// What addresses are judged by; nothing for the installation's own origins and for hosts that an operator lists.
    pub rules: Option<Arc<Rules>>,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (lookup, rules) = (self.lookup.clone(), self.rules.clone());
        Box::pin(async move {
            let all = lookup.addresses(name.as_str()).await?;
            let refused = |address: IpAddr| rules.as_ref().and_then(|rules| rules.refuse(address));
            let allowed: Vec<IpAddr> =
                all.iter().copied().filter(|address| refused(*address).is_none()).collect();
            if let (true, Some(first)) = (allowed.is_empty(), all.first()) {
                let class = refused(*first).map_or("special-purpose", Class::name);
                let address = format!("{} ({first})", name.as_str());
                return Err(Box::new(RefusedAddress(Refusal::Address { address, class })) as _);
            }
            // Port 0 means: the one of the URL.
            Ok(Box::new(allowed.into_iter().map(|ip| SocketAddr::new(ip, 0))) as Addrs)
        })
    }
}
