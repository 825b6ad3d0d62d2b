//! The identity providers that the configuration names, as issuers that the Administration APIs trust.

use std::sync::Arc;

use heddle_auth::{AudienceRule, JwksUrl, TrustedIssuer};
use heddle_outbound::{Outbound, OutboundConfig};
use heddle_store::Store;

use super::running::StartError;
use crate::config::IssuerSettings;

/// Makes them. Nothing is fetched before the first token comes: a provider that is away keeps nobody from starting.
///
/// Where the operator says that keys are, they are fetched from, whatever the address: a client of its own may reach
/// these origins and no other private one.
pub fn trusted(
    issuers: &[IssuerSettings],
    public_url: &str,
    (outbound, store): (&Outbound, &Store),
) -> Result<Vec<TrustedIssuer>, StartError> {
    if issuers.is_empty() {
        return Ok(Vec::new());
    }
    if issuers.iter().any(|issuer| issuer.issuer.trim_end_matches('/') == public_url) {
        let what = format!(
            "'auth.issuers' names {public_url}, which is this installation itself: its own token service is always \
             trusted. Remove that issuer"
        );
        return Err(StartError::Setting(what));
    }
    let named = issuers.iter().flat_map(|issuer| [Some(&issuer.issuer), issuer.jwks_url.as_ref()]).flatten();
    let origins = named.filter_map(|url| url::Url::parse(url).ok());
    let own_origins = origins.map(|url| url.origin().ascii_serialization()).collect();
    let config = OutboundConfig { own_origins, ..outbound.config().clone() };
    let outbound = Outbound::new(config, outbound.environment().clone())?;
    let trusted = issuers.iter().map(|settings| {
        let audience = settings.audience.clone().unwrap_or_else(|| public_url.to_owned());
        let keys = match &settings.jwks_url {
            Some(url) => JwksUrl::new(url, outbound.clone()),
            None => JwksUrl::discovered(&settings.issuer, outbound.clone()),
        };
        TrustedIssuer::external(&settings.issuer, AudienceRule::Contains(audience), Arc::new(keys))
            .claims(settings.claims.clone())
            .limits(settings.limits.clone())
            .clock_skew(settings.clock_skew)
            .ending_with_participants(store.clone())
    });
    Ok(trusted.collect())
}
