//! The story as a whole.

use std::path::PathBuf;

use heddle_clock::Environment;
use heddle_telemetry::{TraceContext, trace};
use serde::{Deserialize, Serialize};

use super::{
    client::{Client, outbound},
    content::Content,
    founding, onboarding,
    onboarding::{Bodies, Organisation},
    publishing,
    report::{Failure, Report, Teller},
    sharing::Consumer,
};
use crate::home::{Credentials, Home};

/// Where the story plays.
#[derive(Clone)]
pub struct Place {
    /// The installation of the issuer and the provider, and the operator's credentials there.
    pub provider: Credentials,
    /// The consumer's installation, if it is another one.
    pub consumer: Option<Credentials>,
}

/// How the story goes.
#[derive(Clone, Default)]
pub struct Options {
    /// The file to share; generated content without one.
    pub file: Option<PathBuf>,
    /// Only share, between the organisations of the last story at this place.
    pub only_share: bool,
    /// Print the steps for a person.
    pub tell: bool,
}

/// The organisations of a story, remembered for the next one.
#[derive(Clone, Serialize, Deserialize)]
pub struct Parties {
    /// Publishes.
    pub provider: Organisation,
    /// Consumes.
    pub consumer: Organisation,
}

/// Plays the story.
pub async fn run(place: &Place, options: &Options, home: Option<&Home>) -> Result<Report, Failure> {
    let environment = Environment::system();
    let content = match &options.file {
        Some(path) => Content::of_file(path).await.map_err(|reason| Failure::of("read the file", reason))?,
        None => Content::Generated(u64::from_le_bytes(environment.random())),
    };
    let run: String = environment.random::<5>().iter().map(|byte| format!("{byte:02x}")).collect();
    let outbound = outbound(&environment).map_err(|error| Failure::of("prepare", error))?;
    let client = |credentials: &Credentials| {
        Client::new(outbound.clone(), environment.clone(), credentials.clone(), &run)
    };
    let governance = client(&place.provider);
    let elsewhere = place.consumer.as_ref().map(client);
    let consumer_operator = elsewhere.as_ref().unwrap_or(&governance);
    for operator in std::iter::once(&governance).chain(&elsewhere) {
        operator.log_in().await.map_err(|error| Failure::of("log in", error))?;
    }
    let mut teller = Teller::new(options.tell);
    let memory = memory_name(governance.base(), consumer_operator.base());
    let parties = if options.only_share {
        let remembered = home.map(|home| home.read::<Parties>(&memory)).transpose();
        let nobody = format!(
            "nobody is on board at {} yet; play the whole story first, without --only",
            governance.base()
        );
        remembered
            .map_err(|error| Failure::of("remember", error))?
            .flatten()
            .ok_or_else(|| Failure::of("remember", nobody))?
    } else {
        come_on_board(&mut teller, &governance, consumer_operator, &run).await?
    };
    if let Some(home) = home {
        home.write(&memory, &parties).map_err(|error| Failure::of("remember", error))?;
    }
    // Whatever both sides log about the sharing carries this trace.
    let trace = TraceContext::begin(&environment);
    let shared = share(teller, (&governance, consumer_operator), &parties, &content, &run);
    trace::within(trace, shared).await
}

async fn come_on_board(
    teller: &mut Teller,
    governance: &Client,
    consumer_operator: &Client,
    run: &str,
) -> Result<Parties, Failure> {
    let dataspace = teller
        .step("found a dataspace", async {
            let dataspace = founding::found(governance, run).await?;
            founding::join(governance, &dataspace).await?;
            if consumer_operator.base() != governance.base() {
                founding::join(consumer_operator, &dataspace).await?;
            }
            Ok((dataspace, Vec::new()))
        })
        .await?;
    let bodies = Bodies { operator: governance, governance, dataspace: &dataspace };
    let provider = onboarding::onboard(teller, &bodies, run, "provider").await?;
    let bodies = Bodies { operator: consumer_operator, ..bodies };
    let consumer = onboarding::onboard(teller, &bodies, run, "consumer").await?;
    Ok(Parties { provider, consumer })
}

async fn share(
    mut teller: Teller,
    (provider_operator, consumer_operator): (&Client, &Client),
    parties: &Parties,
    content: &Content,
    run: &str,
) -> Result<Report, Failure> {
    let Parties { provider, consumer } = parties;
    let asset = format!("file-{run}");
    let provider_client = provider.client(provider_operator);
    let consumer_client = consumer.client(consumer_operator);
    let published = teller
        .step("publish a file under a policy", async {
            let digest = publishing::publish(&provider_client, provider, &asset, content).await?;
            Ok((digest.result(), Vec::new()))
        })
        .await?;
    let mut party = Consumer::ready(&consumer_client, consumer, provider)
        .await
        .map_err(|error| Failure::of("open the consumer's feed", error))?;
    let offer = teller.step("discover", async { Ok((party.discover(&asset).await?, Vec::new())) }).await?;
    let agreement = teller.step("negotiate", party.negotiate(run, &asset, &offer)).await?;
    let mut told = 0;
    let transfer = teller
        .step("transfer", async {
            let (transfer, messages) = party.transfer(run, &agreement).await?;
            told = messages.len();
            Ok((transfer, messages))
        })
        .await?;
    let received = teller
        .step("download", async { Ok((party.download(&transfer).await?.result(), Vec::new())) })
        .await?;
    if received != published {
        let reason = format!("{} bytes were published, {} others arrived", published.1, received.1);
        return Err(Failure::of("compare", reason));
    }
    teller.step("complete", async { Ok(((), party.complete(&transfer, told).await?)) }).await?;
    Ok(teller.end(received.0, received.1))
}

fn memory_name(provider: &str, consumer: &str) -> String {
    let safe = |url: &str| url.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    format!("parties-{}-{}.json", safe(provider), safe(consumer))
}
