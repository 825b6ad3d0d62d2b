//! The story that is judged: two organisations on two servers come on board and share, and others do what they may
//! not. Every secret that is met on the way is remembered.

use std::{path::Path, time::Duration};

use heddle::{
    demo::{
        self, Client, Options, Parties, Place, Report, client::text_of, content::Content,
        onboarding::Organisation, publishing, sharing::Consumer,
    },
    home::{Credentials, Home},
};
use heddle_clock::Environment;
use heddle_outbound::{Outbound, OutboundConfig, Request};
use serde_json::Value;

use super::{
    Line, Scanner, Server,
    collector::{API_KEY, Collector, Got},
    offences,
};

/// What is left of the story when its servers have stopped.
pub struct Told {
    /// What the demo reported.
    pub report: Report,
    /// Who has published.
    pub provider: Organisation,
    /// Who has consumed.
    pub consumer: Organisation,
    /// The log of the provider's server.
    pub provider_log: Vec<Line>,
    /// The log of the consumer's server.
    pub consumer_log: Vec<Line>,
    /// Knows every secret that was met.
    pub scanner: Scanner,
    /// What the collector of both servers got.
    pub got: Got,
    /// The numbers that the provider's server showed.
    pub metrics: String,
    /// What the provider's server said of its health.
    pub readiness: Value,
}

/// Tells it.
pub async fn tell() -> Told {
    let collector = Collector::start().await;
    let (provider_server, consumer_server) = tokio::join!(
        Server::start("provider", &collector.endpoint),
        Server::start("consumer", &collector.endpoint)
    );
    let mut scanner = Scanner::default();
    scanner.know("the key of the collector", API_KEY);
    for (name, server) in [("provider", &provider_server), ("consumer", &consumer_server)] {
        scanner.know_bytes(&format!("the master key of the {name}'s server"), &server.master_key());
    }
    let operators = (provider_server.credentials().clone(), consumer_server.credentials().clone());
    let place = Place { provider: operators.0.clone(), consumer: Some(operators.1.clone()) };
    let folder = provider_server.folder().join("demo");
    let report = demo::run(&place, &Options::default(), Some(&Home::at(&folder))).await;
    let report = report.unwrap_or_else(|failure| panic!("{failure}"));
    let Parties { provider, consumer } = remembered(&folder);
    for credentials in [operators.0.clone(), operators.1.clone(), of(&provider), of(&consumer)] {
        learn(&mut scanner, &credentials).await;
    }
    share_again(&mut scanner, (&provider, &operators.0), (&consumer, &operators.1)).await;
    offences::commit(&mut scanner, &client(&of(&provider)), &provider).await;
    offences::commit(&mut scanner, &client(&of(&consumer)), &consumer).await;
    let readiness = get(&operators.0.url, "/health/readiness").await;
    let readiness = serde_json::from_str(&readiness).expect("JSON");
    // Rows are counted each second, and spans are sent every few.
    let complete = async {
        loop {
            let text = get(&operators.0.url, "/metrics").await;
            let wanted = ["heddle_jobs{", "heddle_otlp_exports_total{", "heddle_tenants "];
            if wanted.iter().all(|name| text.contains(name)) {
                return text;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let metrics =
        tokio::time::timeout(Duration::from_secs(120), complete).await.expect("all numbers are shown");
    let (provider_log, consumer_log) = tokio::join!(provider_server.stop(), consumer_server.stop());
    Told {
        report,
        provider,
        consumer,
        provider_log,
        consumer_log,
        scanner,
        got: collector.got(),
        metrics,
        readiness,
    }
}

async fn get(server: &str, path: &str) -> String {
    let request = Request::get(format!("{server}{path}")).accept("*/*").body_bytes_max(16 << 20);
    let answer = outbound().send(request).await.expect("anybody may ask");
    String::from_utf8(answer.body().to_vec()).expect("a text")
}

fn of(organisation: &Organisation) -> Credentials {
    Credentials {
        url: organisation.server.clone(),
        client_id: organisation.client_id.clone(),
        client_secret: organisation.client_secret.clone(),
    }
}

/// Whom the demo brought on board.
fn remembered(folder: &Path) -> Parties {
    let names = std::fs::read_dir(folder).expect("the demo remembers");
    let names = names.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let name = names.into_iter().find(|name| name.starts_with("parties-")).expect("it remembers the parties");
    Home::at(folder).read(&name).expect("it is readable").expect("it is there")
}

/// The HTTP client of everything here.
pub fn outbound() -> Outbound {
    let config = OutboundConfig {
        allow_http: true,
        allow_private_addresses: true,
        request_timeout: Duration::from_secs(30),
        idle_timeout: Duration::from_secs(60),
        ..OutboundConfig::default()
    };
    Outbound::new(config, Environment::system()).expect("the settings are right")
}

fn client(credentials: &Credentials) -> Client {
    Client::new(outbound(), Environment::system(), credentials.clone(), "again")
}

/// A client's secret, and a token that is issued for it.
async fn learn(scanner: &mut Scanner, credentials: &Credentials) {
    let id = &credentials.client_id;
    scanner.know(&format!("the secret of {id}"), &credentials.client_secret);
    let request = Request::post(format!("{}/oauth/token", credentials.url)).form(&[
        ("grant_type", "client_credentials"),
        ("client_id", id),
        ("client_secret", &credentials.client_secret),
    ]);
    let issued: Value = outbound().send(request).await.expect("a token").json().expect("JSON");
    let token = issued["access_token"].as_str().expect("a token");
    scanner.know(&format!("a token of {id}"), token);
    let signature = token.rsplit('.').next().unwrap_or_default();
    scanner.know(&format!("the signature of a token of {id}"), signature);
}

/// A second share, to see the token that opens its flow.
async fn share_again(
    scanner: &mut Scanner,
    (provider, provider_operator): (&Organisation, &Credentials),
    (consumer, consumer_operator): (&Organisation, &Credentials),
) {
    let provider_client = provider.client(&client(provider_operator));
    let consumer_client = consumer.client(&client(consumer_operator));
    let asset = "shared-again";
    let published = publishing::publish(&provider_client, provider, asset, &Content::Generated(7)).await;
    let published = published.expect("it is published").result();
    let mut party = Consumer::ready(&consumer_client, consumer, provider).await.expect("the feed opens");
    let offer = party.discover(asset).await.expect("it is offered");
    let (agreement, _) = party.negotiate("again", asset, &offer).await.expect("they agree");
    let (transfer, _) = party.transfer("again", &agreement).await.expect("it starts");
    let flow = format!("/api/dataplane/v1/participants/{}/flows/{transfer}/edr", consumer.context);
    let edr = consumer_client.get(&flow).await.expect("the address is told");
    scanner.know("the token of a flow", &text_of(&edr, "authorization", &flow).expect("it has a token"));
    assert_eq!(party.download(&transfer).await.expect("it flows").result(), published);
    party.complete(&transfer, 0).await.expect("it ends");
}
