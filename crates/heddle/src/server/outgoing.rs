//! What outgoing requests may do, from the configuration.

use heddle_outbound::OutboundConfig;

use crate::config::{Configuration, Group};

/// Variables by which other programs are sent through a proxy.
const PROXIES: [&str; 6] =
    ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// For requests to whatever others name.
pub fn to_others(configuration: &Configuration, public_url: &str) -> OutboundConfig {
    let settings = &configuration.outbound;
    let usual = configuration.development || public_url.starts_with("http://");
    // Control plane and data plane call each other there; such a listener answers nothing but its groups.
    let between_planes =
        [Group::Signaling, Group::DataPlane].map(|group| configuration.http.url_of(group, public_url));
    let mut own_origins = vec![public_url.to_owned()];
    own_origins.extend(between_planes.into_iter().map(String::from).filter(|url| url != public_url));
    OutboundConfig {
        allow_http: settings.allow_http.unwrap_or(usual),
        allow_private_addresses: configuration.allow_private_addresses,
        allow: settings.allow.clone(),
        ports: settings.ports.clone(),
        per_host: settings.per_host,
        own_origins,
        extra_roots: settings.roots_file.clone(),
        ..OutboundConfig::default()
    }
}

/// For requests to the installation's own services, at addresses that the configuration names. Nobody else's addresses
/// may be asked by it.
pub fn to_ourselves(configuration: &Configuration, to_others: &OutboundConfig) -> OutboundConfig {
    let agents = &configuration.agents;
    let named = [
        &agents.control_plane_url,
        &agents.credential_service_url,
        &agents.issuer_service_url,
        &agents.data_plane_url,
    ];
    let listeners = configuration.http.listeners.iter().map(|listener| listener.url());
    let own =
        to_others.own_origins.iter().cloned().chain(listeners).chain(named.into_iter().flatten().cloned());
    OutboundConfig { own_origins: own.collect(), ..to_others.clone() }
}

/// A proxy would look names up itself, past the guard, so none is used; whoever has set one should know.
pub fn warn_of_proxies() {
    let set: Vec<&str> = PROXIES.into_iter().filter(|name| std::env::var_os(name).is_some()).collect();
    if !set.is_empty() {
        tracing::warn!(
            component = "server",
            action = "start",
            variables = set.join(", "),
            "proxies of the environment are not used: outgoing requests go straight to where they are meant"
        );
    }
}
