//! What is reached over the network: the public URL, names, identity providers, the collector.

use std::{collections::BTreeSet, time::Duration};

use heddle_clock::{Environment, Timestamp};
use heddle_outbound::{Outbound, OutboundConfig, OutboundError, Request};
use serde_json::Value;
use tokio::{
    net::{TcpStream, lookup_host},
    time::timeout,
};
use url::{Host, Url};

use super::{Finding, certificate};
use crate::{
    config::{Configuration, DatabaseSettings},
    greeting::greet,
};

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The header `Date` has no smaller unit.
const DATE_PRECISION: Duration = Duration::from_secs(1);

/// Whether the names that the configuration uses have addresses.
pub async fn names(configuration: &Configuration, public_url: &str) -> Vec<Finding> {
    let mut urls = vec![public_url];
    urls.extend(configuration.auth.issuers.iter().map(|issuer| issuer.issuer.as_str()));
    urls.extend(configuration.telemetry.endpoint.as_deref());
    if let DatabaseSettings::Postgres { url: Some(url), .. } = &configuration.database {
        urls.push(url);
    }
    let names: BTreeSet<String> = urls.into_iter().filter_map(name_of).collect();
    let tried = "resolve the names that the configuration uses";
    if names.is_empty() {
        return vec![Finding::ok("dns", tried, "it uses addresses alone")];
    }
    let mut findings = Vec::new();
    for name in names {
        let tried = format!("resolve {name}");
        let happened = match timeout(PATIENCE, lookup_host((name.as_str(), 443))).await {
            Ok(Ok(mut addresses)) => match addresses.next() {
                Some(address) => {
                    findings.push(Finding::ok("dns", tried, address.ip().to_string()));
                    continue;
                }
                None => "it has no address".to_owned(),
            },
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {} s", PATIENCE.as_secs()),
        };
        let finding = Finding::ok("dns", tried, happened);
        findings
            .push(finding.failure("put the name right, or the resolver of this machine (/etc/resolv.conf)"));
    }
    findings
}

fn name_of(url: &str) -> Option<String> {
    match Url::parse(url).ok()?.host()? {
        Host::Domain(name) => Some(name.to_owned()),
        // Hosts of other schemes are not told apart.
        _ => None,
    }
    .filter(|name| name.parse::<std::net::IpAddr>().is_err())
}

/// Whether the world's URL leads to this installation, with a certificate that is believed and a clock like ours.
pub async fn public_url(url: &str, config: &OutboundConfig, environment: &Environment) -> Vec<Finding> {
    let outbound = match Outbound::new(config.clone(), environment.clone()) {
        Ok(outbound) => outbound,
        Err(error) => {
            let finding = Finding::ok("public_url", "make an HTTP client", error.to_string());
            return vec![finding.failure("put the settings of 'outbound' right")];
        }
    };
    let mut findings = vec![installation(url, &outbound).await];
    findings.extend(expiry(url, environment).await);
    findings.extend(clock(url, &outbound, environment).await);
    findings
}

/// The metadata of the token service (RFC 8414) names the installation.
async fn installation(url: &str, outbound: &Outbound) -> Finding {
    let tried = format!("ask {url} who it is");
    let advice = "start the server, or lead the public URL to it: name, port, load balancer, certificate";
    let version = match greet(outbound, url).await {
        Ok(version) => version.version,
        Err(error) => return Finding::ok("public_url", tried, error.to_string()).failure(advice),
    };
    let metadata = Request::get(format!("{url}/.well-known/oauth-authorization-server")).timeout(PATIENCE);
    let issuer = match outbound.send(metadata).await {
        Ok(answer) => answer.json::<Value>().ok(),
        Err(OutboundError::Status { status, .. }) if status.as_u16() == 404 => {
            let happened = format!("Heddle {version}; its token service is not open there");
            return Finding::ok("public_url", tried, happened)
                .warning("nobody outside can get tokens; leave it if that is meant");
        }
        Err(error) => return Finding::ok("public_url", tried, error.to_string()).failure(advice),
    };
    let issuer = issuer.as_ref().and_then(|metadata| metadata["issuer"].as_str()).unwrap_or("nobody");
    let finding = Finding::ok("public_url", tried, format!("Heddle {version}, the installation {issuer}"));
    if issuer == url {
        finding
    } else {
        finding.failure("lead the public URL to this installation; another one answers there")
    }
}

async fn expiry(url: &str, environment: &Environment) -> Option<Finding> {
    let parsed = Url::parse(url).ok().filter(|url| url.scheme() == "https")?;
    let (host, port) = (parsed.host_str()?.to_owned(), parsed.port_or_known_default()?);
    let tried = format!("look at the certificate of {host}:{port}");
    let looked = tokio::task::spawn_blocking(move || certificate::shown_by(&host, port)).await;
    Some(match looked.unwrap_or_else(|error| Err(error.to_string())) {
        Ok(ends) => {
            let finding = Finding::ok("public_url.certificate", tried, "it is shown");
            certificate::judge(finding, ends, environment.now())
        }
        Err(reason) => Finding::ok("public_url.certificate", tried, reason)
            .failure("let a server with TLS answer at the public URL"),
    })
}

async fn clock(url: &str, outbound: &Outbound, environment: &Environment) -> Option<Finding> {
    let before = environment.now();
    let answer = outbound.send(Request::get(format!("{url}/version")).timeout(PATIENCE)).await.ok()?;
    let after = environment.now();
    let date = answer.headers().get(http::header::DATE)?.to_str().ok()?;
    let theirs = http_date(date)?;
    let moments = ((before, after), (theirs, DATE_PRECISION));
    Some(Finding::of_clock("public_url.clock", "the public URL's server", moments.0, moments.1))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 section 5.6.7).
fn http_date(text: &str) -> Option<Timestamp> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let words: Vec<&str> = text.split_whitespace().collect();
    let [_, day, month, year, time, "GMT"] = words.as_slice() else { return None };
    let month = MONTHS.iter().position(|name| name == month)? + 1;
    Timestamp::parse_rfc3339(&format!("{year}-{month:02}-{day}T{time}Z")).ok()
}

/// Whether a server says that it is ready, and which dependency it misses.
pub async fn readiness(url: &str, outbound: &Outbound) -> Finding {
    let tried = format!("ask {url} whether it is ready");
    match outbound.send(Request::get(format!("{url}/health/readiness")).timeout(PATIENCE)).await {
        Ok(_) => Finding::ok("readiness", tried, "it is"),
        Err(error) => Finding::ok("readiness", tried, error.to_string()).failure(
            "put the dependency right that it names; run 'heddle doctor --config FILE' on its machine",
        ),
    }
}

/// Whether identity providers describe themselves, and show their keys.
pub async fn issuers(
    configuration: &Configuration,
    config: &OutboundConfig,
    environment: &Environment,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for settings in &configuration.auth.issuers {
        let named = [Some(&settings.issuer), settings.jwks_url.as_ref()];
        let origins = named.into_iter().flatten().filter_map(|url| Url::parse(url).ok());
        let own_origins = origins.map(|url| url.origin().ascii_serialization()).collect();
        let config = OutboundConfig { own_origins, ..config.clone() };
        let tried = format!("fetch the keys of {}", settings.issuer);
        let found = match Outbound::new(config, environment.clone()) {
            Ok(outbound) => keys_of(&settings.issuer, settings.jwks_url.as_deref(), &outbound).await,
            Err(error) => Err(error.to_string()),
        };
        findings.push(match found {
            Ok(keys) => Finding::ok("issuer", tried, format!("{keys} keys")),
            Err(reason) => Finding::ok("issuer", tried, reason).failure(
                "start the identity provider, or put 'issuer' or 'jwks_url' of 'auth.issuers' right",
            ),
        });
    }
    findings
}

async fn keys_of(issuer: &str, jwks_url: Option<&str>, outbound: &Outbound) -> Result<usize, String> {
    let get = async |url: String| {
        let answer = outbound.send(Request::get(url).timeout(PATIENCE)).await.map_err(|e| e.to_string())?;
        answer.json::<Value>().map_err(|error| error.to_string())
    };
    let url = match jwks_url {
        Some(url) => url.to_owned(),
        None => {
            let base = issuer.trim_end_matches('/');
            let description = get(format!("{base}/.well-known/openid-configuration")).await?;
            if description["issuer"].as_str() != Some(issuer) {
                return Err("it calls itself by another name; 'issuer' must be that name".to_owned());
            }
            description["jwks_uri"].as_str().ok_or("it does not say where its keys are")?.to_owned()
        }
    };
    match get(url).await?["keys"].as_array() {
        Some(keys) if !keys.is_empty() => Ok(keys.len()),
        _ => Err("it shows no keys".to_owned()),
    }
}

/// Whether something listens where telemetry is sent.
pub async fn collector(configuration: &Configuration) -> Option<Finding> {
    let named = std::env::var("OTEL_EXPORTER_OTLP_ENDPOINT").ok().filter(|endpoint| !endpoint.is_empty());
    let endpoint = configuration.telemetry.endpoint.clone().or(named)?;
    let advice = "start the collector, or put 'telemetry.endpoint' right";
    let Some((host, port)) = Url::parse(&endpoint).ok().and_then(|url| {
        Some((url.host_str()?.trim_matches(['[', ']']).to_owned(), url.port_or_known_default()?))
    }) else {
        let finding = Finding::ok("telemetry", "read the collector's address", "it is no URL");
        return Some(finding.failure(advice));
    };
    let tried = format!("connect to the telemetry collector at {host}:{port}");
    Some(match timeout(PATIENCE, TcpStream::connect((host.as_str(), port))).await {
        Ok(Ok(_)) => Finding::ok("telemetry", tried, "connected"),
        Ok(Err(error)) => Finding::ok("telemetry", tried, error.to_string()).failure(advice),
        Err(_) => Finding::ok("telemetry", tried, "no answer").failure(advice),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_http_are_read() {
        let expected = Timestamp::parse_rfc3339("1994-11-06T08:49:37Z").expect("legal");
        assert_eq!(http_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(expected));
        assert_eq!(http_date("yesterday"), None);
    }

    #[test]
    fn names_are_told_from_addresses() {
        assert_eq!(name_of("https://a.example:1/x"), Some("a.example".to_owned()));
        assert_eq!(name_of("http://127.0.0.1:1"), None);
        assert_eq!(name_of("postgres://u@[::1]/d"), None);
    }
}
