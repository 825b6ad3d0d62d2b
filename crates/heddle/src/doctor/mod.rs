//! `heddle doctor`: tries every dependency of an installation, and says what to do. It changes nothing.
//!
//! How to add a check: a function that gives a [`Finding`] (or several) in the file of its subject, and a line in
//! [`of_configuration`] or [`of_server`]. A check says what was tried and what happened, and, unless all is well, what to
//! do; it has a bound on its time, and holds no secret.

mod certificate;
mod database;
mod files;
mod limits;
mod listeners;
mod outside;

use heddle_clock::Environment;
use heddle_outbound::{Outbound, OutboundConfig};
pub use heddle_store::finding::{Finding, Verdict};

use crate::{
    config::{self, Configuration, ConfigurationError, Sources},
    server,
};

/// Tries what a server with this configuration needs.
pub async fn of_configuration(sources: &Sources, environment: &Environment) -> Vec<Finding> {
    let mut findings = Vec::new();
    let tried = "read the configuration and look at the files that it names";
    if let Err(error) = config::check(sources) {
        let finding = Finding::ok("configuration", tried, error.to_string());
        findings.push(finding.failure("put right what is said, and try again"));
    }
    // What can be used in spite of a file that is missing is tried as well.
    let configuration = match config::read(sources) {
        Ok(loaded) => loaded.configuration,
        Err(ConfigurationError::Mistaken(_) | ConfigurationError::Malformed { .. }) | Err(_) => {
            return findings;
        }
    };
    if findings.is_empty() {
        findings.push(Finding::ok("configuration", tried, "all is right"));
    }
    findings.extend(files::data_directory(&configuration));
    findings.extend(files::private_files(&configuration));
    let examined = database::examine(&configuration, environment).await;
    findings.extend(examined.findings);
    findings.push(database::master_key(&configuration, &examined.documents));
    findings.extend(listeners::free(&configuration, environment).await);
    findings.extend(listeners::certificates(&configuration, environment));
    findings.push(limits::descriptors(&configuration));
    let fixed = database::public_url(&examined.documents);
    findings.extend(of_world(&configuration, fixed, environment).await);
    findings
}

/// Names, the public URL, identity providers and the collector.
async fn of_world(
    configuration: &Configuration,
    fixed: Option<String>,
    environment: &Environment,
) -> Vec<Finding> {
    let changed =
        fixed.as_ref().zip(configuration.public_url.as_ref()).filter(|(fixed, given)| fixed != given);
    let changed = changed.map(|(fixed, given)| {
        let told =
            format!("'public_url' is {given}, and {fixed} since the first start; the server will not start");
        Finding::ok("public_url", "compare it with that of the first start", told)
            .failure("put the old URL back: it is part of every DID and status list")
    });
    let url = fixed.or_else(|| configuration.public_url.clone());
    let given = url.clone().unwrap_or_else(|| format!("http://{}", configuration.listen));
    let config = server::outgoing_config(configuration, &given);
    let mut findings = outside::names(configuration, &given).await;
    findings.extend(changed);
    match &url {
        Some(url) => findings.extend(outside::public_url(url, &config, environment).await),
        None => findings.push(Finding::ok(
            "public_url",
            "ask the public URL",
            "none is set: it is made of the listener's address, and nobody else reaches it",
        )),
    }
    findings.extend(outside::issuers(configuration, &config, environment).await);
    findings.extend(outside::collector(configuration).await);
    findings
}

/// Tries what can be seen of a running server from here.
pub async fn of_server(url: &str, environment: &Environment) -> Vec<Finding> {
    let config =
        OutboundConfig { allow_http: true, allow_private_addresses: true, ..OutboundConfig::default() };
    let mut findings = outside::public_url(url, &config, environment).await;
    if let Ok(outbound) = Outbound::new(config, environment.clone()) {
        findings.push(outside::readiness(url, &outbound).await);
    }
    findings
}
